/* readers.c - one reader per scalar type: from a node of the tree to a member of a
 * struct. Lists and sections are in readers_list.c. */
#include <assert.h>
#include <string.h>

#include "config/config.h"
#include "config/readers.h"
#include "config/trust.h"

/* Slots are written by memcpy: a row knows an offset, not a type. */
static void put(const struct field *field, void *base, const void *value, size_t size)
{
	memcpy((char *)base + field->offset, value, size);
}

void field_put_text(const struct field *field, void *base, const char *text)
{
	put(field, base, &text, sizeof(text));
}

/* ---- scalars ------------------------------------------------------------- */

void read_text(struct reading *r, const struct frame *frame, const struct field *field,
	       struct node *node, void *base)
{
	size_t n = strlen(node->text);
	size_t max = field->max ? (size_t)field->max : 1024;

	(void)r;
	if (n < 1 || n > max)
		field_wrong(r, frame, field, node, NULL);
	else
		field_put_text(field, base, node->text);
}

void read_converted(struct reading *r, const struct frame *frame,
		    const struct field *field, struct node *node, void *base)
{
	const char *why = NULL, *text;

	text = field_kind(field->type)->convert(&r->values, node->text, &why);
	if (!text) {
		field_wrong(r, frame, field, node, why);
		return;
	}
	node->text = text;
	field_put_text(field, base, text);
}

void read_trusted(struct reading *r, const struct frame *frame, const struct field *field,
		  struct node *node, void *base)
{
	size_t before = r->problems->n;

	read_converted(r, frame, field, node, base);
	if (r->problems->n == before)
		trust_require(r, node->place, node->text);
}

void read_or_none(struct reading *r, const struct frame *frame, const struct field *field,
		  struct node *node, void *base)
{
	if (!node_is_word(node, "none"))
		read_converted(r, frame, field, node, base);
}

/* A map with a path alone says no more than the path: it becomes that. */
void read_tls_json(struct reading *r, const struct frame *frame,
		   const struct field *field, struct node *node, void *base)
{
	const struct node *path = node;

	if (node->type == NODE_MAP) {
		path = node_member(node, "path");
		if (!path || node->n != 1 || path->type != NODE_SCALAR ||
		    node_is_null(path) || value_has_control(path->text)) {
			field_wrong(r, frame, field, node, NULL);
			return;
		}
	}
	node->type = NODE_SCALAR;
	node->text = path->text;
	node->place = path->place;
	if (!node_is_word(node, "none"))
		read_converted(r, frame, field, node, base);
}

const struct choice *field_choice(const struct field *field, const char *text)
{
	for (const struct choice *c = field->choices; c->name; c++) {
		if (!strcmp(c->name, text))
			return c;
	}
	return NULL;
}

void read_word(struct reading *r, const struct frame *frame, const struct field *field,
	       struct node *node, void *base)
{
	const struct choice *choice = field_choice(field, node->text);

	if (!choice)
		field_wrong(r, frame, field, node, NULL);
	else
		field_put_text(field, base, choice->name);
}

void read_choice(struct reading *r, const struct frame *frame, const struct field *field,
		 struct node *node, void *base)
{
	const struct choice *choice = field_choice(field, node->text);

	static_assert(sizeof(enum severity) == sizeof(int), "enums are written as int");
	if (!choice)
		field_wrong(r, frame, field, node, NULL);
	else
		put(field, base, &choice->value, sizeof(choice->value));
}

void read_flag(struct reading *r, const struct frame *frame, const struct field *field,
	       struct node *node, void *base)
{
	const struct choice *choice = field_choice(field, node->text);
	bool value = choice && choice->value;

	if (!choice)
		field_wrong(r, frame, field, node, NULL);
	else
		put(field, base, &value, sizeof(value));
}

bool field_in_bounds(const struct field *field, int64_t value)
{
	return value >= field->min && value <= field->max;
}

void read_number(struct reading *r, const struct frame *frame, const struct field *field,
		 struct node *node, void *base)
{
	int64_t number;

	if (value_number(node->text, &number) || !field_in_bounds(field, number))
		field_wrong(r, frame, field, node, NULL);
	else
		put(field, base, &number, sizeof(number));
}

void read_duration(struct reading *r, const struct frame *frame,
		   const struct field *field, struct node *node, void *base)
{
	int64_t seconds;

	if (value_duration(node->text, &seconds) || !field_in_bounds(field, seconds))
		field_wrong(r, frame, field, node, NULL);
	else
		put(field, base, &seconds, sizeof(seconds));
}

void read_patience(struct reading *r, const struct frame *frame,
		   const struct field *field, struct node *node, void *base)
{
	bool wanted;

	if (value_switch(node->text, &wanted) || wanted)
		read_duration(r, frame, field, node, base);
}

void read_size(struct reading *r, const struct frame *frame, const struct field *field,
	       struct node *node, void *base)
{
	int64_t bytes;

	if (value_size(node->text, &bytes) || !field_in_bounds(field, bytes))
		field_wrong(r, frame, field, node, NULL);
	else
		put(field, base, &bytes, sizeof(bytes));
}

void read_switch(struct reading *r, const struct frame *frame, const struct field *field,
		 struct node *node, void *base)
{
	bool value;

	if (value_switch(node->text, &value))
		field_wrong(r, frame, field, node, NULL);
	else
		put(field, base, &value, sizeof(value));
}

void read_mode(struct reading *r, const struct frame *frame, const struct field *field,
	       struct node *node, void *base)
{
	uint32_t mode;

	if (value_mode(node->text, &mode))
		field_wrong(r, frame, field, node, NULL);
	else if (mode & 07)
		field_wrong(r, frame, field, node,
			    "lets every account read the private key: end it in 0");
	else if (!(mode & 0400))
		field_wrong(r, frame, field, node, "keeps the owner itself from reading");
	else
		put(field, base, &mode, sizeof(mode));
}

void read_renew_at(struct reading *r, const struct frame *frame,
		   const struct field *field, struct node *node, void *base)
{
	struct renew_at at = { .kind = RENEW_DEFAULT };

	if (!value_fraction(node->text, &at.numerator, &at.denominator))
		at.kind = RENEW_FRACTION;
	else if (!value_duration(node->text, &at.duration_s) &&
		 field_in_bounds(field, at.duration_s))
		at.kind = RENEW_DURATION;
	else if (strcmp(node->text, "default") != 0)
		field_wrong(r, frame, field, node, NULL);
	put(field, base, &at, sizeof(at));
}

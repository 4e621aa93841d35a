/* readers_list.c - readers of lists, argument vectors, and sections inside sections. */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/readers.h"
#include "config/trust.h"

static void put(const struct field *field, void *base, const void *value, size_t size)
{
	memcpy((char *)base + field->offset, value, size);
}

/* ---- lists of scalars ---------------------------------------------------- */

/* The item as the program wants it; NULL after a complaint. */
static const char *read_item(struct reading *r, const struct frame *frame,
			     const struct field *field, const struct node *item)
{
	value_converter *convert = field_kind(field->type)->convert;
	const char *why = NULL, *text = NULL;

	if (item->type == NODE_REFUSED)
		return NULL;
	if (item->type == NODE_SCALAR && value_has_control(item->text)) {
		field_problem(r, frame, field->key, item->place,
			      "has a line break or control character in it");
		return NULL;
	}
	if (item->type != NODE_SCALAR || node_is_null(item))
		text = NULL;
	else if (convert)
		text = convert(&r->values, item->text, &why);
	else if (field_choice(field, item->text))
		text = item->text;
	if (!text)
		field_wrong(r, frame, field, item, why);
	return text;
}

bool field_count_fits(struct reading *r, const struct frame *frame,
		      const struct field *field, const struct node *list)
{
	if (!field->max || field_in_bounds(field, (int64_t)list->n))
		return true;
	field_problem(r, frame, field->key, list->place,
		      "has %zu entries: expected from %lld to %lld", list->n,
		      (long long)field->min, (long long)field->max);
	return false;
}

static bool is_repeated(const char *const *items, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		if (str_equal(items[i], text))
			return true;
	}
	return false;
}

void read_list(struct reading *r, const struct frame *frame, const struct field *field,
	       struct node *list, void *base)
{
	const char **items = arena_calloc(r->values.arena, list->n + 1, sizeof(*items));
	size_t n = 0;

	field_count_fits(r, frame, field, list);
	for (struct node *item = list->first; item; item = item->next) {
		const char *text = read_item(r, frame, field, item);

		if (!text)
			continue;
		if (is_repeated(items, n, text)) {
			field_problem(r, frame, field->key, item->place,
				      "has '%.96s' twice: remove one", text);
			continue;
		}
		item->text = items[n++] = text;
	}
	put(field, base, &items, sizeof(items));
}

void read_flags(struct reading *r, const struct frame *frame, const struct field *field,
		struct node *list, void *base)
{
	unsigned flags = 0;

	for (const struct node *item = list->first; item; item = item->next) {
		const char *text = read_item(r, frame, field, item);

		if (text)
			flags |= (unsigned)field_choice(field, text)->value;
	}
	put(field, base, &flags, sizeof(flags));
}

/* Arguments are anything, the program is an absolute path to a file that nobody else may
 * write. */
void read_command(struct reading *r, const struct frame *frame, const struct field *field,
		  struct node *list, void *base)
{
	const char **argv = arena_calloc(r->values.arena, list->n + 1, sizeof(*argv));
	const char *why = NULL, *program = NULL;
	size_t n = 0;

	if (!field_count_fits(r, frame, field, list))
		return;
	for (const struct node *item = list->first; item; item = item->next) {
		if (item->type == NODE_REFUSED)
			return;
		if (item->type != NODE_SCALAR || node_is_null(item)) {
			field_wrong(r, frame, field, item, NULL);
			return;
		}
		argv[n++] = item->text;
	}
	assert(list->first && argv[0]); /* field_count_fits() saw one */
	if (!value_has_control(argv[0]))
		program = value_absolute(&r->values, argv[0], &why);
	if (!program) {
		field_wrong(r, frame, field, list->first,
			    why ? why
				: "is no program by its absolute path, such as "
				  "/usr/local/bin/x");
		return;
	}
	list->first->text = argv[0] = program;
	trust_require(r, list->first->place, program);
	put(field, base, &argv, sizeof(argv));
}

/* ---- sections in sections ------------------------------------------------ */

/* `profile: x` becomes `profile: {name: x}`. */
static void open_alone(struct reading *r, const struct field *field, struct node *node)
{
	struct node *member = arena_calloc(r->values.arena, 1, sizeof(*member));

	*member = *node;
	member->key = field->section->alone;
	member->next = NULL;
	node->type = NODE_MAP;
	node->first = node->last = NULL;
	node->n = 0;
	node_append(node, member);
}

void read_section(struct reading *r, const struct frame *up, const struct field *field,
		  struct node *node, void *base)
{
	struct frame frame = { .up = up, .key = field->key, .nested = true };

	if (node->type == NODE_SCALAR && field->section->alone)
		open_alone(r, field, node);
	if (node->type == NODE_MAP)
		section_read(r, &frame, field->section, node,
			     (char *)base + field->offset);
	else if (!(field->section->none_ok && node_is_word(node, "none")) &&
		 !(field->section->word && node_is_word(node, field->section->word)))
		field_wrong(r, up, field, node, NULL);
}

/* What an entry needs first, as an example of what to write. */
static const char *first_required(const struct section *section)
{
	size_t i = 0;

	while (i < section->n_fields - 1 && section->fields[i].fallback)
		i++;
	return section->fields[i].key;
}

void read_each(struct reading *r, const struct frame *up, const struct field *field,
	       struct node *parent, void *base)
{
	size_t size = field->section->size, n = 0;
	char *items = arena_calloc(r->values.arena, parent->n + 1, size);
	const char *why = NULL;

	field_count_fits(r, up, field, parent);
	for (struct node *item = parent->first; item; item = item->next, n++) {
		struct frame frame = { .up = up, .key = field->key };

		if (item->key) {
			const char *name = value_name(&r->values, item->key, &why);

			if (!name)
				problem_at(r->problems, item->key_place,
					   "'%.96s' is no name for %s: expected up to 63 "
					   "letters, digits, '-' and '_'",
					   item->key, field->section->what);
			frame.item = item->key;
			memcpy(items + n * size, &item->key, sizeof(item->key));
		}
		if (item->type == NODE_MAP)
			section_read(r, &frame, field->section, item, items + n * size);
		else if (item->type != NODE_REFUSED)
			problem_at(
				r->problems, item->key_place,
				"'%.96s' in '%s' is no map: expected '%s: ...' and more",
				item->key ? item->key : "an entry", field->key,
				first_required(field->section));
	}
	put(field, base, &items, sizeof(items));
	memcpy((char *)base + field->count, &n, sizeof(n));
}

void read_one_or_more(struct reading *r, const struct frame *up,
		      const struct field *field, struct node *node, void *base)
{
	struct frame frame = { .up = up, .key = field->key, .nested = true };
	size_t one = 1;
	void *item;

	if (node->type == NODE_LIST) {
		read_each(r, up, field, node, base);
		return;
	}
	if (node->type == NODE_SCALAR) {
		if (!field->section->none_ok || !node_is_word(node, "none"))
			field_wrong(r, up, field, node, NULL);
		return;
	}
	item = arena_calloc(r->values.arena, 1, field->section->size);
	section_read(r, &frame, field->section, node, item);
	put(field, base, &item, sizeof(item));
	memcpy((char *)base + field->count, &one, sizeof(one));
}

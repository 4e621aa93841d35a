#include "config/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/suggest.h"

/* ---- frames -------------------------------------------------------------- */

static const char *name_of(const struct frame *frame, const struct node *map)
{
	const struct node *name = node_member(map, "name");

	if (frame->nested || frame->item)
		return frame->item;
	return name && name->type == NODE_SCALAR ? name->text : NULL;
}

static void label(struct reading *r, struct frame *frame, const struct section *section,
		  const struct node *map)
{
	struct arena *arena = r->values.arena;
	const char *name;

	frame->label = "the file";
	frame->prefix = "";
	if (!frame->up)
		return;
	name = name_of(frame, map);
	if (name)
		frame->label = arena_printf(arena, "%s '%.64s'", section->what, name);
	else
		frame->label = arena_printf(arena, "'%s'", frame->key);
	if (frame->up->up)
		frame->label = arena_printf(arena, "%s of %s", frame->label,
					    frame->up->label);
	if (frame->nested)
		frame->prefix = arena_printf(arena, "%s%s.", frame->up->prefix,
					     frame->key);
}

/* ---- complaints ---------------------------------------------------------- */

void field_problem(struct reading *r, const struct frame *frame, const char *key,
		   struct place place, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	problem_at(r->problems, place, "'%s%s' %s", frame->prefix, key, text);
}

/* Values that may hold a secret by mistake stay out of sentences. */
static bool may_be_told(const struct field *field, const struct node *node)
{
	if (node->type != NODE_SCALAR || field->type == FIELD_SECRET)
		return false;
	return !(strstr(node->text, "://") && strchr(node->text, '@'));
}

static const char *shape_name(const struct node *node)
{
	if (node->type == NODE_LIST)
		return "a list";
	return node->type == NODE_MAP ? "a map" : "a plain value";
}

void field_wrong(struct reading *r, const struct frame *frame, const struct field *field,
		 const struct node *node, const char *why)
{
	const struct field_kind *kind = field_kind(field->type);
	bool told = may_be_told(field, node);
	char expected[512], found[160], hint[96];
	struct suggestion near = { .typed = told ? node->text : "" };

	if (told)
		snprintf(found, sizeof(found), "'%.96s'", node->text);
	else
		snprintf(found, sizeof(found), "%s", shape_name(node));
	field_expected(field, expected, sizeof(expected));
	for (const struct choice *c = field->choices; c && c->name; c++)
		suggest_offer(&near, c->name);
	if (node_is_null(node))
		field_problem(r, frame, field->key, node->key_place,
			      "has no value: expected %s", expected);
	else if (why)
		field_problem(r, frame, field->key, node->place, "has %s, which %s",
			      told ? found : "a value", why);
	else if (told && kind->list && !kind->map && node->key)
		field_problem(r, frame, field->key, node->place,
			      "is %s: expected a list such as [%.96s]", found,
			      node->text);
	else
		field_problem(r, frame, field->key, node->place, "%s %s: expected %s%s",
			      node->key ? "is" : "has", found, expected,
			      suggest_text(&near, hint, sizeof(hint)));
}

/* The key that was meant; .nearest is NULL when `key` is known, or like none. */
static struct suggestion nearest_key(const struct section *section, const char *key)
{
	struct suggestion near = { .typed = key };

	for (size_t i = 0; i < section->n_fields; i++) {
		suggest_offer(&near, section->fields[i].key);
		if (str_equal(section->fields[i].key, key))
			return (struct suggestion){ .typed = key };
	}
	return near;
}

static const struct field *find_field(const struct section *section, const char *key)
{
	for (size_t i = 0; i < section->n_fields; i++) {
		if (str_equal(section->fields[i].key, key))
			return &section->fields[i];
	}
	return NULL;
}

bool field_is_for(const struct field *field, const char *type)
{
	const char *at = field->only;
	size_t n = strlen(type);

	while (at && *at) {
		size_t len = strcspn(at, " ");

		if (len == n && !strncmp(at, type, n))
			return true;
		at += len + strspn(at + len, " ");
	}
	return !field->only;
}

/* A row with `only` counts where the section's type says so. */
static bool applies(const struct field *field, const struct node *map)
{
	const struct node *type = node_member(map, "type");

	if (!field->only)
		return true;
	return type && type->type == NODE_SCALAR && field_is_for(field, type->text);
}

static void refuse_unknown(struct reading *r, const struct frame *frame,
			   const struct section *section, const struct node *map,
			   const struct node *child)
{
	struct suggestion near = nearest_key(section, child->key);
	char hint[96], known[512] = "";
	size_t len = 0;

	if (find_field(section, child->key))
		return;
	for (size_t i = 0; i < section->n_fields && len < sizeof(known); i++) {
		if (!applies(&section->fields[i], map))
			continue;
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
					len ? ", " : ": expected one of ",
					section->fields[i].key);
	}
	suggest_text(&near, hint, sizeof(hint));
	problem_at(r->problems, child->key_place, "unknown key '%.64s' in %s%s",
		   child->key, frame->label, near.nearest ? hint : known);
}

/* ---- a section ----------------------------------------------------------- */

/* Was the key written with a typing error, which is complained about already? */
static bool is_misspelt(const struct section *section, const struct node *map,
			const struct field *field)
{
	for (const struct node *child = map->first; child; child = child->next) {
		if (str_equal(nearest_key(section, child->key).nearest, field->key))
			return true;
	}
	return false;
}

static void complain_missing(struct reading *r, const struct frame *frame,
			     const struct field *field, const struct node *map)
{
	problem_at(r->problems, map->key_place, "'%s%s' is missing in %s (%s)",
		   frame->prefix, field->key,
		   frame->nested ? frame->up->label : frame->label, field->help);
}

/* Is the section's `type` one that exists? */
static bool type_is_right(const struct section *section, const struct node *type)
{
	const struct choice *c = find_field(section, "type")->choices;

	while (c->name && !node_is_word(type, c->name))
		c++;
	return c->name;
}

/* A row of another type was written: wrong, unless the type itself is. */
static void complain_other_type(struct reading *r, const struct frame *frame,
				const struct section *section, const struct field *field,
				const struct node *map)
{
	const struct node *type = node_member(map, "type");
	char words[160] = "";
	size_t len = 0;

	if (!type_is_right(section, type))
		return;
	for (const char *at = field->only; *at && len < sizeof(words);) {
		size_t n = strcspn(at, " ");
		const char *next = at + n + strspn(at + n, " ");
		const char *glue = at == field->only ? "" : *next ? ", " : " and ";

		len += (size_t)snprintf(words + len, sizeof(words) - len,
					"%s'type: %.*s'", glue, (int)n, at);
		at = next;
	}
	field_problem(r, frame, field->key, node_member(map, field->key)->key_place,
		      "is for %s, not for 'type: %s'", words, type->text);
}

/* The member that the row describes, made from its default when it was not written. */
static struct node *member_of(struct reading *r, const struct frame *frame,
			      const struct section *section, const struct field *field,
			      struct node *map)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };
	struct node *member = node_member(map, field->key);

	if (!applies(field, map)) {
		if (member)
			complain_other_type(r, frame, section, field, map);
		return NULL;
	}
	if (member || str_equal(field->fallback, FIELD_OPTIONAL))
		return member;
	if (field->fallback)
		return node_from_text(r->values.arena, source, field->key,
				      field->fallback);
	if (!is_misspelt(section, map, field))
		complain_missing(r, frame, field, map);
	return NULL;
}

static void read_field(struct reading *r, const struct frame *frame,
		       const struct field *field, struct node *node, void *base)
{
	const struct field_kind *kind = field_kind(field->type);
	bool fits = (node->type == NODE_SCALAR && kind->scalar) ||
		    (node->type == NODE_LIST && kind->list) ||
		    (node->type == NODE_MAP && kind->map);

	if (node->type == NODE_REFUSED)
		return;
	if (node_is_null(node) || !fits)
		field_wrong(r, frame, field, node, NULL);
	else if (node->type == NODE_SCALAR && value_has_control(node->text))
		field_problem(r, frame, field->key, node->place,
			      "has a line break or control character in it");
	else
		kind->read(r, frame, field, node, base);
}

/* An empty line is an empty section where everything in it is optional. */
static bool is_empty_section(const struct field *field, const struct node *node)
{
	return (field->type == FIELD_SECTION || field->type == FIELD_NAMED ||
		field->type == FIELD_ONE_OR_MORE) &&
	       str_equal(field->fallback, "{}") && node_is_null(node);
}

/* The original keeps its place in the list of what was written. */
static struct node *copy_of(struct reading *r, const struct node *node)
{
	struct node *copy = arena_calloc(r->values.arena, 1, sizeof(*copy));

	*copy = *node;
	return copy;
}

void section_read(struct reading *r, struct frame *frame, const struct section *section,
		  struct node *map, void *base)
{
	struct node *written;

	if (section->before)
		section->before(r, map);
	label(r, frame, section, map);
	for (const struct node *child = map->first; child; child = child->next)
		refuse_unknown(r, frame, section, map, child);

	written = copy_of(r, map);
	map->first = map->last = NULL;
	map->n = 0;
	for (size_t i = 0; i < section->n_fields; i++) {
		const struct field *field = &section->fields[i];
		struct node *member = member_of(r, frame, section, field, written);

		if (!member)
			continue;
		if (is_empty_section(field, member))
			member->type = NODE_MAP;
		node_append(map, copy_of(r, member));
		read_field(r, frame, field, map->last, base);
	}
	if (section->after)
		section->after(r, frame, map, base);
}

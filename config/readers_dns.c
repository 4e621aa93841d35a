/* readers_dns.c - readers of what a challenge by DNS needs: the name of a provider, a
 * script, and the environment of a program. */
#include <string.h>

#include "base/arena.h"
#include "base/challenge.h"
#include "base/files.h"
#include "base/str.h"
#include "config/config.h"
#include "config/readers.h"
#include "config/suggest.h"
#include "config/trust.h"

#define ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static void put_pointer(const struct field *field, void *base, const void *pointer)
{
	memcpy((char *)base + field->offset, &pointer, sizeof(pointer));
}

/* Providers are read before the certificates that name them (section_top.c). */
void read_provider(struct reading *r, const struct frame *frame,
		   const struct field *field, struct node *node, void *base)
{
	struct suggestion near = { .typed = node->text };
	char hint[96];

	for (size_t i = 0; i < r->config->n_dns_providers; i++) {
		const struct dns_provider *provider = &r->config->dns_providers[i];

		suggest_offer(&near, provider->name);
		if (!str_equal(provider->name, node->text))
			continue;
		put_pointer(field, base, provider);
		return;
	}
	field_problem(r, frame, field->key, node->place,
		      "is '%.64s', which is not among 'dns_providers'%s", node->text,
		      suggest_text(&near, hint, sizeof(hint)));
}

/* acme.sh finds the functions of a script by its name. */
static bool is_script_name(const char *path)
{
	const char *name = path;

	for (const char *c = path; *c; c++) {
		if (*c == '/' || *c == '\\')
			name = c + 1;
	}
	return str_starts(name, "dns_") && str_ends(name, ".sh") &&
	       strspn(name, ALPHA DIGITS "_") == strlen(name) - strlen(".sh") &&
	       strlen(name) > strlen("dns_.sh");
}

void read_script(struct reading *r, const struct frame *frame, const struct field *field,
		 struct node *node, void *base)
{
	const char **argv = arena_calloc(r->values.arena, 2, sizeof(*argv));
	const char *why = NULL, *path = value_path(&r->values, node->text, &why);

	if (!path || !is_script_name(path)) {
		field_wrong(r, frame, field, node,
			    why ? why
				: "is no script of acme.sh: expected the path of a "
				  "dns_NAME.sh");
		return;
	}
	node->text = argv[0] = path;
	trust_require(r, node->place, path);
	put_pointer(field, base, argv);
}

/* ---- the environment of a program ----------------------------------------- */

static bool is_variable(const char *name)
{
	return strspn(name, ALPHA DIGITS "_") == strlen(name) && *name &&
	       !strchr(DIGITS, *name);
}

static void read_variable(struct reading *r, const struct frame *frame,
			  const struct field *field, struct node *item,
			  struct environment_value *ret)
{
	struct field one = { .key = arena_printf(r->values.arena, "%s.%.64s", field->key,
						 item->key),
			     .type = FIELD_SECRET,
			     .offset = offsetof(struct environment_value, secret) };

	ret->name = item->key;
	if (item->type == NODE_REFUSED)
		return;
	if (!is_variable(item->key))
		field_problem(r, frame, field->key, item->key_place,
			      "has '%.64s', which is no name of a variable: expected "
			      "letters, digits and '_', no digit first",
			      item->key);
	else if (item->type == NODE_MAP)
		secret_read(r, frame, &one, item, ret);
	else if (item->type != NODE_SCALAR || node_is_null(item) ||
		 value_has_control(item->text))
		field_problem(r, frame, one.key, item->place,
			      "has no usable value: expected one line of text, or a "
			      "secret such as {file: PATH}");
	else
		ret->value = item->text;
}

void read_environment(struct reading *r, const struct frame *frame,
		      const struct field *field, struct node *map, void *base)
{
	struct environment_value *items = arena_calloc(r->values.arena, map->n + 1,
						       sizeof(*items));
	size_t n = 0;

	if (!field_count_fits(r, frame, field, map))
		return;
	for (struct node *item = map->first; item; item = item->next)
		read_variable(r, frame, field, item, &items[n++]);
	put_pointer(field, base, items);
	memcpy((char *)base + field->count, &n, sizeof(n));
}

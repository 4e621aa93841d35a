/* docs/configuration.md and the tables of fields say the same. Run with --print to get
 * the part of the document that is made from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

#include "base/buf.h"
#include "base/files.h"
#include "base/str.h"
#include "config/sections.h"

#define DOCS SOURCE_DIR "/docs/configuration.md"

/* Gives the file, whole. */
static char *text_of(const char *path)
{
	struct buf text;
	struct err err;

	buf_init(&text, 1024 * 1024);
	if (file_read(path, &text, &err))
		fail_msg("%s", err.text);
	return buf_steal(&text);
}

typedef void on_section(const char *path, const struct section *section, void *ctx);

/* Visits the section and all below it: "certificates.NAME.deploy[].store". */
static void visit(const char *path, const struct section *section, on_section *see,
		  void *ctx)
{
	see(path, section, ctx);
	for (size_t i = 0; i < section->n_fields; i++) {
		const struct field *field = &section->fields[i];
		const char *tail = field->type == FIELD_NAMED      ? ".NAME"
				   : field->type == FIELD_SECTIONS ? "[]"
								   : "";
		char *below;

		if (!field->section)
			continue;
		below = str_printf("%s%s%s%s", path, *path ? "." : "", field->key, tail);
		visit(below, field->section, see, ctx);
		free(below);
	}
}

/* "`type: acme`, `type: command`: " of "acme command". */
static void put_types(struct buf *out, const char *only)
{
	while (only && *only) {
		int n = (int)strcspn(only, " ");

		buf_printf(out, "`type: %.*s`%s", n, only, only[n] ? ", " : ": ");
		only += n + (only[n] == ' ');
	}
}

static void put_row(struct buf *out, const struct field *field)
{
	char takes[512];

	field_expected(field, takes, sizeof(takes));
	buf_printf(out, "| `%s` | %s | ", field->key, takes);
	if (!field->fallback)
		buf_puts(out, "**required**");
	else if (str_equal(field->fallback, FIELD_OPTIONAL))
		buf_puts(out, "–");
	else
		buf_printf(out, "`%s`", field->fallback);
	buf_puts(out, " | ");
	put_types(out, field->only);
	buf_printf(out, "%s |\n", field->help);
}

static void put_section(const char *path, const struct section *section, void *ctx)
{
	struct buf *out = ctx;

	if (*path)
		buf_printf(out, "### `%s`\n", path);
	else
		buf_puts(out, "### The file\n");
	buf_puts(out, "| key | takes | default | meaning |\n|---|---|---|---|\n");
	for (size_t i = 0; i < section->n_fields; i++)
		put_row(out, &section->fields[i]);
}

static void is_documented(const char *path, const struct section *section, void *ctx)
{
	const char *document = ctx;
	struct buf table;

	buf_init(&table, 65536);
	put_section(path, section, &table);
	if (!strstr(document, buf_str(&table)))
		fail_msg("docs/configuration.md lacks (test_docs --print):\n%s",
			 buf_str(&table));
	buf_release(&table);
}

static void every_key_is_documented_as_it_is_read(void **state)
{
	char *document = text_of(DOCS);

	(void)state;
	visit("", &top_section, is_documented, document);
	free(document);
}

static void is_described(const char *path, const struct section *section, void *ctx)
{
	size_t *n = ctx;

	for (size_t i = 0; i < section->n_fields; i++, (*n)++) {
		const struct field *field = &section->fields[i];

		if (strlen(field->help) < 8 ||
		    field->help[strlen(field->help) - 1] == '.')
			fail_msg("%s.%s: '%s'", path, field->key, field->help);
		assert_true(field->min <= field->max);
	}
}

static void every_key_has_a_meaning_and_possible_bounds(void **state)
{
	size_t n = 0;

	(void)state;
	visit("", &top_section, is_described, &n);
	assert_true(n > 70);
}

static void loads(void **state, const char *yaml)
{
	const struct draft *draft = *state;

	draft_must_load(state, yaml);
	assert_int_equal(draft->report.warnings.n, 0);
}

/* Loads everything between ```yaml and ```; there are `n` of that in the document. */
static void examples_load(void **state, const char *path, size_t n)
{
	char *document = text_of(path), *at = document, *end;

	for (; (at = strstr(at, "\n```yaml\n")); n--) {
		at += strlen("\n```yaml\n");
		end = strstr(at, "\n```\n");
		assert_non_null(end);
		end[1] = '\0';
		loads(state, at);
		at = end + 2;
	}
	assert_int_equal(n, 0);
	free(document);
}

static void the_examples_of_the_documents_load(void **state)
{
	draft_file(*state, "tsig.key", 0600, "c2VjcmV0IG9mIHRzaWc=\n");
	examples_load(state, SOURCE_DIR "/README.md", 2);
	examples_load(state, DOCS, 3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest docs[] = {
		cmocka_unit_test(every_key_is_documented_as_it_is_read),
		cmocka_unit_test(every_key_has_a_meaning_and_possible_bounds),
		cmocka_unit_test_setup_teardown(the_examples_of_the_documents_load,
						draft_setup, draft_teardown),
	};
	struct buf out;

	if (argc != 2 || strcmp(argv[1], "--print") != 0)
		return cmocka_run_group_tests(docs, NULL, NULL);
	buf_init(&out, 1024 * 1024);
	visit("", &top_section, put_section, &out);
	fputs(buf_str(&out), stdout);
	buf_release(&out);
	return 0;
}

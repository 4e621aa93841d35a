#include "draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/random.h"
#include "base/str.h"
#include "config/system.h"

void draft_open(struct draft *draft)
{
	char *root = system_getenv("TMPDIR"), name[17];
	struct err err;

	if (!root)
		root = system_getenv("TEMP"); /* which Windows always has */
	memset(draft, 0, sizeof(*draft));
	random_hex(name, sizeof(name) - 1);
	draft->folder = str_printf("%s/config-%s", root ? root : "/tmp", name);
	free(root);
	assert_int_equal(dir_make(draft->folder, FILE_SECRET, &err), 0);
	draft->path = path_join(draft->folder, "certrenewd.yaml");
}

static void forget(struct draft *draft)
{
	config_free(draft->config);
	draft->config = NULL;
	config_report_clear(&draft->report);
}

void draft_close(struct draft *draft)
{
	struct err err;

	forget(draft);
	assert_int_equal(tree_remove(draft->folder, &err), 0);
	free(draft->folder);
	free(draft->path);
}

void draft_file(const struct draft *draft, const char *name, unsigned mode,
		const char *text)
{
	char *path = path_join(draft->folder, name);
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	free(path);
}

void draft_load(struct draft *draft, const char *yaml)
{
	int rc;

	forget(draft);
	draft_file(draft, "certrenewd.yaml", 0600, yaml);
	rc = config_load(draft->path, draft->check_trust, &draft->config, &draft->report);
	assert_int_equal(rc != 0, draft->report.errors.n > 0);
	assert_int_equal(rc != 0, draft->config == NULL);
}

int draft_setup(void **state)
{
	struct draft *draft = mem_calloc(1, sizeof(*draft));

	draft_open(draft);
	*state = draft;
	return 0;
}

int draft_teardown(void **state)
{
	draft_close(*state);
	free(*state);
	return 0;
}

const struct config *draft_must_load(void **state, const char *yaml)
{
	struct draft *draft = *state;

	draft_load(draft, yaml);
	for (size_t i = 0; i < draft->report.errors.n; i++)
		print_error("%s\n", draft->report.errors.items[i]);
	assert_non_null(draft->config);
	return draft->config;
}

static void expect(const struct draft *draft, const struct strlist *list,
		   const char *sentence)
{
	char *line = str_printf("%s:%s", draft->path, sentence);
	bool found = strlist_has(list, line);

	if (!found) {
		print_error("expected: %s\n", line);
		for (size_t i = 0; i < list->n; i++)
			print_error("     got: %s\n", list->items[i]);
	}
	free(line);
	assert_true(found);
}

void draft_expect_error(const struct draft *draft, const char *sentence)
{
	expect(draft, &draft->report.errors, sentence);
}

void draft_expect_warning(const struct draft *draft, const char *sentence)
{
	expect(draft, &draft->report.warnings, sentence);
}

void expect_error(const char *yaml, const char *sentence)
{
	struct draft draft;

	draft_open(&draft);
	draft_load(&draft, yaml);
	draft_expect_error(&draft, sentence);
	draft_close(&draft);
}

void expect_one_error(const char *yaml, const char *sentence)
{
	struct draft draft;

	draft_open(&draft);
	draft_load(&draft, yaml);
	draft_expect_error(&draft, sentence);
	assert_int_equal(draft.report.errors.n, 1);
	draft_close(&draft);
}

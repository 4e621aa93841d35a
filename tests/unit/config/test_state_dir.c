#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "config/system.h"
#include "tests/unit/config/draft.h"

/* The state directory that a file of this text names. */
static void names(const char *text, unsigned mode, const char *expected)
{
	struct draft draft;
	char *found;

	draft_open(&draft);
	draft_file(&draft, "certrenewd.yaml", mode, text);
	found = config_state_dir_named(draft.path);
	assert_string_equal(found, expected);
	free(found);
	draft_close(&draft);
}

static void names_the_usual(const char *text, unsigned mode)
{
	char *usual = system_default_state_dir();

	names(text, mode, usual);
	free(usual);
}

static void a_file_with_any_mistake_still_names_it(void **state)
{
	(void)state;
	names("state_dir: /srv/a\nisuers: {}\n", 0600, "/srv/a");
	names("isuers: {}\nstate_dir: \"/srv//a/\"  # here\n", 0600, "/srv/a");
	names("{\"certifcates\": 1, \"state_dir\": \"/srv/a\"}", 0600, "/srv/a");
	names("  x: 1\n  state_dir: /srv/a\n", 0600, "/srv/a");
	names("issuers:\n  state_dir: /srv/b\nstate_dir: /srv/a\n", 0600, "/srv/a");
}

static void where_it_is_no_yaml_the_line_counts(void **state)
{
	(void)state;
	names("issuers: [\nstate_dir: /srv/a\n", 0600, "/srv/a");
	names("issuers: [\r\nstate_dir: '/srv/a b' # x\r\n", 0600, "/srv/a b");
	names("state_dir: /srv/a \t # x\nx: {", 0600, "/srv/a");
	names("x: [\nstate_dir: relative\nstate_dir: /srv/a\n", 0600, "/srv/a");
}

static void one_that_names_none_means_the_usual_one(void **state)
{
	(void)state;
	names_the_usual("", 0600);
	names_the_usual("isuers: {}\n", 0600);
	names_the_usual("issuers: [\n  state_dir: /srv/b\n", 0600);
	names_the_usual("state_dir: relative\n", 0600);
	names_the_usual("state_dir: {path: /srv/a}\n", 0600);
	names_the_usual("state_dir: [\n", 0600);
}

static void one_that_others_may_write_to_is_not_believed(void **state)
{
	(void)state;
	names_the_usual("state_dir: /srv/a\n", 0666);
}

static void one_that_is_not_there_means_the_usual_one(void **state)
{
	char *usual = system_default_state_dir();
	char *found = config_state_dir_named("/nonexistent/certrenewd.yaml");

	(void)state;
	assert_string_equal(found, usual);
	free(found);
	free(usual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_with_any_mistake_still_names_it),
		cmocka_unit_test(where_it_is_no_yaml_the_line_counts),
		cmocka_unit_test(one_that_names_none_means_the_usual_one),
		cmocka_unit_test(one_that_others_may_write_to_is_not_believed),
		cmocka_unit_test(one_that_is_not_there_means_the_usual_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How a command line is taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/options.h"

static struct options options;
static struct err err;

static int parse(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return options_parse(argc, argv, &options, &err);
}

static void options_may_stand_anywhere(void **state)
{
	char *argv[] = { "certrenewd", "renew",  "--force", "xu",
			 "--config",   "a.yaml", "shop",    NULL };

	(void)state;
	assert_int_equal(parse(argv), 0);
	assert_string_equal(options.command, "renew");
	assert_int_equal(options.n_args, 2);
	assert_string_equal(options.args[0], "xu");
	assert_string_equal(options.args[1], "shop");
	assert_string_equal(options.config, "a.yaml");
	assert_true(options.force);
	assert_false(options.json);
}

static void without_a_config_the_usual_place_counts(void **state)
{
	char *argv[] = { "certrenewd", "status", NULL };

	(void)state;
	assert_int_equal(parse(argv), 0);
	assert_null(options.config);
}

static void an_unknown_option_is_named(void **state)
{
	char *argv[] = { "certrenewd", "status", "--jsno", NULL };

	(void)state;
	assert_int_equal(parse(argv), -1);
	assert_non_null(strstr(err.text, "unknown option '--jsno'"));
}

static void config_without_a_file_is_refused(void **state)
{
	char *argv[] = { "certrenewd", "status", "--config", NULL };

	(void)state;
	assert_int_equal(parse(argv), -1);
	assert_string_equal(err.text, "--config needs a file");
}

static void behind_two_dashes_everything_is_a_word(void **state)
{
	char *argv[] = { "certrenewd", "renew", "--", "--force", NULL };

	(void)state;
	assert_int_equal(parse(argv), 0);
	assert_false(options.force);
	assert_string_equal(options.args[0], "--force");
}

static void no_command_is_no_command(void **state)
{
	char *argv[] = { "certrenewd", "--help", NULL };

	(void)state;
	assert_int_equal(parse(argv), 0);
	assert_null(options.command);
	assert_true(options.help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(without_a_config_the_usual_place_counts),
		cmocka_unit_test(an_unknown_option_is_named),
		cmocka_unit_test(config_without_a_file_is_refused),
		cmocka_unit_test(behind_two_dashes_everything_is_a_word),
		cmocka_unit_test(no_command_is_no_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

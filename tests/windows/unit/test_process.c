#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/process.h"
#include "tests/windows/unit/tempdir.h"

/* An error for which libuv has no word; an operator looks it up by its number. */
static void what_the_system_does_not_start_is_said_with_its_number_and_words(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "no program.exe");
	const char *const argv[] = { path, NULL };
	const struct process_spec spec = { .argv = argv, .timeout_s = 5 };
	struct process_result result;
	struct err err = { 0 };

	(void)state;
	put(path, "this is no program");
	assert_int_equal(process_run(&spec, &result, &err), -1);
	assert_says(&err, "cannot start '");
	assert_says(&err, "no program.exe': ");
	assert_says(&err, "(error 193)");
	free(path);
	tempdir_free(dir);
}

static void one_that_is_not_there_is_the_operators_business(void **state)
{
	const char *const argv[] = { "C:\\no\\such\\program.exe", NULL };
	const struct process_spec spec = { .argv = argv, .timeout_s = 5 };
	struct process_result result;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(process_run(&spec, &result, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "cannot start 'C:\\no\\such\\program.exe': no such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_the_system_does_not_start_is_said_with_its_number_and_words),
		cmocka_unit_test(one_that_is_not_there_is_the_operators_business),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

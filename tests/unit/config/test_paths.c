/* One spelling for one path, on systems whose paths begin with '/'. Windows's are in
 * tests/windows/unit/test_config.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "config/values.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char *convert(value_converter *converter, const char *text)
{
	const struct value_context context = { arena, "/etc/certrenewd" };
	const char *why = NULL;

	return converter(&context, text, &why);
}

static void a_relative_path_begins_in_the_files_folder(void **state)
{
	(void)state;
	assert_string_equal(convert(value_path, "root.pem"), "/etc/certrenewd/root.pem");
	assert_string_equal(convert(value_path, "./ca//root.pem"),
			    "/etc/certrenewd/ca/root.pem");
	assert_string_equal(convert(value_path, "/a/root.pem"), "/a/root.pem");
	assert_null(convert(value_path, ""));
}

static void one_path_has_one_spelling(void **state)
{
	(void)state;
	assert_string_equal(convert(value_absolute, "/srv//a/./b/"), "/srv/a/b");
	assert_string_equal(convert(value_absolute, "/"), "/");
	assert_string_equal(convert(value_absolute, "/.hidden/..x"), "/.hidden/..x");
}

int main(void)
{
	const struct CMUnitTest paths[] = {
		cmocka_unit_test(a_relative_path_begins_in_the_files_folder),
		cmocka_unit_test(one_path_has_one_spelling),
	};
	return cmocka_run_group_tests(paths, setup, teardown);
}

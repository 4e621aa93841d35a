#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/files.h"

static void joins(const char *folder, const char *name, const char *expected)
{
	char *path = path_join(folder, name);

	assert_string_equal(path, expected);
	free(path);
}

static void has_parent(const char *path, const char *expected)
{
	char *parent = path_parent(path);

	assert_string_equal(parent, expected);
	free(parent);
}

static void names_are_joined_with_one_slash(void **state)
{
	(void)state;
	joins("/etc", "a", "/etc/a");
	joins("/etc/", "a", "/etc/a");
	joins("/", "a", "/a");
	joins("a", "b/c", "a/b/c");
	joins("", "a", "a");
}

static void an_absolute_name_wins(void **state)
{
	(void)state;
	joins("/etc", "/usr/a", "/usr/a");
	assert_true(path_is_absolute("/a"));
	assert_false(path_is_absolute("a/b"));
	assert_false(path_is_absolute(""));
}

static void parents_end_in_the_root_or_here(void **state)
{
	(void)state;
	has_parent("/a/b/c", "/a/b");
	has_parent("/a/b/", "/a");
	has_parent("/a//b", "/a");
	has_parent("/a", "/");
	has_parent("/", "/");
	has_parent("//", "/");
	has_parent("a/b", "a");
	has_parent("a", ".");
	has_parent("", ".");
}

static void the_base_is_what_follows_the_last_slash(void **state)
{
	(void)state;
	assert_string_equal(path_base("/a/tls.json"), "tls.json");
	assert_string_equal(path_base("tls.json"), "tls.json");
	assert_string_equal(path_base("/a/"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_joined_with_one_slash),
		cmocka_unit_test(an_absolute_name_wins),
		cmocka_unit_test(parents_end_in_the_root_or_here),
		cmocka_unit_test(the_base_is_what_follows_the_last_slash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

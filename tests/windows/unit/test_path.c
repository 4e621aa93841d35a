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

static void names_are_joined_with_one_backslash(void **state)
{
	(void)state;
	joins("C:\\x", "a", "C:\\x\\a");
	joins("C:\\", "a", "C:\\a");
	joins("C:/x/", "a/b", "C:\\x\\a\\b");
	joins("a", "b", "a\\b");
	joins("", "a", "a");
	joins("\\\\server\\share", "a", "\\\\server\\share\\a");
}

static void an_absolute_name_names_its_volume_and_wins(void **state)
{
	(void)state;
	joins("C:\\x", "D:\\a", "D:\\a");
	joins("C:\\x", "\\\\server\\share\\a", "\\\\server\\share\\a");
	assert_true(path_is_absolute("C:\\x"));
	assert_true(path_is_absolute("c:/x"));
	assert_true(path_is_absolute("//server/share"));
	assert_true(path_is_absolute("\\\\?\\C:\\x"));
	assert_false(path_is_absolute("C:x"));
	assert_false(path_is_absolute("C:"));
	assert_false(path_is_absolute("\\x"));
	assert_false(path_is_absolute("x\\y"));
	assert_false(path_is_absolute(""));
}

static void parents_end_in_the_volume_or_here(void **state)
{
	(void)state;
	has_parent("C:\\a\\b", "C:\\a");
	has_parent("C:\\a\\b\\", "C:\\a");
	has_parent("C:/a", "C:/");
	has_parent("C:\\", "C:\\");
	has_parent("\\\\server\\share\\a", "\\\\server\\share\\");
	has_parent("\\\\server\\share\\", "\\\\server\\share\\");
	has_parent("\\\\server\\share", "\\\\server\\share");
	has_parent("\\\\?\\C:\\a", "\\\\?\\C:\\");
	has_parent("\\\\?\\UNC\\server\\share\\a\\b", "\\\\?\\UNC\\server\\share\\a");
	has_parent("\\\\?\\UNC\\server\\share\\a", "\\\\?\\UNC\\server\\share\\");
	has_parent("a\\b", "a");
	has_parent("a", ".");
}

static void the_base_is_what_follows_the_last_separator(void **state)
{
	(void)state;
	assert_string_equal(path_base("C:\\a\\tls.json"), "tls.json");
	assert_string_equal(path_base("C:\\a/tls.json"), "tls.json");
	assert_string_equal(path_base("tls.json"), "tls.json");
	assert_string_equal(path_base("C:\\"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_joined_with_one_backslash),
		cmocka_unit_test(an_absolute_name_names_its_volume_and_wins),
		cmocka_unit_test(parents_end_in_the_volume_or_here),
		cmocka_unit_test(the_base_is_what_follows_the_last_separator),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

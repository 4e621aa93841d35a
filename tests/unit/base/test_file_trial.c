#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "tempdir.h"

static void assert_only(const char *dir, const char *name)
{
	struct strlist names = { 0 };
	struct err err;

	assert_int_equal(dir_list(dir, &names, &err), 0);
	assert_int_equal(names.n, name ? 1 : 0);
	if (name)
		assert_string_equal(names.items[0], name);
	strlist_clear(&names);
}

static void a_file_is_left_as_it_is_and_nothing_beside_it(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "tls.json");
	struct file_facts before, after;
	struct err err;

	(void)state;
	put(path, "{}", 0644);
	assert_int_equal(file_inspect(path, &before, &err), 0);
	assert_int_equal(file_try_beside(path, &err), 0);
	assert_int_equal(file_inspect(path, &after, &err), 0);
	assert_memory_equal(&before.mode, &after.mode, sizeof(before.mode));
	assert_int_equal(before.modified_at, after.modified_at);
	assert_only(dir, "tls.json");
	free(path);
	tempdir_free(dir);
}

static void what_an_interrupted_trial_left_goes_with_the_next(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "tls.json");
	char *first = path_join(dir, "tls.json.certrenewd-trial");
	char *second = path_join(dir, "tls.json.certrenewd-trial-2");
	struct err err;

	(void)state;
	put(first, "x", 0600);
	put(second, "x", 0600);
	assert_int_equal(file_try_beside(path, &err), 0);
	assert_only(dir, NULL);
	free(second);
	free(first);
	free(path);
	tempdir_free(dir);
}

static void a_missing_folder_is_not_made(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "config/tls/tls.json");
	struct err err;

	(void)state;
	assert_int_equal(file_try_beside(path, &err), 0);
	assert_only(dir, NULL);
	free(path);
	tempdir_free(dir);
}

static void what_stands_in_the_way_is_named(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "tls.json");
	char *way = path_join(dir, "tls.json.certrenewd-trial");
	struct err err;

	(void)state;
	assert_int_equal(dir_make(way, FILE_SECRET, &err), 0);
	assert_int_equal(file_try_beside(path, &err), -1);
	assert_non_null(strstr(err.text, "tls.json.certrenewd-trial"));
	free(way);
	free(path);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_left_as_it_is_and_nothing_beside_it),
		cmocka_unit_test(what_an_interrupted_trial_left_goes_with_the_next),
		cmocka_unit_test(a_missing_folder_is_not_made),
		cmocka_unit_test(what_stands_in_the_way_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

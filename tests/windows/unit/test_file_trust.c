#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/windows/unit/tempdir.h"

static char *dir;

static int set_up(void **state)
{
	(void)state;
	dir = tempdir_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_free(dir);
	return 0;
}

static void open_to(const char *path, const char *account)
{
	struct err err;

	must(file_set_access(path, NULL, account, 0660, &err), &err);
}

static void a_file_in_folders_of_ours_is_trusted(void **state)
{
	char *path = path_join(dir, "certrenewd.yaml"), *real = NULL;
	struct err err;

	(void)state;
	must(file_replace(path, "x", 1, FILE_SECRET, &err), &err);
	must(file_check_trusted(path, &err), &err);
	must(file_check_trusted(dir, &err), &err);
	must(file_check_secret(path, &err), &err);
	must(file_resolve_trusted(path, &real, &err), &err);
	assert_string_equal(real, path);
	free(real);
	free(path);
}

static void a_file_that_everyone_may_write_is_refused_by_name(void **state)
{
	char *path = path_join(dir, "certrenewd.yaml");
	struct err err = { 0 };

	(void)state;
	must(file_replace(path, "x", 1, FILE_SECRET, &err), &err);
	open_to(path, "Everyone");
	assert_int_equal(file_check_trusted(path, &err), -1);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_says(&err, path);
	assert_says(&err, "Everyone");
	assert_int_equal(file_check_secret(path, &err), -1);
	assert_int_equal(err.kind, ERR_DENIED);
	free(path);
}

static void a_file_in_a_folder_that_everyone_may_change_is_refused(void **state)
{
	char *folder = path_join(dir, "open"), *path = path_join(folder, "key.pem");
	struct err err = { 0 };

	(void)state;
	must(dir_make(folder, FILE_SECRET, &err), &err);
	must(file_replace(path, "x", 1, FILE_SECRET, &err), &err);
	open_to(folder, "Everyone");
	assert_int_equal(file_check_trusted(path, &err), -1);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_says(&err, "Everyone");
	free(path);
	free(folder);
}

static void a_replaced_file_keeps_who_may_use_it(void **state)
{
	char *path = path_join(dir, "tls.json");
	struct err err = { 0 };

	(void)state;
	must(file_replace(path, "old", 3, FILE_SECRET, &err), &err);
	open_to(path, "Everyone");
	must(file_replace_keeping(path, "new", 3, FILE_SECRET, &err), &err);
	assert_holds(path, "new");
	assert_int_equal(file_check_secret(path, &err), -1);
	must(file_set_access(path, NULL, NULL, 0600, &err), &err);
	must(file_check_secret(path, &err), &err);
	must(file_replace_keeping(path, "newer", 5, FILE_PUBLIC, &err), &err);
	must(file_check_secret(path, &err), &err);
	assert_int_equal(file_set_access(path, "no such account", NULL, 0600, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	free(path);
}

static void dots_and_forward_slashes_are_resolved(void **state)
{
	char *given = str_printf("%s/a/../certrenewd.yaml", dir), *real = NULL;
	char *expected = path_join(dir, "certrenewd.yaml");
	struct err err;

	(void)state;
	must(file_resolve_trusted(given, &real, &err), &err);
	assert_string_equal(real, expected);
	free(real);
	free(expected);
	free(given);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_file_in_folders_of_ours_is_trusted),
		CASE(a_file_that_everyone_may_write_is_refused_by_name),
		CASE(a_file_in_a_folder_that_everyone_may_change_is_refused),
		CASE(a_replaced_file_keeps_who_may_use_it),
		CASE(dots_and_forward_slashes_are_resolved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

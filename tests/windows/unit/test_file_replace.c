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

static char *in(const char *name)
{
	return path_join(dir, name);
}

static void a_file_is_replaced_whole_and_nothing_is_left_beside(void **state)
{
	char *path = in("key"), *leftover = in("key.certrenewd-new");
	struct err err;

	(void)state;
	put(leftover, "half a k");
	must(file_replace(path, "old", 3, FILE_SECRET, &err), &err);
	must(file_replace(path, "new!", 4, FILE_SECRET, &err), &err);
	assert_holds(path, "new!");
	must(file_check_secret(path, &err), &err);
	must(file_replace_keeping(path, "kept", 4, FILE_SECRET, &err), &err);
	assert_holds(path, "kept");
	folder_holds(dir, "key");
	free(path);
	free(leftover);
}

static void a_read_only_file_is_replaced_and_stays_read_only(void **state)
{
	char *path = in("tls.json");
	wchar_t *wide = wide_path(path);
	struct err err;

	(void)state;
	put(path, "old");
	assert_true(SetFileAttributesW(wide, FILE_ATTRIBUTE_READONLY));
	must(file_replace_keeping(path, "new", 3, FILE_PUBLIC, &err), &err);
	assert_holds(path, "new");
	assert_true(GetFileAttributesW(wide) & FILE_ATTRIBUTE_READONLY);
	must(file_remove(path, &err), &err);
	folder_holds(dir, "");
	free(wide);
	free(path);
}

struct holder {
	HANDLE file;
	DWORD for_ms;
};

static DWORD WINAPI let_go(void *holder)
{
	struct holder *h = holder;

	Sleep(h->for_ms);
	CloseHandle(h->file);
	return 0;
}

static void a_reader_is_waited_for(void **state)
{
	char *path = in("tls.json");
	wchar_t *wide = wide_path(path);
	struct holder holder = { .for_ms = 700 };
	HANDLE thread;
	struct err err;

	(void)state;
	put(path, "old");
	holder.file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL,
				  OPEN_EXISTING, 0, NULL);
	assert_ptr_not_equal(holder.file, INVALID_HANDLE_VALUE);
	thread = CreateThread(NULL, 0, let_go, &holder, 0, NULL);
	assert_non_null(thread);
	must(file_replace_keeping(path, "new", 3, FILE_PUBLIC, &err), &err);
	assert_int_equal(WaitForSingleObject(thread, 5000), WAIT_OBJECT_0);
	CloseHandle(thread);
	assert_holds(path, "new");
	folder_holds(dir, "tls.json");
	free(wide);
	free(path);
}

static void who_never_lets_go_is_reported_and_the_old_bytes_stay(void **state)
{
	char *path = in("tls.json");
	wchar_t *wide = wide_path(path);
	struct err err = { 0 };
	HANDLE file;

	(void)state;
	put(path, "old");
	file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0,
			   NULL);
	assert_ptr_not_equal(file, INVALID_HANDLE_VALUE);
	assert_int_equal(file_check_replaceable(path, &err), -1);
	assert_says(&err, "holds it open");
	assert_int_equal(file_replace(path, "new", 3, FILE_PUBLIC, &err), -1);
	assert_says(&err, "another program holds it open");
	CloseHandle(file);
	assert_holds(path, "old");
	must(file_check_replaceable(path, &err), &err);
	folder_holds(dir, "tls.json");
	free(wide);
	free(path);
}

static void a_folder_is_not_replaced_and_missing_ones_are_made(void **state)
{
	char *path = in("config\\servers\\tls.json"), *folder = in("config");
	struct err err = { 0 };

	(void)state;
	must(file_check_replaceable(path, &err), &err);
	folder_holds(dir, "");
	must(file_replace_keeping(path, "{}", 2, FILE_PUBLIC, &err), &err);
	assert_holds(path, "{}");
	assert_int_equal(file_replace_keeping(folder, "x", 1, FILE_PUBLIC, &err), -1);
	assert_says(&err, "is a folder, not a file");
	assert_int_equal(file_replace(folder, "x", 1, FILE_PUBLIC, &err), -1);
	assert_int_equal(file_remove(folder, &err), -1);
	folder_holds(dir, "config");
	free(folder);
	free(path);
}

static void a_path_longer_than_260_characters_is_one_like_any_other(void **state)
{
	char *path = str_dup(dir), *longer;
	struct err err;
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		longer = path_join(path, "a folder with quite a long name, one of many");
		free(path);
		path = longer;
	}
	longer = path_join(path, "tls.json");
	must(file_replace_keeping(longer, "{}", 2, FILE_PUBLIC, &err), &err);
	assert_holds(longer, "{}");
	free(longer);
	free(path);
}

static void patterns_and_endings_are_found_in_either_case(void **state)
{
	char *config = in("config\\Servers"), *file = in("config\\Servers\\TLS.json");
	char *pattern = in("CONFIG\\server*\\*.JSON");
	struct strlist found = { 0 };
	struct err err;

	(void)state;
	must(dir_make(config, FILE_PUBLIC, &err), &err);
	put(file, "{}");
	must(dir_glob(pattern, &found, &err), &err);
	assert_int_equal(found.n, 1);
	assert_true(str_ends(found.items[0], "\\Servers\\TLS.json"));
	strlist_clear(&found);
	must(dir_find(dir, ".JSON", &found, &err), &err);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.items[0], file);
	strlist_clear(&found);
	free(config);
	free(file);
	free(pattern);
}

static void renaming_replaces_and_removing_is_idempotent(void **state)
{
	char *a = in("a"), *b = in("b"), *none = in("none");
	struct file_facts facts;
	struct err err = { 0 };

	(void)state;
	put(a, "a");
	put(b, "b");
	must(file_rename(a, b, &err), &err);
	assert_holds(b, "a");
	assert_int_equal(file_rename(none, b, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	must(file_inspect(b, &facts, &err), &err);
	assert_int_equal(facts.type, FILE_REGULAR);
	assert_int_equal(facts.size_bytes, 1);
	assert_true(facts.modified_at > INT64_C(1767225600));
	assert_true(*facts.owner);
	must(file_remove(b, &err), &err);
	must(file_remove(b, &err), &err);
	must(file_inspect(b, &facts, &err), &err);
	assert_int_equal(facts.type, FILE_ABSENT);
	folder_holds(dir, "");
	free(a);
	free(b);
	free(none);
}

static void a_lock_has_one_holder_who_is_named(void **state)
{
	char *path = in("lock"), *expected;
	struct file_lock *lock = NULL, *second = NULL;
	struct err err = { 0 };

	(void)state;
	must(file_lock_take(path, &lock, &err), &err);
	assert_int_equal(file_lock_take(path, &second, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	expected = str_printf("held by process %lu",
			      (unsigned long)GetCurrentProcessId());
	assert_says(&err, expected);
	file_lock_release(lock);
	must(file_lock_take(path, &second, &err), &err);
	file_lock_release(second);
	free(expected);
	free(path);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_file_is_replaced_whole_and_nothing_is_left_beside),
		CASE(a_read_only_file_is_replaced_and_stays_read_only),
		CASE(a_reader_is_waited_for),
		CASE(who_never_lets_go_is_reported_and_the_old_bytes_stay),
		CASE(a_folder_is_not_replaced_and_missing_ones_are_made),
		CASE(a_path_longer_than_260_characters_is_one_like_any_other),
		CASE(patterns_and_endings_are_found_in_either_case),
		CASE(renaming_replaces_and_removing_is_idempotent),
		CASE(a_lock_has_one_holder_who_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/state_file.h"
#include "tests/unit/base/tempdir.h"

static void what_a_writer_left_that_died_is_swept(void **state)
{
	char *dir = tempdir_new(), *whole = path_join(dir, "x.json");
	char *half = path_join(dir, "x.json.certrenewd-new");
	struct strlist names = { 0 };
	struct err err = { 0 };

	(void)state;
	put(whole, "{}", 0600);
	put(half, "{\"a\"", 0600);
	assert_int_equal(state_file_sweep(dir, &err), 0);
	assert_int_equal(dir_list(dir, &names, &err), 0);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.items[0], "x.json");
	strlist_clear(&names);
	free(half);
	half = path_join(dir, "not-there");
	assert_int_equal(state_file_sweep(half, &err), 0);
	free(half);
	free(whole);
	tempdir_free(dir);
}

static void a_sound_file_is_read(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "x.json");
	cJSON *json = NULL;
	struct err err = { 0 };

	(void)state;
	put(path, "{\"a\": 1}", 0600);
	assert_int_equal(state_file_read(path, 100, &json, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(json_int(json, "a", 0), 1);
	cJSON_Delete(json);
	free(path);
	tempdir_free(dir);
}

static void a_missing_file_is_nothing_to_read(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "x.json");
	cJSON *json = (cJSON *)&json;
	struct err err = { .kind = ERR_IO };

	(void)state;
	assert_int_equal(state_file_read(path, 100, &json, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(err.text, "");
	assert_null(json);
	free(path);
	tempdir_free(dir);
}

static void damage_is_set_aside_with_its_bytes(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "x.json"), *aside;
	struct strlist names = { 0 };
	cJSON *json = NULL;
	struct err err = { 0 };

	(void)state;
	put(path, "{\"a\": ", 0600);
	assert_int_equal(state_file_read(path, 100, &json, &err), 0);
	assert_null(json);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "damaged: '");
	assert_int_equal(dir_list(dir, &names, &err), 0);
	assert_int_equal(names.n, 1);
	assert_true(str_starts(names.items[0], "x.json.damaged-2"));
	aside = path_join(dir, names.items[0]);
	assert_holds(aside, "{\"a\": ");
	free(aside);
	strlist_clear(&names);
	free(path);
	tempdir_free(dir);
}

static void a_folder_in_its_place_is_set_aside_too(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "x.json");
	cJSON *json = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(dir_make(path, FILE_SECRET, &err), 0);
	assert_int_equal(state_file_read(path, 100, &json, &err), 0);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
	tempdir_free(dir);
}

/* Takes in "a", and then wants it to be small. */
static int small_number(const cJSON *file, void *ret)
{
	*(int64_t *)ret = json_int(file, "a", 99);
	return *(int64_t *)ret < 10 ? 0 : -1;
}

static void back_to_zero(void *ret)
{
	*(int64_t *)ret = 0;
}

static void members_that_are_not_ours_are_damage_and_leave_nothing_taken_in(void **state)
{
	static const struct state_reader reader = { 100, "a small number", small_number,
						    back_to_zero };
	char *dir = tempdir_new(), *path = path_join(dir, "x.json");
	struct err err = { .kind = ERR_IO };
	int64_t number = 5;

	(void)state;
	assert_int_equal(state_file_load(path, &reader, &number, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(number, 5); /* there is no file */
	put(path, "{\"a\": 7}", 0600);
	assert_int_equal(state_file_load(path, &reader, &number, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(number, 7);
	put(path, "{\"a\": 11}", 0600);
	assert_int_equal(state_file_load(path, &reader, &number, &err), 0);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "x.json': not a small number: set aside as '");
	assert_int_equal(number, 0);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
	tempdir_free(dir);
}

/* Runs without rights in a folder of root's. */
static const char *cannot_set_aside(const char *dir)
{
	char *path = path_join(dir, "x.json");
	cJSON *json = NULL;
	struct err err = { 0 };

	if (!state_file_read(path, 100, &json, &err))
		return "a damaged file was set aside where nothing may be written";
	if (!strstr(err.text, "damaged: '") || !strstr(err.text, "set aside"))
		return "the sentence does not say both";
	free(path);
	return NULL;
}

static void what_cannot_be_set_aside_is_an_error_with_both_reasons(void **state)
{
	char *dir, *path;

	(void)state;
	if (!is_root())
		skip();
	dir = tempdir_new();
	path = path_join(dir, "x.json");
	put(path, "{", 0644);
	as_nobody(cannot_set_aside, dir, dir);
	free(path);
	tempdir_free(dir);
}

/* A file that we may not read says nothing about its contents. */
static const char *unreadable_is_no_damage(const char *dir)
{
	char *path = path_join(dir, "x.json");
	cJSON *json = NULL;
	struct err err = { 0 };

	if (!state_file_read(path, 100, &json, &err) || err.kind != ERR_DENIED)
		return "an unreadable file was not ERR_DENIED";
	free(path);
	return NULL;
}

static void an_unreadable_file_is_no_damage(void **state)
{
	char *dir, *path;

	(void)state;
	if (!is_root())
		skip();
	dir = tempdir_new();
	path = path_join(dir, "x.json");
	put(path, "{}", 0600);
	as_nobody(unreadable_is_no_damage, dir, dir);
	assert_holds(path, "{}");
	free(path);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_writer_left_that_died_is_swept),
		cmocka_unit_test(a_sound_file_is_read),
		cmocka_unit_test(a_missing_file_is_nothing_to_read),
		cmocka_unit_test(damage_is_set_aside_with_its_bytes),
		cmocka_unit_test(a_folder_in_its_place_is_set_aside_too),
		cmocka_unit_test(
			members_that_are_not_ours_are_damage_and_leave_nothing_taken_in),
		cmocka_unit_test(what_cannot_be_set_aside_is_an_error_with_both_reasons),
		cmocka_unit_test(an_unreadable_file_is_no_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

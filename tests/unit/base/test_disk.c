#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/disk.h"
#include "tempdir.h"

static void there_is_room_here(void **state)
{
	char *dir = tempdir_new();
	struct disk_room room;
	struct err err;

	(void)state;
	assert_int_equal(disk_look(dir, &room, &err), 0);
	assert_true(room.bytes > 0);
	assert_true(room.entries > 0);
	tempdir_free(dir);
}

static void what_is_not_there_yet_is_asked_of_the_folder_above(void **state)
{
	char *dir = tempdir_new(), *path = str_printf("%s/a/b/c", dir);
	struct disk_room room;
	struct err err;

	(void)state;
	assert_int_equal(disk_look(path, &room, &err), 0);
	assert_true(room.bytes > 0);
	free(path);
	tempdir_free(dir);
}

static void what_lacks_is_said_with_its_place(void **state)
{
	const struct disk_room bytes = { INT64_MAX, 1 }, entries = { 1, INT64_MAX };
	char *dir = tempdir_new();
	struct disk_room room;
	struct err err;

	(void)state;
	assert_int_equal(disk_check(dir, &(struct disk_room){ 1, 1 }, &err), 0);
	assert_int_equal(disk_check(dir, &bytes, &err), -1);
	assert_non_null(strstr(err.text, "KiB are free for '"));
	assert_non_null(strstr(err.text, dir));
	assert_int_equal(disk_look(dir, &room, &err), 0);
	if (room.entries != DISK_NO_LIMIT) {
		assert_int_equal(disk_check(dir, &entries, &err), -1);
		assert_non_null(strstr(err.text, "more files (inodes)"));
	}
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_room_here),
		cmocka_unit_test(what_is_not_there_yet_is_asked_of_the_folder_above),
		cmocka_unit_test(what_lacks_is_said_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The log in a file that is put aside when it is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log_file.h"
#include "tests/unit/base/tempdir.h"

struct place {
	char *dir, *path;
};

static struct place place_new(void)
{
	struct place place = { .dir = tempdir_new() };

	place.path = path_join(place.dir, "logs/certrenewd.log");
	return place;
}

static void place_clear(struct place *place)
{
	free(place->path);
	tempdir_free(place->dir);
}

static struct log_file *opened(const struct place *place, int64_t max, int64_t keep)
{
	struct log_file *log = NULL;
	struct err err;

	assert_int_equal(log_file_open(place->path, max, keep, &log, &err), 0);
	return log;
}

/* Is FILE.<number> (0: the file itself) there and `text`? NULL: it is not there. */
static void assert_file(const struct place *place, int number, const char *text)
{
	char *path = number ? str_printf("%s.%d", place->path, number)
			    : str_dup(place->path);
	char *found;

	if (!text) {
		assert_int_equal(access(path, F_OK), -1);
	} else {
		found = get(path);
		assert_string_equal(found, text);
		free(found);
	}
	free(path);
}

static void lines_are_added_to_what_is_there(void **state)
{
	struct place place = place_new();
	struct log_file *log = opened(&place, 1000, 2);
	struct stat st;

	(void)state;
	log_file_write(log, "one");
	log_file_close(log);
	log = opened(&place, 1000, 2);
	log_file_write(log, "two");
	assert_file(&place, 0, "one\ntwo\n");
	assert_int_equal(stat(place.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	log_file_close(log);
	place_clear(&place);
}

static void a_full_one_is_put_aside_and_the_oldest_goes(void **state)
{
	struct place place = place_new();
	struct log_file *log = opened(&place, 8, 2);

	(void)state;
	log_file_write(log, "aaa");
	log_file_write(log, "bbb");
	assert_file(&place, 1, NULL);
	log_file_write(log, "ccc");
	assert_file(&place, 0, "ccc\n");
	assert_file(&place, 1, "aaa\nbbb\n");
	log_file_write(log, "a line that is longer than the limit");
	log_file_write(log, "ddd");
	assert_file(&place, 0, "ddd\n");
	assert_file(&place, 1, "a line that is longer than the limit\n");
	assert_file(&place, 2, "ccc\n");
	assert_file(&place, 3, NULL);
	log_file_close(log);
	place_clear(&place);
}

static void none_is_kept_when_none_is_asked_for(void **state)
{
	struct place place = place_new();
	struct log_file *log = opened(&place, 8, 0);

	(void)state;
	log_file_write(log, "aaaaaa");
	log_file_write(log, "bbbbbb");
	assert_file(&place, 0, "bbbbbb\n");
	assert_file(&place, 1, NULL);
	log_file_close(log);
	place_clear(&place);
}

static void the_limit_counts_what_was_there_before(void **state)
{
	struct place place = place_new();
	struct log_file *log = opened(&place, 8, 1);

	(void)state;
	log_file_write(log, "aaaaaa");
	log_file_close(log);
	log = opened(&place, 8, 1);
	log_file_write(log, "bb");
	assert_file(&place, 0, "bb\n");
	assert_file(&place, 1, "aaaaaa\n");
	log_file_close(log);
	place_clear(&place);
}

static void a_link_is_refused(void **state)
{
	struct place place = place_new();
	struct log_file *log = opened(&place, 8, 1);
	struct err err;

	(void)state;
	log_file_close(log);
	assert_int_equal(unlink(place.path), 0);
	assert_int_equal(symlink("elsewhere", place.path), 0);
	assert_int_equal(log_file_open(place.path, 8, 1, &log, &err), -1);
	assert_non_null(strstr(err.text, place.path));
	place_clear(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_added_to_what_is_there),
		cmocka_unit_test(a_full_one_is_put_aside_and_the_oldest_goes),
		cmocka_unit_test(none_is_kept_when_none_is_asked_for),
		cmocka_unit_test(the_limit_counts_what_was_there_before),
		cmocka_unit_test(a_link_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

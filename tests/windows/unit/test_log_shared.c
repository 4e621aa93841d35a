/* The log in a file while somebody reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <windows.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/str.h"
#include "base/windows/wide.h"
#include "daemon/log_file.h"

struct place {
	char *folder, *path, *aside;
};

static struct place place_new(void)
{
	wchar_t temp[MAX_PATH + 1];
	struct place place;
	char *below;

	assert_true(GetTempPathW(MAX_PATH, temp));
	below = utf8_from_wide(temp);
	place.folder = str_printf("%s\\l\xc3\xb6g %lu %lu", below, GetCurrentProcessId(),
				  GetTickCount());
	place.path = path_join(place.folder, "certrenewd.log");
	place.aside = str_printf("%s.1", place.path);
	free(below);
	return place;
}

static void place_clear(struct place *place)
{
	struct err err;

	assert_int_equal(tree_remove(place->folder, &err), 0);
	free(place->folder);
	free(place->path);
	free(place->aside);
}

static HANDLE reader(const struct place *place, DWORD share)
{
	wchar_t *path = wide_path(place->path);
	HANDLE file = CreateFileW(path, GENERIC_READ, share, NULL, OPEN_EXISTING, 0,
				  NULL);

	assert_true(file != INVALID_HANDLE_VALUE);
	free(path);
	return file;
}

static struct log_file *opened(const struct place *place)
{
	struct log_file *log;
	struct err err;

	if (log_file_open(place->path, 64, 2, &log, &err))
		fail_msg("%s", err.text);
	return log;
}

static void assert_file(const char *path, const char *text)
{
	struct buf found;
	struct err err;

	buf_init(&found, 4096);
	assert_int_equal(file_read(path, &found, &err), 0);
	assert_string_equal(buf_str(&found), text);
	buf_release(&found);
}

static bool is_there(const char *path)
{
	struct file_facts facts;
	struct err err;

	assert_int_equal(file_inspect(path, &facts, &err), 0);
	return facts.type == FILE_REGULAR;
}

static const char long_line[] = "a line of 46 letters, so that two are too much";

static void a_reader_that_shares_keeps_what_it_opened(void **state)
{
	struct place place = place_new();
	struct log_file *log = opened(&place);
	char bytes[64] = "";
	HANDLE file;
	DWORD n;

	(void)state;
	log_file_write(log, "first");
	file = reader(&place, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE);
	log_file_write(log, long_line);
	log_file_write(log, long_line);
	assert_true(is_there(place.aside));
	assert_true(ReadFile(file, bytes, 5, &n, NULL));
	assert_string_equal(bytes, "first");
	CloseHandle(file);
	log_file_close(log);
	place_clear(&place);
}

static void one_that_does_not_share_costs_no_line(void **state)
{
	struct place place = place_new();
	struct log_file *log = opened(&place);
	HANDLE file;

	(void)state;
	log_file_write(log, long_line);
	file = reader(&place, FILE_SHARE_READ | FILE_SHARE_WRITE);
	log_file_write(log, long_line);
	assert_false(is_there(place.aside));
	CloseHandle(file);
	log_file_write(log, "last");
	assert_true(is_there(place.aside));
	assert_file(place.path, "last\n");
	log_file_close(log);
	place_clear(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_that_shares_keeps_what_it_opened),
		cmocka_unit_test(one_that_does_not_share_costs_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/str.h"
#include "daemon/rehearsal.h"
#include "daemon/rehearsal_when.h"
#include "tests/unit/base/tempdir.h"

#define NOW INT64_C(1795000000)
#define DAY INT64_C(86400)

static void the_first_one_is_within_a_day(void **state)
{
	(void)state;
	assert_true(rehearsal_next(false, true, NOW, 0.0) > NOW);
	assert_true(rehearsal_next(false, true, NOW, 0.999) <= NOW + DAY);
}

static void a_good_one_is_repeated_after_a_month(void **state)
{
	(void)state;
	assert_int_equal(rehearsal_next(true, true, NOW, 0.0), NOW + 30 * DAY);
	assert_true(rehearsal_next(true, true, NOW, 0.999) >= NOW + 28 * DAY);
	assert_true(rehearsal_next(true, true, NOW, 0.5) !=
		    rehearsal_next(true, true, NOW, 0.1));
}

static void a_failed_one_is_repeated_the_next_day(void **state)
{
	(void)state;
	assert_int_equal(rehearsal_next(true, false, NOW, 0.0), NOW + DAY);
	assert_true(rehearsal_next(true, false, NOW, 0.999) >= NOW + DAY - 7200);
}

static void what_was_written_is_read_again(void **state)
{
	struct rehearsals rehearsals = { 0 }, read = { 0 };
	char *dir = tempdir_new();
	struct rehearsal *one;
	struct err err;

	(void)state;
	one = rehearsal_ensure(&rehearsals, "first");
	one->at = NOW;
	one->next_at = NOW + DAY;
	one->well = one->ordered = true;
	str_copy(one->text, sizeof(one->text), "all is well");
	assert_ptr_equal(rehearsal_ensure(&rehearsals, "first"), one);
	(void)rehearsal_ensure(&rehearsals, "second");
	assert_int_equal(rehearsal_write(dir, &rehearsals, &err), 0);
	assert_int_equal(rehearsal_read(dir, &read, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(read.n, 2);
	one = rehearsal_of(&read, "first");
	assert_non_null(one);
	assert_int_equal(one->at, NOW);
	assert_int_equal(one->next_at, NOW + DAY);
	assert_true(one->well && one->ordered);
	assert_string_equal(one->text, "all is well");
	assert_int_equal(rehearsal_of(&read, "second")->at, 0);
	assert_null(rehearsal_of(&read, "third"));
	rehearsals_clear(&read);
	rehearsals_clear(&rehearsals);
	tempdir_free(dir);
}

static void without_a_file_there_was_none(void **state)
{
	struct rehearsals read = { 0 };
	char *dir = tempdir_new();
	struct err err;

	(void)state;
	assert_int_equal(rehearsal_read(dir, &read, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(read.n, 0);
	tempdir_free(dir);
}

static void a_damaged_file_is_set_aside_and_begun_anew(void **state)
{
	static const char *const damaged[] = {
		"{}",
		"{\"issuers\": {}}",
		"{\"issuers\": [{\"issuer\": \"a\"}]}",
		"{\"issuers\": [{\"issuer\": \"a\", \"text\": \"\", \"at\": -1}]}",
		"{\"issuers\": [{\"issuer\": 1, \"text\": \"\", \"at\": 1}]}",
		"not JSON",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
		struct rehearsals read = { 0 };
		char *dir = tempdir_new(), *path = path_join(dir, "rehearsals.json");
		struct err err;

		assert_int_equal(file_replace(path, damaged[i], strlen(damaged[i]),
					      FILE_SECRET, &err),
				 0);
		assert_int_equal(rehearsal_read(dir, &read, &err), 0);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.text, "set aside"));
		assert_int_equal(read.n, 0);
		free(path);
		tempdir_free(dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_one_is_within_a_day),
		cmocka_unit_test(a_good_one_is_repeated_after_a_month),
		cmocka_unit_test(a_failed_one_is_repeated_the_next_day),
		cmocka_unit_test(what_was_written_is_read_again),
		cmocka_unit_test(without_a_file_there_was_none),
		cmocka_unit_test(a_damaged_file_is_set_aside_and_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

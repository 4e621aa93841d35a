#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
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

static void the_whole_and_the_orders_are_remembered(void **state)
{
	struct rehearsals rehearsals = { 0 }, read = { 0 };
	char *dir = tempdir_new();
	struct rehearsal *one = rehearsal_ensure(&rehearsals, "first");
	struct err err;

	(void)state;
	one->ordered_at = NOW - DAY;
	one->order_not_before = NOW + DAY;
	one->order_failed = true;
	str_copy(one->order_text, sizeof(one->order_text), "rateLimited: later");
	rehearsals.whole = (struct rehearsal_whole){
		.at = NOW,
		.next_at = NOW + 7 * DAY,
		.not_before = NOW + 60,
		.outcome = REHEARSED_FAILED,
		.ordered = true,
		.deployment = true,
		.why = "service xc: the service 'nope' does not exist",
	};
	assert_int_equal(rehearsal_write(dir, &rehearsals, &err), 0);
	assert_int_equal(rehearsal_read(dir, &read, &err), 0);
	assert_int_equal(read.whole.at, NOW);
	assert_int_equal(read.whole.next_at, NOW + 7 * DAY);
	assert_int_equal(read.whole.not_before, NOW + 60);
	assert_int_equal(read.whole.outcome, REHEARSED_FAILED);
	assert_true(read.whole.ordered && read.whole.deployment);
	assert_string_equal(read.whole.why, rehearsals.whole.why);
	one = rehearsal_of(&read, "first");
	assert_int_equal(one->ordered_at, NOW - DAY);
	assert_int_equal(one->order_not_before, NOW + DAY);
	assert_true(one->order_failed);
	assert_string_equal(one->order_text, "rateLimited: later");
	rehearsals_clear(&read);
	rehearsals_clear(&rehearsals);
	tempdir_free(dir);
}

static void a_file_of_before_the_habit_is_read(void **state)
{
	static const char file[] =
		"{\"issuers\": [{\"issuer\": \"a\", \"text\": \"\", \"at\": 1, "
		"\"next_at\": 2, \"well\": true, \"ordered\": false}]}";
	char *dir = tempdir_new(), *path = path_join(dir, "rehearsals.json");
	struct rehearsals read = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(file_replace(path, file, strlen(file), FILE_SECRET, &err), 0);
	assert_int_equal(rehearsal_read(dir, &read, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(read.whole.at, 0);
	assert_int_equal(read.whole.outcome, REHEARSED_NOT);
	assert_int_equal(rehearsal_of(&read, "a")->ordered_at, 0);
	rehearsals_clear(&read);
	free(path);
	tempdir_free(dir);
}

static void assert_sentence(enum rehearsal_outcome outcome, bool ordered, bool deployment,
			    int64_t day_at, const char *expected)
{
	const struct rehearsal_whole whole = {
		.outcome = outcome,
		.ordered = ordered,
		.deployment = deployment,
		.why = "disk: no room",
	};
	char *sentence = rehearsal_sentence(&whole, "xu", day_at, NOW);

	assert_string_equal(sentence, expected);
	free(sentence);
}

static void the_sentence_names_the_day_and_the_reason(void **state)
{
	int64_t day_at, next_year_at;

	(void)state;
	assert_int_equal(clock_parse_rfc3339("2026-12-03T12:00:00Z", &day_at), 0);
	assert_int_equal(clock_parse_rfc3339("2027-01-31T12:00:00Z", &next_year_at), 0);
	assert_sentence(REHEARSED_WELL, true, false, day_at,
			"renewal of 'xu' on 3 December will succeed");
	assert_sentence(REHEARSED_WELL, false, false, next_year_at,
			"renewal of 'xu' on 31 January 2027 will succeed, as far as can "
			"be told without an order on trial");
	assert_sentence(REHEARSED_FAILED, true, false, day_at,
			"renewal of 'xu' on 3 December will fail because disk: no room");
	assert_sentence(REHEARSED_BUT, true, false, day_at,
			"renewal of 'xu' on 3 December will succeed, but disk: no room");
	assert_sentence(REHEARSED_WELL, false, true, day_at,
			"deployment of 'xu' on 3 December will succeed");
	assert_sentence(REHEARSED_WELL, true, false, CLOCK_NEVER,
			"renewal of 'xu' will succeed");
	assert_sentence(REHEARSED_NOT, true, false, day_at,
			"renewal of 'xu' was not rehearsed yet");
}

static void what_it_was_about_is_over_when_that_was_done(void **state)
{
	const struct rehearsal_whole renewal = { .at = NOW };
	const struct rehearsal_whole deployment = { .at = NOW, .deployment = true };

	(void)state;
	assert_false(rehearsal_is_over(&renewal, NOW - DAY, NOW - DAY));
	assert_true(rehearsal_is_over(&renewal, NOW + 1, NOW - DAY));
	assert_false(rehearsal_is_over(&deployment, NOW - 1, NOW - DAY));
	assert_false(rehearsal_is_over(&deployment, NOW - 1, 0));
	assert_true(rehearsal_is_over(&deployment, NOW - 1, NOW + 1));
}

static void one_that_does_not_end_has_failed_and_says_so(void **state)
{
	struct rehearsal_whole late = { 0 }, well = { .outcome = REHEARSED_WELL };
	char *sentence;

	(void)state;
	rehearsal_settle(&late, 10);
	sentence = rehearsal_sentence(&late, "xu", CLOCK_NEVER, NOW);
	assert_string_equal(sentence,
			    "renewal of 'xu' will fail because the rehearsal did not end "
			    "within 10 minutes, which is longer than a renewal should "
			    "take");
	free(sentence);
	rehearsal_settle(&well, 10);
	assert_int_equal(well.outcome, REHEARSED_WELL);
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
		cmocka_unit_test(the_whole_and_the_orders_are_remembered),
		cmocka_unit_test(a_file_of_before_the_habit_is_read),
		cmocka_unit_test(the_sentence_names_the_day_and_the_reason),
		cmocka_unit_test(what_it_was_about_is_over_when_that_was_done),
		cmocka_unit_test(one_that_does_not_end_has_failed_and_says_so),
		cmocka_unit_test(without_a_file_there_was_none),
		cmocka_unit_test(a_damaged_file_is_set_aside_and_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

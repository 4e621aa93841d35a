#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/backoff.h"

#define DAY(n) ((int64_t)(n)*86400)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int64_t next_with(unsigned failures, int64_t lifetime_s, int64_t remaining_s,
			 double random)
{
	struct backoff_facts facts = { failures, lifetime_s, remaining_s, 0 };

	return backoff_next(&facts, random);
}

/* Without jitter, and with time enough. */
static int64_t plain(unsigned failures)
{
	return next_with(failures, DAY(90), DAY(30), 0.5);
}

static void it_begins_at_a_minute_and_doubles_to_a_day(void **state)
{
	static const int64_t expected[] = { 60,   120,  240,   480,   960,  1920,
					    3840, 7680, 15360, 30720, 61440 };

	(void)state;
	for (unsigned i = 0; i < COUNT(expected); i++)
		assert_int_equal(plain(i + 1), expected[i]);
	assert_int_equal(plain(12), DAY(1));
	assert_int_equal(plain(4000000000U), DAY(1));
}

static void jitter_is_a_fifth_to_either_side(void **state)
{
	(void)state;
	assert_int_equal(next_with(1, DAY(90), DAY(30), 0.0), 48);
	assert_int_equal(next_with(1, DAY(90), DAY(30), 0.9999999), 72);
	assert_int_equal(next_with(20, DAY(90), DAY(30), 0.0), 69120);
	assert_int_equal(next_with(20, DAY(90), DAY(30), 0.9999999), 103680);
}

static void short_lifetimes_scale_both_ends(void **state)
{
	static const struct {
		int64_t lifetime_s, first_s, cap_s;
	} rows[] = {
		{ 180, 6, 30 },        { 600, 20, 100 },       { 3600, 60, 600 },
		{ DAY(1), 60, 14400 }, { DAY(6), 60, DAY(1) }, { 10, 1, 1 },
		{ 1, 1, 1 },           { 0, 60, DAY(1) },      { -5, 60, DAY(1) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t long_ago = -1; /* nothing that remains bounds it */

		assert_int_equal(next_with(1, rows[i].lifetime_s, long_ago, 0.5),
				 rows[i].first_s);
		assert_int_equal(next_with(40, rows[i].lifetime_s, long_ago, 0.5),
				 rows[i].cap_s);
	}
}

static void it_is_never_less_than_a_second(void **state)
{
	(void)state;
	for (int64_t lifetime = 0; lifetime < 100; lifetime++)
		for (int64_t remaining = -3; remaining < 100; remaining++)
			assert_true(next_with(1, lifetime, remaining, 0.0) >= 1);
}

static void a_longer_retry_after_of_the_CA_wins_over_everything(void **state)
{
	struct backoff_facts facts = { 1, DAY(90), DAY(30), 3600 };

	(void)state;
	assert_int_equal(backoff_next(&facts, 0.5), 3600);
	facts.remaining_s = 60;
	assert_int_equal(backoff_next(&facts, 0.5), 3600);
	facts.retry_after_s = 5; /* a shorter one does not hurry us */
	facts.remaining_s = DAY(30);
	assert_int_equal(backoff_next(&facts, 0.5), 60);
}

/* How many attempts fit when all of them fail, by the longest delays that jitter allows.
 */
static unsigned attempts(unsigned failures, int64_t lifetime_s, int64_t remaining_s)
{
	unsigned n = 0;

	while (n < 1000) {
		remaining_s -= next_with(failures + n, lifetime_s, remaining_s,
					 0.9999999);
		if (remaining_s < 0)
			break;
		n++;
	}
	return n;
}

static void at_least_six_attempts_fit_for_lifetimes_of_1_to_398_days(void **state)
{
	(void)state;
	for (int days = 1; days <= 398; days++) {
		unsigned wanted = days < 7 ? 3 : 6;

		/* from the moment of renewal on, from late ones, and after many failures
		 */
		for (int part = 2; part <= 24; part++) {
			int64_t remaining_s = DAY(days) / part;

			assert_true(attempts(1, DAY(days), remaining_s) >= wanted);
			assert_true(attempts(30, DAY(days), remaining_s) >= wanted);
		}
	}
}

static void at_least_six_fit_as_long_as_six_hours_remain(void **state)
{
	(void)state;
	for (int64_t remaining_s = 6 * 3600; remaining_s < DAY(40); remaining_s += 997)
		for (unsigned failures = 1; failures < 20; failures++)
			assert_true(attempts(failures, DAY(90), remaining_s) >= 6);
}

static void the_last_hours_are_no_hail_of_attempts(void **state)
{
	(void)state;
	assert_int_equal(next_with(20, DAY(90), 60, 0.5), 3600);
	assert_true(attempts(20, DAY(90), DAY(1)) < 20);
}

static void attempts_left_counts_what_an_alert_can_promise(void **state)
{
	static const struct {
		struct backoff_facts facts;
		unsigned attempts;
	} rows[] = {
		{ { 1, DAY(90), 0, 0 }, 0 },
		{ { 1, DAY(90), -100, 0 }, 0 },
		{ { 1, DAY(90), 59, 0 }, 0 },
		{ { 20, DAY(90), 3600, 0 }, 1 },
		{ { 20, DAY(90), 3599, 0 }, 0 },
		{ { 20, DAY(90), 6 * 3600, 0 }, 6 },
		{ { 1, DAY(398), DAY(200), 0 }, 99 },
		/* 1 min + 2 + 4 + 8 + 16 = 31 min */
		{ { 1, DAY(90), 31 * 60, 0 }, 5 },
		/* Retry-After is about the next attempt only */
		{ { 1, DAY(90), 7200, 7200 }, 1 },
		{ { 1, DAY(90), 7199, 7200 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(backoff_attempts_left(&rows[i].facts), rows[i].attempts);
}

static void attempts_left_only_falls_while_time_runs_out(void **state)
{
	unsigned before = 0;

	(void)state;
	for (int64_t remaining_s = 0; remaining_s < DAY(30); remaining_s += 600) {
		struct backoff_facts facts = { 15, DAY(90), remaining_s, 0 };
		unsigned left = backoff_attempts_left(&facts);

		assert_true(left >= before);
		before = left;
	}
	assert_true(before > 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_begins_at_a_minute_and_doubles_to_a_day),
		cmocka_unit_test(jitter_is_a_fifth_to_either_side),
		cmocka_unit_test(short_lifetimes_scale_both_ends),
		cmocka_unit_test(it_is_never_less_than_a_second),
		cmocka_unit_test(a_longer_retry_after_of_the_CA_wins_over_everything),
		cmocka_unit_test(
			at_least_six_attempts_fit_for_lifetimes_of_1_to_398_days),
		cmocka_unit_test(at_least_six_fit_as_long_as_six_hours_remain),
		cmocka_unit_test(the_last_hours_are_no_hail_of_attempts),
		cmocka_unit_test(attempts_left_counts_what_an_alert_can_promise),
		cmocka_unit_test(attempts_left_only_falls_while_time_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "daemon/breaker.h"

#define HOUR INT64_C(3600)
#define DAY(n) ((int64_t)(n)*86400)
#define NOW DAY(20000)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Between two renewals, for a lifetime with the default renew.at. */
static int64_t interval_of(int days)
{
	return days < 10 ? DAY(days) / 2 : DAY(days) * 2 / 3;
}

/* How many of `wanted` issuances, one a minute, pass before it says no. */
static unsigned pass_in_a_burst(int64_t interval_s, unsigned wanted)
{
	int64_t *issued = mem_calloc(wanted + 1, sizeof(*issued));
	unsigned n = 0;

	while (n < wanted &&
	       breaker_decide(issued, n, interval_s, NOW + n * 60).allowed) {
		issued[n] = NOW + n * 60;
		n++;
	}
	free(issued);
	return n;
}

/* Issues whenever it is allowed to, for 7 days less a second. */
static unsigned pass_in_a_week(int64_t interval_s)
{
	int64_t issued[200], now = NOW;
	unsigned n = 0;

	while (now < NOW + DAY(7) && n < COUNT(issued)) {
		struct breaker_verdict verdict = breaker_decide(issued, n, interval_s,
								now);

		if (verdict.allowed)
			issued[n++] = now;
		else
			assert_true(verdict.retry_at > now);
		now = verdict.allowed ? now + 1 : verdict.retry_at;
	}
	return n;
}

static void the_bounds_fit_the_lifetime(void **state)
{
	static const struct {
		int days;
		unsigned a_day, a_week;
	} rows[] = {
		{ 1, 6, 28 }, { 6, 2, 4 }, { 45, 2, 4 }, { 90, 2, 4 }, { 398, 2, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(pass_in_a_burst(interval_of(rows[i].days), 100),
				 rows[i].a_day);
		assert_int_equal(pass_in_a_week(interval_of(rows[i].days)),
				 rows[i].a_week);
	}
}

static void an_unknown_lifetime_counts_as_a_month_between_renewals(void **state)
{
	(void)state;
	assert_int_equal(pass_in_a_burst(0, 100), 2);
	assert_int_equal(pass_in_a_week(-1), 4);
}

static void planned_renewals_never_meet_it(void **state)
{
	(void)state;
	for (int days = 1; days <= 398; days++) {
		int64_t interval_s = interval_of(days), issued[64];

		for (unsigned n = 0; n < COUNT(issued); n++) {
			int64_t now = NOW + n * interval_s;

			assert_true(breaker_decide(issued, n, interval_s, now).allowed);
			issued[n] = now;
		}
	}
}

static void it_says_which_rule_and_when_it_closes_again(void **state)
{
	int64_t day[] = { NOW - HOUR, NOW - 2 * HOUR };
	int64_t week[] = { NOW - DAY(2), NOW - DAY(6), NOW - DAY(4), NOW - DAY(3) };
	struct breaker_verdict verdict = breaker_decide(day, 2, DAY(60), NOW);

	(void)state;
	assert_false(verdict.allowed);
	assert_string_equal(verdict.text,
			    "2 certificates in 24 h, at most 2 are allowed");
	assert_int_equal(verdict.retry_at, NOW + 22 * HOUR);
	verdict = breaker_decide(week, 4, DAY(60), NOW);
	assert_false(verdict.allowed);
	assert_string_equal(verdict.text, "4 certificates in 7 d, at most 4 are allowed");
	assert_int_equal(verdict.retry_at, NOW + DAY(1));
}

static void the_later_of_two_broken_rules_counts(void **state)
{
	int64_t issued[] = { NOW - 1, NOW - 2, NOW - 3, NOW - 4, NOW - 5 };
	struct breaker_verdict verdict = breaker_decide(issued, 5, DAY(60), NOW);

	(void)state;
	assert_string_equal(verdict.text, "5 certificates in 7 d, at most 4 are allowed");
	assert_int_equal(verdict.retry_at, NOW - 4 + DAY(7));
	assert_true(breaker_decide(issued, 5, DAY(60), verdict.retry_at).allowed);
	assert_false(breaker_decide(issued, 5, DAY(60), verdict.retry_at - 1).allowed);
}

static void instants_from_a_clock_that_was_wrong_do_not_block_for_ever(void **state)
{
	int64_t ahead[] = { NOW + DAY(365), NOW + DAY(366), NOW + DAY(367),
			    NOW + DAY(2) };
	int64_t slightly[] = { NOW + 60, NOW + 120 };

	(void)state;
	assert_true(breaker_decide(ahead, 4, DAY(60), NOW).allowed);
	assert_false(breaker_decide(slightly, 2, DAY(60), NOW).allowed);
}

static void nothing_issued_is_allowed(void **state)
{
	(void)state;
	assert_true(breaker_decide(NULL, 0, DAY(60), NOW).allowed);
	assert_string_equal(breaker_decide(NULL, 0, DAY(60), NOW).text,
			    "within the limits");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bounds_fit_the_lifetime),
		cmocka_unit_test(an_unknown_lifetime_counts_as_a_month_between_renewals),
		cmocka_unit_test(planned_renewals_never_meet_it),
		cmocka_unit_test(it_says_which_rule_and_when_it_closes_again),
		cmocka_unit_test(the_later_of_two_broken_rules_counts),
		cmocka_unit_test(
			instants_from_a_clock_that_was_wrong_do_not_block_for_ever),
		cmocka_unit_test(nothing_issued_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

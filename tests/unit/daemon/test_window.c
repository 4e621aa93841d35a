#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "daemon/window.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define EVERY_DAY 0x7FU
#define SATURDAY 0x20U

static int utc(int64_t at)
{
	(void)at;
	return 0;
}

/* Central Europe, 2026: the clock goes forward on 29 March, back on 25 October, both at
 * 01:00 UTC. */
static int berlin(int64_t at)
{
	const int64_t forward = 1774746000, back = 1792890000;

	return at >= forward && at < back ? 7200 : 3600;
}

static int64_t at(const char *text)
{
	int64_t instant;

	assert_int_equal(clock_parse_rfc3339(text, &instant), 0);
	return instant;
}

static void without_a_window_any_moment_will_do(void **state)
{
	(void)state;
	assert_int_equal(window_next(NULL, 0, 1234, utc), 1234);
}

static void the_next_window_is_waited_for(void **state)
{
	const struct window night = { EVERY_DAY, 22 * 3600, 4 * 3600 };

	(void)state;
	assert_int_equal(window_next(&night, 1, at("2026-11-21T12:00:00Z"), utc),
			 at("2026-11-21T22:00:00Z"));
	assert_int_equal(window_next(&night, 1, at("2026-11-21T12:00:00Z"), berlin),
			 at("2026-11-21T21:00:00Z"));
}

static void an_open_window_is_used_at_once_after_midnight_too(void **state)
{
	const struct window night = { SATURDAY, 22 * 3600, 4 * 3600 };
	int64_t sunday = at("2026-11-22T03:59:59Z");

	(void)state;
	assert_int_equal(window_next(&night, 1, sunday, utc), sunday);
	assert_int_equal(window_next(&night, 1, sunday + 1, utc),
			 at("2026-11-28T22:00:00Z"));
}

static void a_window_of_today_that_is_over_comes_again_in_a_week(void **state)
{
	const struct window noon = { SATURDAY, 12 * 3600, 13 * 3600 };

	(void)state;
	assert_int_equal(window_next(&noon, 1, at("2026-11-21T13:00:00Z"), utc),
			 at("2026-11-28T12:00:00Z"));
}

static void the_earliest_of_several_windows_wins(void **state)
{
	const struct window windows[] = { { SATURDAY, 20 * 3600, 21 * 3600 },
					  { SATURDAY, 18 * 3600, 19 * 3600 } };

	(void)state;
	assert_int_equal(window_next(windows, 2, at("2026-11-21T12:00:00Z"), utc),
			 at("2026-11-21T18:00:00Z"));
}

static void a_window_in_the_hour_that_is_left_out_is_not_lost(void **state)
{
	const struct window gap = { EVERY_DAY, 2 * 3600 + 900, 2 * 3600 + 2700 };
	int64_t begins = window_next(&gap, 1, at("2026-03-29T00:00:00Z"), berlin);

	(void)state;
	assert_in_range(begins, at("2026-03-29T00:15:00Z"), at("2026-03-29T01:45:00Z"));
	assert_int_equal(window_next(&gap, 1, begins + 1799, berlin), begins + 1799);
	assert_int_equal(window_next(&gap, 1, begins + 1800, berlin),
			 at("2026-03-30T00:15:00Z"));
}

static void a_window_over_the_night_of_the_change_lasts_by_the_wall_clock(void **state)
{
	const struct window night = { EVERY_DAY, 22 * 3600, 4 * 3600 };
	int64_t last = at("2026-10-25T02:59:59Z");

	(void)state;
	assert_int_equal(window_next(&night, 1, last, berlin), last);
	assert_int_equal(window_next(&night, 1, last + 1, berlin),
			 at("2026-10-25T21:00:00Z"));
}

static struct window_facts weekly(int64_t served_until, int64_t lifetime_s)
{
	static const struct window noon = { SATURDAY, 12 * 3600, 13 * 3600 };

	return (struct window_facts){ &noon, 1, served_until, lifetime_s, false };
}

static void a_certificate_that_lasts_waits_for_the_window(void **state)
{
	int64_t now = at("2026-11-21T14:00:00Z");
	struct window_facts facts = weekly(now + 20 * DAY, 90 * DAY);
	struct window_verdict verdict = window_decide(&facts, now, utc);

	(void)state;
	assert_int_equal(verdict.at, at("2026-11-28T12:00:00Z"));
	assert_false(verdict.outside);
}

static void one_that_ends_before_the_window_is_replaced_a_day_before(void **state)
{
	int64_t now = at("2026-11-21T14:00:00Z");
	struct window_facts facts = weekly(now + 3 * DAY, 90 * DAY);
	struct window_verdict verdict = window_decide(&facts, now, utc);

	(void)state;
	assert_int_equal(verdict.at, now + 2 * DAY);
	assert_true(verdict.outside);
}

static void of_a_short_life_a_tenth_is_the_margin(void **state)
{
	int64_t now = at("2026-11-21T14:00:00Z");
	struct window_facts facts = weekly(now + 5 * HOUR, 40 * HOUR);
	struct window_verdict verdict = window_decide(&facts, now, utc);

	(void)state;
	assert_int_equal(verdict.at, now + HOUR);
	assert_true(verdict.outside);
}

static void no_moment_is_before_the_one_that_is_asked_for(void **state)
{
	int64_t now = at("2026-11-21T14:00:00Z");
	struct window_facts facts = weekly(now + HOUR, 90 * DAY);

	(void)state;
	assert_int_equal(window_decide(&facts, now, utc).at, now);
	/* Where a try has failed, the end of its back-off is asked for. */
	assert_int_equal(window_decide(&facts, now + 600, utc).at, now + 600);
}

static void what_has_run_out_or_is_plain_http_waits_for_nothing(void **state)
{
	int64_t now = at("2026-11-21T14:00:00Z");
	struct window_facts facts = weekly(now - DAY, 90 * DAY);

	(void)state;
	assert_true(window_decide(&facts, now, utc).at <= now);
	assert_true(window_decide(&facts, now, utc).outside);
	facts = weekly(0, 90 * DAY);
	assert_int_equal(window_decide(&facts, now, utc).at, at("2026-11-28T12:00:00Z"));
	facts.unprotected = true;
	assert_int_equal(window_decide(&facts, now, utc).at, now);
}

int main(void)
{
	const struct CMUnitTest window[] = {
		cmocka_unit_test(without_a_window_any_moment_will_do),
		cmocka_unit_test(no_moment_is_before_the_one_that_is_asked_for),
		cmocka_unit_test(the_next_window_is_waited_for),
		cmocka_unit_test(an_open_window_is_used_at_once_after_midnight_too),
		cmocka_unit_test(a_window_of_today_that_is_over_comes_again_in_a_week),
		cmocka_unit_test(the_earliest_of_several_windows_wins),
		cmocka_unit_test(a_window_in_the_hour_that_is_left_out_is_not_lost),
		cmocka_unit_test(
			a_window_over_the_night_of_the_change_lasts_by_the_wall_clock),
		cmocka_unit_test(a_certificate_that_lasts_waits_for_the_window),
		cmocka_unit_test(
			one_that_ends_before_the_window_is_replaced_a_day_before),
		cmocka_unit_test(of_a_short_life_a_tenth_is_the_margin),
		cmocka_unit_test(what_has_run_out_or_is_plain_http_waits_for_nothing),
	};

	return cmocka_run_group_tests(window, NULL, NULL);
}

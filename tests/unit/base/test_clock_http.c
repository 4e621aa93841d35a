#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"

#define NOW INT64_C(1795231888) /* 2026-11-21T03:31:28Z */
#define YEAR_S (365 * 86400)

static void reads(const char *text, int64_t expected)
{
	int64_t at = 42;

	if (clock_parse_http_date(text, &at))
		fail_msg("'%s' was not read", text);
	if (at != expected)
		fail_msg("'%s' is %lld", text, (long long)at);
}

static void the_three_forms_of_rfc_9110_are_read(void **state)
{
	(void)state;
	reads("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
	reads("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
	reads("Sun Nov  6 08:49:37 1994", 784111777);
	reads("Sat, 21 Nov 2026 03:31:28 GMT", NOW);
	reads("Saturday, 21-Nov-26 03:31:28 GMT", NOW);
	reads("Sat Nov 21 03:31:28 2026", NOW);
}

static void a_wrong_weekday_is_no_reason_to_refuse(void **state)
{
	(void)state;
	reads("Mon, 21 Nov 2026 03:31:28 GMT", NOW);
	reads("Sat, 21 Nov 2026 03:31:28 GMT  ", NOW);
}

static void leap_days_and_leap_seconds_are_read(void **state)
{
	(void)state;
	reads("Thu, 29 Feb 2024 00:00:00 GMT", 1709164800);
	reads("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800);
}

static void two_digit_years_are_1970_to_2069(void **state)
{
	(void)state;
	reads("Thursday, 01-Jan-70 00:00:00 GMT", 0);
	reads("Tuesday, 31-Dec-69 23:59:59 GMT", 3155759999);
}

static void everything_else_is_refused(void **state)
{
	static const char *const garbage[] = {
		"",
		"0",
		"now",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06 Nov 1994 08:49:37 GMT!",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun,06 Nov 1994 08:49:37 GMT",
		"Xyz, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Foo 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 29 Feb 2023 00:00:00 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:49:60 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov  6 08:49:37 94",
		"1994-11-06T08:49:37Z",
	};
	int64_t at = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		if (clock_parse_http_date(garbage[i], &at) != -1)
			fail_msg("'%s' was read", garbage[i]);
	}
	assert_int_equal(at, 42);
}

static void waits(const char *text, int64_t expected)
{
	int64_t seconds = -42;

	assert_int_equal(clock_parse_retry_after(text, NOW, &seconds), 0);
	assert_int_equal(seconds, expected);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
	(void)state;
	waits("0", 0);
	waits("120", 120);
	waits("007", 7);
	waits("120 ", 120);
	waits("Sat, 21 Nov 2026 03:33:28 GMT", 120);
	waits("Saturday, 21-Nov-26 03:33:28 GMT", 120);
}

static void retry_after_is_never_in_the_past_nor_over_a_year(void **state)
{
	(void)state;
	waits("Sun, 06 Nov 1994 08:49:37 GMT", 0);
	waits("Fri, 31 Dec 9999 23:59:59 GMT", YEAR_S);
	waits("31536001", YEAR_S);
	waits("99999999999999999999999999999999", YEAR_S);
}

static void a_retry_after_that_is_neither_is_refused(void **state)
{
	static const char *const garbage[] = { "",     "-5",   "+5", "1.5", "5s",
					       "soon", "0x10", " ",  "5 5", "1e3" };
	int64_t seconds = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		if (clock_parse_retry_after(garbage[i], NOW, &seconds) != -1)
			fail_msg("'%s' was read", garbage[i]);
	}
	assert_int_equal(seconds, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_forms_of_rfc_9110_are_read),
		cmocka_unit_test(a_wrong_weekday_is_no_reason_to_refuse),
		cmocka_unit_test(leap_days_and_leap_seconds_are_read),
		cmocka_unit_test(two_digit_years_are_1970_to_2069),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(retry_after_is_seconds_or_a_date),
		cmocka_unit_test(retry_after_is_never_in_the_past_nor_over_a_year),
		cmocka_unit_test(a_retry_after_that_is_neither_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

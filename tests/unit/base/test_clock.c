#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cancel.h"
#include "base/clock.h"

#define FIRST_AT INT64_C(-62167219200)
#define LAST_AT INT64_C(253402300799)

static void reads(const char *text, int64_t expected)
{
	int64_t at = 42;

	if (clock_parse_rfc3339(text, &at))
		fail_msg("'%s' was not read", text);
	if (at != expected)
		fail_msg("'%s' is %lld", text, (long long)at);
}

static void refuses(const char *text)
{
	int64_t at = 42;

	if (clock_parse_rfc3339(text, &at) != -1)
		fail_msg("'%s' was read as %lld", text, (long long)at);
	assert_int_equal(at, 42);
}

static void rfc_3339_is_read_and_written(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	clock_format_rfc3339(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	clock_format_rfc3339(1795231888, text);
	assert_string_equal(text, "2026-11-21T03:31:28Z");
	reads("2026-11-21T03:31:28Z", 1795231888);
	reads("1970-01-01T00:00:00Z", 0);
	reads("1969-12-31T23:59:59Z", -1);
}

static void fractions_offsets_and_small_letters_are_read(void **state)
{
	(void)state;
	reads("2026-11-21t03:31:28z", 1795231888);
	reads("2026-11-21T03:31:28.5Z", 1795231888);
	reads("2026-11-21T03:31:28.999999999999999999999Z", 1795231888);
	reads("2026-11-21T04:31:28+01:00", 1795231888);
	reads("2026-11-20T22:01:28.1-05:30", 1795231888);
	reads("2026-11-21T03:31:28-00:00", 1795231888);
	reads("2026-11-22T03:30:28+23:59", 1795231888);
}

static void leap_years_have_a_29th_of_february_and_others_do_not(void **state)
{
	(void)state;
	reads("2000-02-29T00:00:00Z", 951782400);
	reads("2024-02-29T12:00:00Z", 1709208000);
	reads("2024-03-01T00:00:00Z", 1709251200);
	refuses("1900-02-29T00:00:00Z");
	refuses("2023-02-29T00:00:00Z");
	refuses("2100-02-29T00:00:00Z");
	refuses("2024-02-30T00:00:00Z");
}

static void a_leap_second_is_the_second_after_it_and_only_at_midnight_utc(void **state)
{
	(void)state;
	reads("1990-12-31T23:59:60Z", 662688000);
	reads("1990-12-31T15:59:60-08:00", 662688000); /* RFC 3339 5.8 */
	refuses("1990-12-31T22:59:60Z");
	refuses("1990-12-31T23:58:60Z");
	refuses("1990-12-31T23:59:60+01:00");
	refuses("1990-12-31T23:59:61Z");
}

static void years_reach_from_0000_to_9999(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	reads("0000-01-01T00:00:00Z", FIRST_AT);
	reads("9999-12-31T23:59:59Z", LAST_AT);
	clock_format_rfc3339(FIRST_AT, text);
	assert_string_equal(text, "0000-01-01T00:00:00Z");
	clock_format_rfc3339(CLOCK_NEVER, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	clock_format_rfc3339(INT64_MIN, text);
	assert_string_equal(text, "0000-01-01T00:00:00Z");
}

static void impossible_dates_and_garbage_are_refused(void **state)
{
	static const char *const garbage[] = {
		"",
		"2026",
		"2026-11-21",
		"2026-11-21T03:31:28",
		"2026-11-21 03:31:28Z",
		"2026-11-21T03:31:28Z ",
		" 2026-11-21T03:31:28Z",
		"2026-11-21T03:31:28ZZ",
		"2026-11-21T03:31:28.Z",
		"2026-11-21T03:31:28,5Z",
		"2026-11-21T03:31Z",
		"2026-11-21T3:31:28Z",
		"2026-00-21T03:31:28Z",
		"2026-13-21T03:31:28Z",
		"2026-11-00T03:31:28Z",
		"2026-11-31T03:31:28Z",
		"2026-11-21T24:00:00Z",
		"2026-11-21T03:60:28Z",
		"2026-11-21T03:31:28+1:00",
		"2026-11-21T03:31:28+0100",
		"2026-11-21T03:31:28+24:00",
		"2026-11-21T03:31:28+01:60",
		"2026-11-21T03:31:28+01:00Z",
		"+2026-11-21T03:31:28Z",
		"-026-11-21T03:31:28Z",
		"20261121T033128Z",
		"12026-11-21T03:31:28Z",
		"2026-11-21T03:31:2\xc2\xb2Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++)
		refuses(garbage[i]);
}

/* The C library walks the same days by other code. */
static void every_eleventh_day_of_800_years_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t at = -12622780800 + 47111; at < 12622780800; at += 11 * 86400) {
		char ours[CLOCK_TEXT_MAX], theirs[CLOCK_TEXT_MAX];
		struct tm tm;
		time_t instant = at;
		int64_t back;

		assert_non_null(gmtime_r(&instant, &tm));
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", &tm);
		clock_format_rfc3339(at, ours);
		assert_string_equal(ours, theirs);
		assert_int_equal(clock_parse_rfc3339(ours, &back), 0);
		assert_int_equal(back, at);
	}
}

static void tls_json_has_its_own_form(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	clock_format_basic(1752765641, text);
	assert_string_equal(text, "20250717T152041.000Z"); /* Theobald's example */
}

static void people_read_utc_and_their_own_time(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	clock_format_people(1795231888, text);
	assert_string_equal(text, "2026-11-21 03:31 UTC");
	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	clock_format_people_local(1795231888, text);
	assert_string_equal(text, "2026-11-21 03:31 UTC (04:31 CET)");
	clock_format_people_local(1784599800, text); /* summer, and tomorrow there */
	assert_string_equal(text, "2026-07-21 02:10 UTC (04:10 CEST)");
	clock_format_people_local(1784590200, text);
	assert_string_equal(text, "2026-07-20 23:30 UTC (2026-07-21 01:30 CEST)");
	setenv("TZ", "UTC", 1);
	clock_format_people_local(1795231888, text);
	assert_string_equal(text, "2026-11-21 03:31 UTC");
	clock_format_people_local(CLOCK_NEVER, text);
	assert_string_equal(text, "never");
}

static void the_local_zone_is_the_one_at_that_instant(void **state)
{
	char name[16];
	int offset_s;

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	clock_local_zone(1795231888, &offset_s, name);
	assert_int_equal(offset_s, 3600);
	assert_string_equal(name, "CET");
	clock_local_zone(1784599800, &offset_s, name);
	assert_int_equal(offset_s, 7200);
	assert_string_equal(name, "CEST");
	setenv("TZ", "UTC", 1);
}

static void lasts(int64_t seconds, const char *expected)
{
	char text[CLOCK_TEXT_MAX];

	clock_format_duration(seconds, text);
	assert_string_equal(text, expected);
}

static void durations_show_their_two_largest_units(void **state)
{
	(void)state;
	lasts(0, "0 s");
	lasts(45, "45 s");
	lasts(60, "1 min");
	lasts(61, "1 min 1 s");
	lasts(-300, "-5 min");
	lasts(3599, "59 min 59 s");
	lasts(3600, "1 h");
	lasts(3659, "1 h");
	lasts(2 * 86400 + 3 * 3600 + 59, "2 d 3 h");
	lasts(86400 + 59 * 60, "1 d");
	lasts(90 * 86400, "90 d");
	lasts(INT64_MIN, "-106751991167300 d 15 h");
}

static void asn1_times_of_both_kinds_are_read(void **state)
{
	static const struct {
		const char *asn1;
		int64_t at;
	} times[] = {
		{ "261121033128Z", 1795231888 },
		{ "20261121033128Z", 1795231888 },
		{ "500101000000Z", -631152000 }, /* 50 to 99 are 19xx (RFC 5280) */
		{ "491231235959Z", 2524607999 },
		{ "99991231235959Z", LAST_AT }, /* RFC 5280 4.1.2.5: no expiry */
	};
	ASN1_TIME *time = ASN1_TIME_new();
	int64_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		assert_true(ASN1_TIME_set_string(time, times[i].asn1));
		assert_int_equal(clock_from_asn1(time, &at), 0);
		assert_int_equal(at, times[i].at);
	}
	ASN1_STRING_set(time, "not a time", -1);
	assert_int_equal(clock_from_asn1(time, &at), -1);
	assert_int_equal(clock_from_asn1(NULL, &at), -1);
	ASN1_TIME_free(time);
}

static void the_monotonic_clock_grows_while_we_sleep(void **state)
{
	int64_t before = clock_mono_ms();

	(void)state;
	assert_int_equal(clock_sleep_ms(30, NULL), 0);
	assert_true(clock_mono_ms() - before >= 30);
	assert_int_equal(clock_sleep_ms(-5, NULL), 0);
	assert_in_range(clock_wall(), 1700000000, 4000000000);
}

static void a_cancelled_sleep_is_no_sleep(void **state)
{
	struct cancel *cancel = cancel_new();
	int64_t before = clock_mono_ms();
	struct err err = { 0 };

	(void)state;
	assert_int_equal(clock_sleep_ms(1, cancel), 0);
	assert_int_equal(cancel_check(cancel, &err), 0);
	cancel_request(cancel);
	assert_int_equal(clock_sleep_ms(600000, cancel), -1);
	assert_true(clock_mono_ms() - before < 60000);
	assert_int_equal(cancel_check(cancel, &err), -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	assert_string_equal(err.text, "stopped on request");
	assert_false(cancel_requested(NULL));
	assert_int_equal(cancel_check(NULL, &err), 0);
	cancel_free(cancel);
	cancel_free(NULL);
}

static void the_boot_has_one_id(void **state)
{
	char a[64], b[64];

	(void)state;
	clock_boot_id(a);
	clock_boot_id(b);
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), 36);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_3339_is_read_and_written),
		cmocka_unit_test(fractions_offsets_and_small_letters_are_read),
		cmocka_unit_test(leap_years_have_a_29th_of_february_and_others_do_not),
		cmocka_unit_test(
			a_leap_second_is_the_second_after_it_and_only_at_midnight_utc),
		cmocka_unit_test(years_reach_from_0000_to_9999),
		cmocka_unit_test(impossible_dates_and_garbage_are_refused),
		cmocka_unit_test(
			every_eleventh_day_of_800_years_agrees_with_the_c_library),
		cmocka_unit_test(tls_json_has_its_own_form),
		cmocka_unit_test(people_read_utc_and_their_own_time),
		cmocka_unit_test(the_local_zone_is_the_one_at_that_instant),
		cmocka_unit_test(durations_show_their_two_largest_units),
		cmocka_unit_test(asn1_times_of_both_kinds_are_read),
		cmocka_unit_test(the_monotonic_clock_grows_while_we_sleep),
		cmocka_unit_test(a_cancelled_sleep_is_no_sleep),
		cmocka_unit_test(the_boot_has_one_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

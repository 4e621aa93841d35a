#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/clock_trust.h"

#define HOUR INT64_C(3600)
#define DAY(n) ((int64_t)(n)*86400)
#define NOW DAY(20000)
#define UP_MS (DAY(3) * 1000) /* the machine has been up for three days */

static struct clock_reading reading(int64_t wall_after_s, int64_t mono_after_s,
				    const char *boot_id)
{
	struct clock_reading now = { .wall = NOW + wall_after_s,
				     .mono_ms = UP_MS + mono_after_s * 1000 };

	snprintf(now.boot_id, sizeof(now.boot_id), "%s", boot_id);
	return now;
}

/* As it is right after a Date that was off by `off_s`. */
static struct clock_trust confirmed_with(int64_t off_s)
{
	struct clock_reading now = reading(0, 0, "boot-1");
	struct clock_trust trust = { 0 };

	clock_trust_observe(&trust, NOW - off_s, UP_MS, &now);
	return trust;
}

static void expect(const struct clock_trust *trust, struct clock_reading now,
		   bool trusted, const char *why_part)
{
	char why[160];

	assert_int_equal(clock_trusted(trust, &now, why), trusted);
	if (!strstr(why, why_part))
		fail_msg("'%s' does not say '%s'", why, why_part);
	assert_int_equal(clock_trusted(trust, &now, NULL), trusted);
}

static void a_clock_that_nobody_confirmed_is_not_trusted(void **state)
{
	struct clock_trust trust = { 0 };

	(void)state;
	expect(&trust, reading(0, 0, "boot-1"), false,
	       "never confirmed by a CA or a webhook");
}

static void a_date_within_five_minutes_confirms_it(void **state)
{
	struct clock_trust trust;

	(void)state;
	for (int64_t off_s = -300; off_s <= 300; off_s += 100) {
		trust = confirmed_with(off_s);
		expect(&trust, reading(5, 5, "boot-1"), true, "confirmed 5 s ago");
	}
	trust = confirmed_with(301);
	expect(&trust, reading(5, 5, "boot-1"), false, "301 s ahead of the CA's");
	trust = confirmed_with(-301);
	expect(&trust, reading(5, 5, "boot-1"), false, "301 s behind the CA's");
}

static void a_clock_a_year_off_is_not_trusted(void **state)
{
	struct clock_trust trust = confirmed_with(31536000);

	(void)state;
	expect(&trust, reading(5, 5, "boot-1"), false,
	       "the clock is 31536000 s ahead of the CA's");
	trust = confirmed_with(-31536000);
	expect(&trust, reading(5, 5, "boot-1"), false,
	       "the clock is 31536000 s behind the CA's");
}

static void
a_disagreeing_date_takes_the_trust_back_and_an_agreeing_one_restores_it(void **state)
{
	struct clock_trust trust = confirmed_with(0);
	struct clock_reading later = reading(HOUR, HOUR, "boot-1");

	(void)state;
	clock_trust_observe(&trust, NOW + HOUR - 4000, later.mono_ms, &later);
	expect(&trust, later, false, "4000 s ahead of the CA's");
	later = reading(2 * HOUR, 2 * HOUR, "boot-1");
	clock_trust_observe(&trust, NOW + 2 * HOUR, later.mono_ms, &later);
	expect(&trust, later, true, "confirmed 0 s ago");
}

static void a_date_is_compared_with_the_clock_as_it_was_on_arrival(void **state)
{
	struct clock_trust trust = { 0 };
	struct clock_reading later = reading(HOUR, HOUR, "boot-1");

	(void)state;
	clock_trust_observe(&trust, NOW, UP_MS, &later);
	expect(&trust, later, true, "confirmed 1 h ago");
}

static void older_news_than_the_confirmation_changes_nothing(void **state)
{
	struct clock_reading now = reading(0, 0, "boot-1");
	struct clock_trust trust = confirmed_with(0);

	(void)state;
	clock_trust_observe(&trust, NOW - 99999, UP_MS - 1, &now);
	expect(&trust, now, true, "confirmed");
}

static void a_confirmation_lasts_seven_days(void **state)
{
	struct clock_trust trust = confirmed_with(0);

	(void)state;
	expect(&trust, reading(DAY(7), DAY(7), "boot-1"), true, "confirmed 7 d ago");
	expect(&trust, reading(DAY(7) + 1, DAY(7) + 1, "boot-1"), false,
	       "last confirmed 7 d ago");
	expect(&trust, reading(DAY(30), DAY(30), "boot-1"), false,
	       "last confirmed 30 d ago");
}

static void suspend_is_no_divergence(void **state)
{
	struct clock_trust trust = confirmed_with(0);

	/* The monotonic clock runs through it, as CLOCK_BOOTTIME does. */
	(void)state;
	expect(&trust, reading(DAY(3) + 20, DAY(3), "boot-1"), true, "confirmed 3 d ago");
}

static void clocks_that_diverge_by_more_than_five_minutes_are_not_trusted(void **state)
{
	struct clock_trust trust = confirmed_with(0);

	(void)state;
	expect(&trust, reading(HOUR + 300, HOUR, "boot-1"), true, "confirmed 1 h ago");
	expect(&trust, reading(HOUR + 301, HOUR, "boot-1"), false,
	       "the clock was moved 5 min 1 s forward since it was confirmed");
	expect(&trust, reading(HOUR - 301, HOUR, "boot-1"), false,
	       "the clock was moved 5 min 1 s back since it was confirmed");
	expect(&trust, reading(DAY(365), HOUR, "boot-1"), false, "forward");
}

static void a_step_back_into_place_is_trusted_again(void **state)
{
	struct clock_trust trust = confirmed_with(0);

	(void)state;
	expect(&trust, reading(DAY(365), HOUR, "boot-1"), false, "moved");
	expect(&trust, reading(HOUR, HOUR, "boot-1"), true, "confirmed 1 h ago");
}

static void after_a_reboot_the_last_confirmed_instant_is_a_floor(void **state)
{
	struct clock_trust trust = confirmed_with(0);

	(void)state;
	expect(&trust, reading(-1, -9999, "boot-2"), false,
	       "since the reboot the clock is behind 2024-10-04 00:00 UTC");
	expect(&trust, reading(-DAY(365), -9999, "boot-2"), false, "behind");
	expect(&trust, reading(0, -9999, "boot-2"), true, "confirmed 0 s ago");
	expect(&trust, reading(DAY(7), -9999, "boot-2"), true, "confirmed 7 d ago");
	expect(&trust, reading(DAY(7) + 1, -9999, "boot-2"), false, "last confirmed");
}

static void a_date_confirms_the_new_boot(void **state)
{
	struct clock_trust trust = confirmed_with(0);
	struct clock_reading now = reading(DAY(30), -9999, "boot-2");

	(void)state;
	expect(&trust, now, false, "last confirmed 30 d ago");
	clock_trust_observe(&trust, now.wall, now.mono_ms, &now);
	expect(&trust, now, true, "confirmed 0 s ago");
	assert_string_equal(trust.boot_id, "boot-2");
}

static void reading_the_clocks_reads_all_three(void **state)
{
	struct clock_reading a = clock_reading_now(), b = clock_reading_now();

	(void)state;
	assert_true(a.wall >= NOW);
	assert_true(a.mono_ms > 0 && b.mono_ms >= a.mono_ms);
	assert_true(strlen(a.boot_id) > 0);
	assert_string_equal(a.boot_id, b.boot_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_nobody_confirmed_is_not_trusted),
		cmocka_unit_test(a_date_within_five_minutes_confirms_it),
		cmocka_unit_test(a_clock_a_year_off_is_not_trusted),
		cmocka_unit_test(
			a_disagreeing_date_takes_the_trust_back_and_an_agreeing_one_restores_it),
		cmocka_unit_test(a_date_is_compared_with_the_clock_as_it_was_on_arrival),
		cmocka_unit_test(older_news_than_the_confirmation_changes_nothing),
		cmocka_unit_test(a_confirmation_lasts_seven_days),
		cmocka_unit_test(suspend_is_no_divergence),
		cmocka_unit_test(
			clocks_that_diverge_by_more_than_five_minutes_are_not_trusted),
		cmocka_unit_test(a_step_back_into_place_is_trusted_again),
		cmocka_unit_test(after_a_reboot_the_last_confirmed_instant_is_a_floor),
		cmocka_unit_test(a_date_confirms_the_new_boot),
		cmocka_unit_test(reading_the_clocks_reads_all_three),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

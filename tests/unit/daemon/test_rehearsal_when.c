#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "daemon/rehearsal_when.h"

#define NOW INT64_C(1795000000)
#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)
#define WEEK (7 * DAY)

/* A certificate of 90 days, renewed 30 days ago, rehearsed yesterday. */
static struct rehearsal_facts usual(void)
{
	return (struct rehearsal_facts){
		.name = "xu",
		.every_s = WEEK,
		.lifetime_s = 90 * DAY,
		.at = NOW - DAY,
		.well = true,
		.renewed_at = NOW - 30 * DAY,
		.renew_at = NOW + 30 * DAY,
		.window_at = CLOCK_NEVER,
	};
}

static void assert_at(const struct rehearsal_facts *facts, int64_t from, int64_t to,
		      enum rehearsal_reason reason)
{
	struct rehearsal_verdict verdict = rehearsal_decide(facts, NOW);

	assert_int_equal(verdict.reason, reason);
	assert_true(verdict.at >= from);
	assert_true(verdict.at <= to);
}

static void every_week_and_a_little_later_by_the_name(void **state)
{
	struct rehearsal_facts facts = usual(), other = usual();

	(void)state;
	assert_at(&facts, NOW - DAY + WEEK, NOW - DAY + WEEK + WEEK / 10,
		  REHEARSE_REGULARLY);
	assert_int_equal(rehearsal_decide(&facts, NOW).at,
			 rehearsal_decide(&facts, NOW + HOUR).at);
	other.name = "shop";
	assert_true(rehearsal_decide(&facts, NOW).at != rehearsal_decide(&other, NOW).at);
}

static void one_that_is_late_is_due(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.at = NOW - 20 * DAY;
	assert_at(&facts, 0, NOW, REHEARSE_REGULARLY);
}

static void what_was_planned_sooner_counts(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.next_at = 1;
	assert_at(&facts, 0, NOW, REHEARSE_REGULARLY);
	facts.next_at = NOW + 80 * DAY; /* planned when `every` was longer */
	assert_at(&facts, NOW, NOW + WEEK, REHEARSE_REGULARLY);
}

static void the_first_one_is_within_a_day(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.at = facts.renewed_at = 0; /* taken over from another client, say */
	assert_at(&facts, NOW + 600, NOW + DAY, REHEARSE_FIRST);
	facts.next_at = NOW - 5;
	assert_at(&facts, NOW - 5, NOW - 5, REHEARSE_FIRST);
}

static void a_renewal_that_went_well_is_the_best_rehearsal(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.renewed_at = NOW - HOUR;
	facts.renew_at = NOW + 60 * DAY;
	assert_at(&facts, NOW - HOUR + WEEK, NOW - HOUR + WEEK + WEEK / 10,
		  REHEARSE_REGULARLY);
	facts.well = false; /* what failed before it is over */
	assert_at(&facts, NOW - HOUR + WEEK, NOW - HOUR + WEEK + WEEK / 10,
		  REHEARSE_REGULARLY);
}

static void nothing_is_rehearsed_within_an_hour_after_a_renewal(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.renewed_at = NOW - 60;
	facts.next_at = NOW - 5;
	assert_at(&facts, NOW - 60 + HOUR, NOW - 60 + HOUR, REHEARSE_REGULARLY);
}

static void one_that_failed_is_repeated_after_a_day(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.at = NOW - HOUR;
	facts.well = false;
	assert_at(&facts, facts.at + 22 * HOUR, facts.at + DAY, REHEARSE_AGAIN);
}

static void a_day_before_the_renewal_where_there_is_a_window(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.renew_at = NOW + 3 * DAY;
	facts.window_at = NOW + 5 * DAY;
	assert_at(&facts, NOW + 2 * DAY, NOW + 2 * DAY, REHEARSE_BEFORE_RENEWAL);
	facts.at = NOW; /* done, and the day is not over */
	facts.renew_at = NOW + DAY / 2;
	facts.window_at = NOW + 5 * DAY;
	assert_at(&facts, 0, CLOCK_NEVER, REHEARSE_NEVER);
	facts.window_at = CLOCK_NEVER;
	facts.at = NOW - 2 * DAY;
	facts.renew_at = NOW + 3 * DAY; /* no window: nobody is kept waiting */
	assert_at(&facts, 0, CLOCK_NEVER, REHEARSE_NEVER);
}

static void a_day_before_the_window_that_the_certificate_waits_for(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.waiting = true;
	facts.renewed_at = NOW - 2 * HOUR;
	facts.renew_at = NOW + 60 * DAY;
	facts.at = NOW - 2 * DAY;
	facts.window_at = NOW + 3 * DAY;
	assert_at(&facts, NOW + 2 * DAY, NOW + 2 * DAY, REHEARSE_BEFORE_WINDOW);
	facts.window_at = NOW + HOUR; /* it opens soon: now */
	assert_at(&facts, 0, NOW, REHEARSE_BEFORE_WINDOW);
	facts.at = NOW; /* done */
	assert_at(&facts, CLOCK_NEVER, CLOCK_NEVER, REHEARSE_NEVER);
}

static void a_renewal_that_is_about_to_begin_is_not_kept_waiting(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.next_at = NOW - 5;
	facts.renew_at = NOW + 60;
	assert_at(&facts, CLOCK_NEVER, CLOCK_NEVER, REHEARSE_NEVER);
	facts.renew_at = NOW + HOUR;
	assert_at(&facts, NOW - 5, NOW - 5, REHEARSE_REGULARLY);
}

static void one_that_was_put_off_waits(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.next_at = NOW - 5;
	facts.not_before = NOW + 300;
	assert_at(&facts, NOW + 300, NOW + 300, REHEARSE_REGULARLY);
}

static void what_is_renewed_every_few_days_is_not_rehearsed(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.lifetime_s = 6 * DAY;
	facts.next_at = 1;
	facts.window_at = NOW + HOUR;
	assert_at(&facts, CLOCK_NEVER, CLOCK_NEVER, REHEARSE_NEVER);
}

static void no_means_never(void **state)
{
	struct rehearsal_facts facts = usual();

	(void)state;
	facts.every_s = 0;
	facts.next_at = 1;
	facts.window_at = NOW + HOUR;
	assert_at(&facts, CLOCK_NEVER, CLOCK_NEVER, REHEARSE_NEVER);
}

static void an_order_on_trial_is_made_once_a_week_and_not_before_the_ca_says(void **state)
{
	(void)state;
	assert_true(rehearsal_may_order(0, 0, NOW));
	assert_false(rehearsal_may_order(NOW - WEEK + 1, 0, NOW));
	assert_true(rehearsal_may_order(NOW - WEEK, 0, NOW));
	assert_false(rehearsal_may_order(NOW - 3 * WEEK, NOW + 1, NOW));
	assert_true(rehearsal_may_order(NOW + 10 * 365 * DAY, 0, NOW)); /* clock */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_week_and_a_little_later_by_the_name),
		cmocka_unit_test(one_that_is_late_is_due),
		cmocka_unit_test(what_was_planned_sooner_counts),
		cmocka_unit_test(the_first_one_is_within_a_day),
		cmocka_unit_test(a_renewal_that_went_well_is_the_best_rehearsal),
		cmocka_unit_test(nothing_is_rehearsed_within_an_hour_after_a_renewal),
		cmocka_unit_test(one_that_failed_is_repeated_after_a_day),
		cmocka_unit_test(a_day_before_the_renewal_where_there_is_a_window),
		cmocka_unit_test(a_day_before_the_window_that_the_certificate_waits_for),
		cmocka_unit_test(a_renewal_that_is_about_to_begin_is_not_kept_waiting),
		cmocka_unit_test(one_that_was_put_off_waits),
		cmocka_unit_test(what_is_renewed_every_few_days_is_not_rehearsed),
		cmocka_unit_test(no_means_never),
		cmocka_unit_test(
			an_order_on_trial_is_made_once_a_week_and_not_before_the_ca_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

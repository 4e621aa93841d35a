/* When a certificate is looked at again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/cert.h"
#include "base/clock.h"
#include "daemon/expired.h"
#include "daemon/job.h"
#include "daemon/renewal.h"
#include "daemon/schedule.h"

#define NOW 1000000

static const struct schedule_facts nothing_planned = {
	.now = NOW,
	.renew_at = CLOCK_NEVER,
	.deploy_at = CLOCK_NEVER,
	.retire_at = CLOCK_NEVER,
	.expires_at = CLOCK_NEVER,
	.ask_advice_at = CLOCK_NEVER,
	.inspect_at = CLOCK_NEVER,
	.rehearse_at = CLOCK_NEVER,
	.prove_spare_at = CLOCK_NEVER,
	.ladder_at = CLOCK_NEVER,
};

static void with_nothing_planned_it_looks_once_a_day(void **state)
{
	(void)state;
	assert_int_equal(schedule_next(&nothing_planned).at, NOW + 86400);
}

static void the_earliest_moment_wins_and_is_named(void **state)
{
	struct schedule_facts facts = nothing_planned;
	struct schedule_verdict next;

	(void)state;
	facts.renew_at = NOW + 500;
	facts.inspect_at = NOW + 100;
	next = schedule_next(&facts);
	assert_int_equal(next.at, NOW + 100);
	assert_string_equal(next.why, "inspection");
}

static void what_is_overdue_is_looked_at_in_a_second_not_at_once_again(void **state)
{
	struct schedule_facts facts = nothing_planned;

	(void)state;
	facts.renew_at = NOW - 100;
	assert_int_equal(schedule_next(&facts).at, NOW + 1);
}

static void the_moment_of_expiry_is_not_slept_through(void **state)
{
	struct schedule_facts facts = nothing_planned;

	(void)state;
	facts.expires_at = NOW + 7;
	assert_int_equal(schedule_next(&facts).at, NOW + 7);
}

/* RFC 5280 4.1.2.5: the second of notAfter belongs to it. A look in that second would
 * find nothing, and the next would come when a back-off ends. */
static void the_look_at_its_end_finds_it_expired(void **state)
{
	struct schedule_facts facts = nothing_planned;
	struct renewal_facts renewal = { .present = true,
					 .names_match = true,
					 .key_type_matches = true,
					 .not_before = NOW - 86400,
					 .not_after = NOW + 7,
					 .ari_at = NO_ARI };
	const struct renew_at by_default = { .kind = RENEW_DEFAULT };
	const struct expired_facts ladder = { .present = true, .not_after = NOW + 7 };
	int64_t at;

	(void)state;
	facts.expires_at = cert_over_at(NOW + 7);
	at = schedule_next(&facts).at;
	assert_int_equal(renewal_decide(&renewal, &by_default, at).reason, EXPIRED);
	assert_int_equal(expired_decide(&ladder, at).step, LADDER_RENEW);
	assert_int_equal(renewal_decide(&renewal, &by_default, at - 1).reason, AGE);
	assert_int_equal(expired_decide(&ladder, at - 1).step, LADDER_NONE);
	assert_true(cert_is_over(NOW + 7, at));
	assert_false(cert_is_over(NOW + 7, at - 1));
	facts.now = NOW + 7; /* looked at in its last second: there is one more to come */
	assert_int_equal(schedule_next(&facts).at, at);
}

static void an_expiry_that_has_passed_wakes_nobody(void **state)
{
	struct schedule_facts facts = nothing_planned;

	(void)state;
	facts.expires_at = NOW - 7;
	assert_int_equal(schedule_next(&facts).at, NOW + 86400);
}

static void a_first_inspection_is_due_at_once(void **state)
{
	(void)state;
	assert_int_equal(schedule_inspection("xu", 0, 3600), 0);
}

static void inspections_are_spread_by_name_within_a_tenth(void **state)
{
	int64_t a = schedule_inspection("xu", NOW, 3600);
	int64_t b = schedule_inspection("shop", NOW, 3600);

	(void)state;
	assert_true(a >= NOW + 3600 && a <= NOW + 3960);
	assert_true(b >= NOW + 3600 && b <= NOW + 3960);
	assert_int_not_equal(a, b);
	assert_int_equal(a, schedule_inspection("xu", NOW, 3600));
}

static void a_failure_where_all_is_in_place_is_looked_at_once_when_it_is_due(void **state)
{
	struct failures failures = { .count = 1, .next_at = NOW + 60 };

	(void)state;
	assert_true(schedule_settle(&failures, NOW) == NOW + 60);
	assert_true(schedule_settle(&failures, NOW + 60) == CLOCK_NEVER);
	failures.count = 0;
	assert_true(schedule_settle(&failures, NOW) == CLOCK_NEVER);
}

static void a_soak_time_is_looked_at_ten_times_and_every_minute(void **state)
{
	struct schedule_facts facts = nothing_planned;

	(void)state;
	assert_true(schedule_soak(1000, 600, 2000) == 1060);
	assert_true(schedule_soak(1000, 86400, 90000) == 1060);
	assert_true(schedule_soak(1000, 100, 1090) == 1010);
	assert_true(schedule_soak(1000, 5, 1003) == 1001);
	assert_true(schedule_soak(1000, 600, 1030) == 1030); /* its end */
	assert_true(schedule_soak(1000, 600, 900) == 1060);  /* not seen yet */
	facts.soak_at = facts.now + 7;
	assert_true(schedule_next(&facts).at == facts.now + 7);
	assert_string_equal(schedule_next(&facts).why, "a look within the soak time");
}

int main(void)
{
	const struct CMUnitTest schedule[] = {
		cmocka_unit_test(
			a_failure_where_all_is_in_place_is_looked_at_once_when_it_is_due),
		cmocka_unit_test(a_soak_time_is_looked_at_ten_times_and_every_minute),
		cmocka_unit_test(with_nothing_planned_it_looks_once_a_day),
		cmocka_unit_test(the_earliest_moment_wins_and_is_named),
		cmocka_unit_test(
			what_is_overdue_is_looked_at_in_a_second_not_at_once_again),
		cmocka_unit_test(the_moment_of_expiry_is_not_slept_through),
		cmocka_unit_test(the_look_at_its_end_finds_it_expired),
		cmocka_unit_test(an_expiry_that_has_passed_wakes_nobody),
		cmocka_unit_test(a_first_inspection_is_due_at_once),
		cmocka_unit_test(inspections_are_spread_by_name_within_a_tenth),
	};

	return cmocka_run_group_tests(schedule, NULL, NULL);
}

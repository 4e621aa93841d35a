#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "daemon/clock_moved.h"
#include "daemon/due.h"

#define NOW INT64_C(1795231888)
#define MONO INT64_C(5000000)
#define DAY INT64_C(86400)
#define TEN_YEARS (3650 * DAY)

static void what_was_never_planned_is_due_at_once(void **state)
{
	const struct due due = { 0 };

	(void)state;
	assert_true(due_is(&due, NOW, MONO));
	assert_true(due_is(&due, NOW, 0));
}

static void a_moment_is_due_when_the_wall_clock_says_so(void **state)
{
	struct due due = due_at(NOW + 60, NOW, MONO);

	(void)state;
	assert_int_equal(due_in_ms(&due, NOW, MONO), 60000);
	assert_int_equal(due_in_ms(&due, NOW + 59, MONO + 59000), 1000);
	assert_true(due_is(&due, NOW + 60, MONO + 1));
}

static void a_clock_that_was_set_back_ten_years_loses_nothing(void **state)
{
	struct due due = due_at(NOW + TEN_YEARS + DAY, NOW + TEN_YEARS, MONO);

	(void)state;
	assert_int_equal(due_in_ms(&due, NOW, MONO), DAY * 1000);
	assert_true(due_is(&due, NOW + DAY, MONO + DAY * 1000));
}

static void never_is_never(void **state)
{
	struct due due = due_at(CLOCK_NEVER, NOW, MONO);

	(void)state;
	assert_int_equal(due_in_ms(&due, NOW + TEN_YEARS, INT64_MAX), CLOCK_NEVER);
	assert_false(due_is(&due, CLOCK_NEVER, CLOCK_NEVER));
}

static void a_back_off_keeps_its_length_when_the_clock_is_set_right(void **state)
{
	struct job job = { .renewal = { .count = 3,
					.first_at = NOW + TEN_YEARS - DAY,
					.last_at = NOW + TEN_YEARS,
					.next_at = NOW + TEN_YEARS + 3600 },
			   .inspected_files_at = NOW + TEN_YEARS,
			   .ari_ask_again_at = NOW + TEN_YEARS };

	(void)state;
	assert_true(job_after_clock_moved(&job, NOW));
	assert_int_equal(job.renewal.next_at, NOW + 3600);
	assert_int_equal(job.renewal.last_at, NOW);
	assert_int_equal(job.renewal.first_at, NOW);
	assert_int_equal(job.renewal.count, 3);
	assert_int_equal(job.inspected_files_at, 0);
	assert_int_equal(job.ari_ask_again_at, 0);
}

static void what_the_breaker_decided_is_decided_again_by_the_right_clock(void **state)
{
	struct job job = { .renewal = { .count = 3,
					.first_at = NOW + 20 * DAY,
					.last_at = NOW + 30 * DAY,
					.next_at = NOW + 37 * DAY,
					.by_breaker = 1 } };

	(void)state;
	assert_true(job_after_clock_moved(&job, NOW));
	assert_int_equal(job.renewal.next_at, NOW);
	assert_int_equal(job.renewal.count, 3);
}

static void what_is_planned_for_later_stays_as_it_is(void **state)
{
	struct job job = { .renewal = { .count = 1,
					.last_at = NOW - 60,
					.next_at = NOW + 300 * DAY },
			   .inspected_files_at = NOW - 5,
			   .ari_ask_again_at = NOW + DAY };
	struct job before = job;

	(void)state;
	assert_false(job_after_clock_moved(&job, NOW));
	assert_memory_equal(&job, &before, sizeof(job));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_never_planned_is_due_at_once),
		cmocka_unit_test(a_moment_is_due_when_the_wall_clock_says_so),
		cmocka_unit_test(a_clock_that_was_set_back_ten_years_loses_nothing),
		cmocka_unit_test(never_is_never),
		cmocka_unit_test(a_back_off_keeps_its_length_when_the_clock_is_set_right),
		cmocka_unit_test(
			what_the_breaker_decided_is_decided_again_by_the_right_clock),
		cmocka_unit_test(what_is_planned_for_later_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

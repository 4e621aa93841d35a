#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/poll.h"

#define FAR INT64_C(1000000000)

static int64_t delay(unsigned attempt, int64_t retry_after_s)
{
	return poll_delay_ms(attempt, retry_after_s, 0, FAR);
}

static void the_first_look_comes_after_a_few_milliseconds(void **state)
{
	(void)state;
	assert_in_range(delay(0, -1), 1, 20);
}

static void waits_double_up_to_ten_seconds(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 100; i++) {
		int64_t expected = 2 * delay(i - 1, -1);

		assert_int_equal(delay(i, -1), expected < 10000 ? expected : 10000);
	}
	assert_int_equal(delay(UINT32_MAX, -1), 10000);
}

static void retry_after_wins_over_our_own_idea(void **state)
{
	(void)state;
	assert_int_equal(delay(0, 3), 3000);
	assert_int_equal(delay(50, 3), 3000);
	assert_int_equal(delay(0, 60), 60000);
}

static void a_retry_after_of_nothing_is_none(void **state)
{
	(void)state;
	assert_int_equal(delay(0, 0), delay(0, -1));
}

static void no_wait_passes_the_deadline(void **state)
{
	(void)state;
	assert_int_equal(poll_delay_ms(20, -1, 1000, 1500), 500);
	assert_int_equal(poll_delay_ms(0, 3600, 1000, 1500), 500);
	assert_int_equal(poll_delay_ms(0, INT64_MAX, 1000, 2500), 1500);
}

static void at_the_deadline_it_is_time_to_give_up(void **state)
{
	(void)state;
	assert_int_equal(poll_delay_ms(0, -1, 1500, 1500), -1);
	assert_int_equal(poll_delay_ms(0, 3, 1501, 1500), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_look_comes_after_a_few_milliseconds),
		cmocka_unit_test(waits_double_up_to_ten_seconds),
		cmocka_unit_test(retry_after_wins_over_our_own_idea),
		cmocka_unit_test(a_retry_after_of_nothing_is_none),
		cmocka_unit_test(no_wait_passes_the_deadline),
		cmocka_unit_test(at_the_deadline_it_is_time_to_give_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How long a CA is left alone that gave no advice (RFC 9773 4.3.3), and how near the end
 * of a dns-persist-01 record is. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "daemon/advice.h"
#include "daemon/persist.h"

#define DAY INT64_C(86400)

static void what_passes_by_itself_is_asked_again_ever_less_often(void **state)
{
	const struct err err = { .kind = ERR_TRANSIENT };

	(void)state;
	assert_int_equal(advice_ask_again_s(&err, 1), 60);
	assert_int_equal(advice_ask_again_s(&err, 2), 120);
	assert_int_equal(advice_ask_again_s(&err, 5), 960);
	assert_int_equal(advice_ask_again_s(&err, 10), 6 * 3600);
	assert_int_equal(advice_ask_again_s(&err, 4000000000u), 6 * 3600);
}

static void a_longer_retry_after_counts_up_to_six_hours(void **state)
{
	struct err err = { .kind = ERR_TRANSIENT, .retry_after_s = 1800 };

	(void)state;
	assert_int_equal(advice_ask_again_s(&err, 1), 1800);
	err.retry_after_s = 1000000;
	assert_int_equal(advice_ask_again_s(&err, 1), 6 * 3600);
}

static void an_answer_that_is_none_waits_six_hours(void **state)
{
	static const enum err_kind kinds[] = { ERR_REFUSED, ERR_IO, ERR_CONFIG };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		err.kind = kinds[i];
		assert_int_equal(advice_ask_again_s(&err, 1), 6 * 3600);
	}
}

static void a_ca_without_advice_is_looked_at_once_a_day(void **state)
{
	const struct err err = { .kind = ERR_NOT_FOUND };

	(void)state;
	assert_int_equal(advice_ask_again_s(&err, 1), DAY);
	assert_int_equal(advice_ask_again_s(&err, 20), DAY);
}

static void a_record_that_ends_is_told_at_30_and_at_10_days(void **state)
{
	int64_t now = 1800000000;

	(void)state;
	assert_int_equal(persist_step(CLOCK_NEVER, now), PERSIST_WELL);
	assert_int_equal(persist_step(now + 30 * DAY + 1, now), PERSIST_WELL);
	assert_int_equal(persist_step(now + 30 * DAY, now), PERSIST_SOON);
	assert_int_equal(persist_step(now + 10 * DAY + 1, now), PERSIST_SOON);
	assert_int_equal(persist_step(now + 10 * DAY, now), PERSIST_NEAR);
	assert_int_equal(persist_step(now + 1, now), PERSIST_NEAR);
	assert_int_equal(persist_step(now, now), PERSIST_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passes_by_itself_is_asked_again_ever_less_often),
		cmocka_unit_test(a_longer_retry_after_counts_up_to_six_hours),
		cmocka_unit_test(an_answer_that_is_none_waits_six_hours),
		cmocka_unit_test(a_ca_without_advice_is_looked_at_once_a_day),
		cmocka_unit_test(a_record_that_ends_is_told_at_30_and_at_10_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

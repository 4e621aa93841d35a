#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/alerts.h"

#define HOUR INT64_C(3600)
#define NOW (INT64_C(20000) * 86400)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A trouble that was told `hours` ago with that severity. */
static struct trouble told(int64_t hours, enum severity severity)
{
	return (struct trouble){ .open = true,
				 .severity = severity,
				 .told_at = NOW - hours * HOUR };
}

static const struct trouble closed = { 0 };

static void the_first_event_of_a_trouble_is_told(void **state)
{
	(void)state;
	assert_int_equal(alert_decide(&closed, EVENT_FAILED, SEVERITY_NOTICE, NOW),
			 ALERT_TELL);
}

static void repeats_are_withheld_for_24_hours(void **state)
{
	struct trouble trouble = told(0, SEVERITY_WARNING);

	(void)state;
	for (int64_t age = 0; age < 24 * HOUR; age += 599)
		assert_int_equal(
			alert_decide(&trouble, EVENT_FAILED, SEVERITY_WARNING, NOW + age),
			ALERT_WITHHOLD);
	assert_int_equal(alert_decide(&trouble, EVENT_FAILED, SEVERITY_WARNING,
				      NOW + 24 * HOUR - 1),
			 ALERT_WITHHOLD);
	assert_int_equal(
		alert_decide(&trouble, EVENT_FAILED, SEVERITY_WARNING, NOW + 24 * HOUR),
		ALERT_TELL);
}

static void only_a_more_severe_repeat_is_told_at_once(void **state)
{
	(void)state;
	for (int before = SEVERITY_NOTICE; before <= SEVERITY_CRITICAL; before++) {
		struct trouble trouble = told(1, (enum severity)before);

		for (int now = SEVERITY_NOTICE; now <= SEVERITY_CRITICAL; now++)
			assert_int_equal(alert_decide(&trouble, EVENT_EXPIRING,
						      (enum severity)now, NOW),
					 now > before ? ALERT_TELL : ALERT_WITHHOLD);
	}
}

static void news_is_told_every_time(void **state)
{
	(void)state;
	assert_int_equal(alert_decide(&closed, EVENT_RENEWED, SEVERITY_NOTICE, NOW),
			 ALERT_TELL);
	assert_int_equal(alert_decide(&closed, EVENT_CA_CHANGED, SEVERITY_NOTICE, NOW),
			 ALERT_TELL);
}

static void recovered_is_told_only_when_something_was_wrong(void **state)
{
	struct trouble trouble = told(0, SEVERITY_CRITICAL);

	(void)state;
	assert_int_equal(alert_decide(&closed, EVENT_RECOVERED, SEVERITY_NOTICE, NOW),
			 ALERT_NOTHING);
	assert_int_equal(alert_decide(&trouble, EVENT_RECOVERED, SEVERITY_NOTICE, NOW),
			 ALERT_TELL);
}

static void a_clock_that_was_ahead_does_not_silence_a_trouble(void **state)
{
	struct trouble slightly = told(-1, SEVERITY_WARNING);
	struct trouble year = told(-24 * 365, SEVERITY_WARNING);

	(void)state;
	assert_int_equal(alert_decide(&slightly, EVENT_FAILED, SEVERITY_WARNING, NOW),
			 ALERT_WITHHOLD);
	assert_int_equal(alert_decide(&year, EVENT_FAILED, SEVERITY_WARNING, NOW),
			 ALERT_TELL);
}

static void a_channel_gets_what_reaches_its_minimum_and_all_that_is_critical(void **state)
{
	static const struct {
		enum severity min, severity;
		bool reaches;
	} rows[] = {
		{ SEVERITY_NOTICE, SEVERITY_NOTICE, true },
		{ SEVERITY_WARNING, SEVERITY_NOTICE, false },
		{ SEVERITY_WARNING, SEVERITY_WARNING, true },
		{ SEVERITY_CRITICAL, SEVERITY_WARNING, false },
		{ SEVERITY_CRITICAL, SEVERITY_CRITICAL, true },
		{ SEVERITY_NOTICE, SEVERITY_CRITICAL, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct alert_config channel = { .min = rows[i].min };

		assert_int_equal(alert_reaches(&channel, EVENT_FAILED, rows[i].severity),
				 rows[i].reaches);
	}
}

static void what_a_channel_excepts_by_name_never_reaches_it(void **state)
{
	struct alert_config channel = {
		.min = SEVERITY_NOTICE,
		.except = (const char *const[]){ "renewed", "fallback", NULL },
	};

	(void)state;
	assert_false(alert_reaches(&channel, EVENT_RENEWED, SEVERITY_NOTICE));
	assert_false(alert_reaches(&channel, EVENT_FALLBACK, SEVERITY_CRITICAL));
	assert_true(alert_reaches(&channel, EVENT_FAILED, SEVERITY_WARNING));
}

static void retries_begin_at_10_seconds_and_double_to_an_hour(void **state)
{
	static const int64_t expected[] = { 10,  20,   40,   80,   160, 320,
					    640, 1280, 2560, 3600, 3600 };

	(void)state;
	for (unsigned i = 0; i < COUNT(expected); i++)
		assert_int_equal(alert_retry_delay(i + 1), expected[i]);
	assert_int_equal(alert_retry_delay(4000000000U), 3600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_event_of_a_trouble_is_told),
		cmocka_unit_test(repeats_are_withheld_for_24_hours),
		cmocka_unit_test(only_a_more_severe_repeat_is_told_at_once),
		cmocka_unit_test(news_is_told_every_time),
		cmocka_unit_test(recovered_is_told_only_when_something_was_wrong),
		cmocka_unit_test(a_clock_that_was_ahead_does_not_silence_a_trouble),
		cmocka_unit_test(
			a_channel_gets_what_reaches_its_minimum_and_all_that_is_critical),
		cmocka_unit_test(what_a_channel_excepts_by_name_never_reaches_it),
		cmocka_unit_test(retries_begin_at_10_seconds_and_double_to_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

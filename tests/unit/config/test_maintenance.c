/* When an application may be restarted, and what it is asked first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "draft.h"

/* The line is 11, its column 9. */
#define WITH(line) ISSUER CERTIFICATE TARGET "        " line "\n"

enum { MON = 1, TUE = 2, WED = 4, THU = 8, FRI = 16, SAT = 32, SUN = 64 };

static const struct target *first_target(const struct config *config)
{
	return &config->certificates[0].targets[0];
}

static void a_window_is_days_and_times(void **state)
{
	const struct target *target = first_target(draft_must_load(
		state, WITH("maintenance_window: ['Sat,Sun 22:00-04:00', 'Mon-Fri "
			    "01:00-03:30']")));

	assert_int_equal(target->n_windows, 2);
	assert_int_equal(target->windows[0].days, SAT | SUN);
	assert_int_equal(target->windows[0].begin_s, 22 * 3600);
	assert_int_equal(target->windows[0].end_s, 4 * 3600);
	assert_int_equal(target->windows[1].days, MON | TUE | WED | THU | FRI);
	assert_int_equal(target->windows[1].end_s, 3 * 3600 + 30 * 60);
}

static void days_go_round_the_end_of_the_week_and_may_be_left_out(void **state)
{
	const struct target *target = first_target(draft_must_load(
		state, WITH("maintenance_window: ['Sat-mon,wed 00:00-24:00', "
			    "'23:00-01:00']")));

	assert_int_equal(target->windows[0].days, SAT | SUN | MON | WED);
	assert_int_equal(target->windows[0].begin_s, 0);
	assert_int_equal(target->windows[0].end_s, 0);
	assert_int_equal(target->windows[1].days, 127);
}

static void what_is_no_window_is_refused_with_an_example(void **state)
{
	(void)state;
	expect_one_error(WITH("maintenance_window: ['Sut 22:00-04:00']"),
			 "11:30: 'maintenance_window' has 'Sut 22:00-04:00', which does "
			 "not begin with days: expected Mon, Tue, Wed, Thu, Fri, Sat or "
			 "Sun, as in Sat,Sun 22:00-04:00 or Mon-Fri 01:00-03:00");
	expect_one_error(WITH("maintenance_window: [Sat]"),
			 "11:30: 'maintenance_window' has 'Sat', which has no times "
			 "behind the days: expected as in Sat,Sun 22:00-04:00");
	expect_one_error(WITH("maintenance_window: ['Sat 22:00-25:00']"),
			 "11:30: 'maintenance_window' has 'Sat 22:00-25:00', which has "
			 "no two times of day: expected from 00:00 to 24:00, as in "
			 "22:00-04:00");
	expect_one_error(WITH("maintenance_window: ['Sat 22:00-22:00']"),
			 "11:30: 'maintenance_window' has 'Sat 22:00-22:00', which "
			 "begins and ends at the same time: write 00:00-24:00 for a "
			 "whole day");
	expect_one_error(WITH("maintenance_window: Sat 22:00-23:00"),
			 "11:29: 'maintenance_window' is 'Sat 22:00-23:00': expected a "
			 "list such as [Sat 22:00-23:00]");
}

static void extractions_are_not_waited_for_unless_said(void **state)
{
	const struct target *target = first_target(
		draft_must_load(state, ISSUER CERTIFICATE TARGET));

	assert_null(target->wait_idle.url);
	target = first_target(draft_must_load(state, WITH("wait_for_extractions: no")));
	assert_null(target->wait_idle.url);
	assert_int_equal(target->wait_idle.at_most_s, 0);
}

static void extractions_are_asked_for_where_the_certificate_is_seen(void **state)
{
	const struct target *target = first_target(
		draft_must_load(state, WITH("wait_for_extractions: 30m")));

	assert_string_equal(target->wait_idle.url, "https://127.0.0.1:443");
	assert_int_equal(target->wait_idle.at_most_s, 1800);
	expect_one_error(WITH("wait_for_extractions: yes"),
			 "11:31: 'wait_for_extractions' is 'yes': expected no or a "
			 "duration from 1s to 1d, such as 90s, 15m, 24h or 30d");
	expect_one_error(
		ISSUER CERTIFICATE "    deploy:\n"
				   "      - preset: yunio\n"
				   "        install_dir: /opt/yunio\n"
				   "        store: {type: directory, path: /srv/a}\n"
				   "        wait_for_extractions: 1h\n",
		"12:31: 'wait_for_extractions' is not for yunIO, which cannot be "
		"asked what runs: use 'maintenance_window'");
}

static void a_soak_time_is_not_longer_than_the_way_back_is_there(void **state)
{
	const struct target *target = first_target(
		draft_must_load(state, WITH("soak: 10m")));

	assert_int_equal(target->soak_s, 600);
	expect_one_error(WITH("soak: 25h"),
			 "11:15: 'soak' is '25h', longer than 'retire.after', when the "
			 "old certificate is deleted: nothing could be taken back then; "
			 "make 'retire: {after:}' as long at least");
	expect_one_error(WITH("soak: 8d"),
			 "11:15: 'soak' is '8d': expected a duration from 0s to 1w, such "
			 "as 90s, 15m, 24h or 30d");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, draft_setup, draft_teardown)
	const struct CMUnitTest windows[] = {
		TEST(a_window_is_days_and_times),
		TEST(a_soak_time_is_not_longer_than_the_way_back_is_there),
		TEST(days_go_round_the_end_of_the_week_and_may_be_left_out),
		TEST(what_is_no_window_is_refused_with_an_example),
		TEST(extractions_are_not_waited_for_unless_said),
		TEST(extractions_are_asked_for_where_the_certificate_is_seen),
	};
	return cmocka_run_group_tests(windows, NULL, NULL);
}

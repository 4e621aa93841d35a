/* Between verified and retired: watched for a while, and taken back when it does not
 * last. */
#include "tests/unit/hooks/deploy_world.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/hooks/deploy_faults.h"

static int soak(struct world *w)
{
	deploy_outcome_clear(&w->outcome);
	w->err = (struct err){ 0 };
	return deploy_soak(&w->deployment, &w->outcome, &w->err);
}

static int64_t watched_until(struct world *w)
{
	struct deploy_state st = read_state(w);
	int64_t until = st.targets[0].watched_until;

	assert_true(!until || st.retire_at == CLOCK_NEVER || st.retire_at >= until);
	deploy_state_clear(&st);
	return until;
}

static void deploy_with_soak(struct world *w)
{
	w->targets[0].soak_s = 3600;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
}

/* kill -9 by somebody who is not its administrator: its pid file stays. */
static void app_dies(const struct app *app)
{
	char *path = path_join(app->dir, "xcctl.pid"), *text = bytes_of(path);

	assert_int_equal(kill((pid_t)strtol(text, NULL, 10), SIGKILL), 0);
	free(text);
	free(path);
	while (app_ctl(app, "status") != 1)
		usleep(10000);
}

static void what_lasts_is_watched_to_its_end_and_only_then_retired(void **state)
{
	struct world *w = *state;

	w->targets[0].soak_s = 2;
	assert_int_equal(run(w), 0);
	assert_true(watched_until(w) > clock_wall());
	assert_int_equal(soak(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_int_equal(retire(w), -1);
	assert_contains(w->err.text, "it is still watched");
	assert_true(version_exists(&w->apps[0], &w->a));
	assert_int_equal(run(w), 0); /* another look changes nothing of it */
	assert_true(watched_until(w) != 0);
	while (clock_wall() < watched_until(w))
		usleep(50000);
	assert_int_equal(soak(w), 0);
	assert_true(w->outcome.all_done);
	assert_true(watched_until(w) == 0);
	assert_true(noted(w, "it was served all the while"));
	assert_int_equal(retire(w), 0);
	assert_false(version_exists(&w->apps[0], &w->a));
}

static void a_service_that_dies_within_it_gets_the_old_one_back(void **state)
{
	struct world *w = *state;
	char *before = bytes_of(w->apps[0].tls_json), *after;

	deploy_with_soak(w);
	app_dies(&w->apps[0]);
	assert_int_equal(soak(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "did not last through its soak time");
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "is failed; the old certificate is served");
	assert_false(w->outcome.all_done);
	assert_serves(&w->apps[0], &w->a);
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(before, after);
	assert_true(watched_until(w) == 0);
	assert_int_equal(retire(w), -1);
	assert_int_equal(run(w), 0); /* tried again */
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_true(watched_until(w) != 0);
	free(after);
	free(before);
}

static void who_serves_something_else_within_it_is_taken_back(void **state)
{
	struct world *w = *state;
	char *before = bytes_of(w->apps[0].tls_json);

	deploy_with_soak(w);
	testcert_write(w->apps[0].tls_json, before); /* somebody's backup */
	assert_int_equal(app_ctl(&w->apps[0], "restart"), 0);
	assert_int_equal(soak(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "serves ");
	assert_end(w, 0, DEPLOY_ROLLED_BACK, cert_sha1(w->a.cert));
	assert_serves(&w->apps[0], &w->a);
	assert_link_names(&w->apps[0], &w->a);
	free(before);
}

static void a_service_that_its_administrator_stops_is_waited_for(void **state)
{
	struct world *w = *state;

	w->targets[0].soak_s = 1;
	assert_int_equal(run(w), 0);
	app_ctl(&w->apps[0], "stop");
	while (clock_wall() <= watched_until(w))
		usleep(50000);
	assert_int_equal(soak(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_nothing_served(&w->apps[0]); /* not started by us */
	assert_true(watched_until(w) != 0); /* nobody has seen it to the end */
	app_start(&w->apps[0]);
	assert_int_equal(soak(w), 0);
	assert_true(watched_until(w) == 0);
}

static void what_an_operator_chose_within_it_is_not_taken_back(void **state)
{
	struct world *w = *state;
	char *text;

	deploy_with_soak(w);
	testcert_write(w->apps[0].tls_json, "{\"tlsEnabled\": false}");
	assert_int_equal(app_ctl(&w->apps[0], "restart"), 0);
	assert_int_equal(soak(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	text = bytes_of(w->apps[0].tls_json);
	assert_string_equal(text, "{\"tlsEnabled\": false}");
	free(text);
}

static void nothing_goes_back_to_an_expired_certificate(void **state)
{
	struct world *w = *state;

	expire(w);
	deploy_with_soak(w);
	app_dies(&w->apps[0]);
	assert_int_equal(soak(w), 0);
	assert_end(w, 0, DEPLOY_BROKEN,
		   "not taken back, because the old certificate "
		   "expired on");
	assert_serves(&w->apps[0], &w->b); /* it was started */
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
}

static void dead_within_it(struct world *w)
{
	deploy_with_soak(w);
	app_dies(&w->apps[0]);
}

static void old_then_new(struct world *w)
{
	assert_int_equal(run(w), 0);
	assert_int_equal(soak(w), 0);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	assert_int_equal(rollback(w, NULL), 0);
	assert_serves(&w->apps[0], &w->a);
}

static void a_death_while_it_is_taken_back_is_finished(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ dead_within_it, soak, old_then_new, 1 },
			     FAULT_KILL_BEFORE, 5);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(what_lasts_is_watched_to_its_end_and_only_then_retired),
		ONE(a_service_that_dies_within_it_gets_the_old_one_back),
		ONE(who_serves_something_else_within_it_is_taken_back),
		ONE(a_service_that_its_administrator_stops_is_waited_for),
		ONE(what_an_operator_chose_within_it_is_not_taken_back),
		ONE(nothing_goes_back_to_an_expired_certificate),
		cmocka_unit_test(a_death_while_it_is_taken_back_is_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

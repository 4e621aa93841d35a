/* Several targets of one certificate. */
#include "tests/unit/hooks/deploy_world.h"

static size_t count(const struct world *w)
{
	char *path = in_world(w, "count"), *text = bytes_of(path);
	size_t n = text ? strlen(text) / strlen("once\n") : 0;

	free(text);
	free(path);
	return n;
}

/* ---- several targets ----------------------------------------------------- */

static void one_of_three_that_fails_is_retried_alone(void **state)
{
	struct world *w = *state;
	char *pidfile = path_join(w->apps[0].dir, "xcctl.pid"), *before, *after;
	char *json = str_printf("{\"refuse\": \"not me\", \"except\": \"%s\"}",
				cert_sha1(w->a.cert));
	struct deploy_state st;

	app_misbehaves(&w->apps[1], json);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_end(w, 1, DEPLOY_ROLLED_BACK, "not me");
	assert_end(w, 2, DEPLOY_DONE, NULL);
	assert_false(w->outcome.all_done);
	assert_serves(&w->apps[0], &w->b);
	assert_serves(&w->apps[1], &w->a);
	assert_serves(&w->apps[2], &w->b);

	assert_int_equal(retire(w), -1); /* not while one serves the old */
	assert_int_equal(w->err.kind, ERR_TRANSIENT);
	assert_true(version_exists(&w->apps[0], &w->a));
	st = read_state(w);
	assert_true(st.stored);
	assert_false(st.retired);
	assert_true(st.retire_at == CLOCK_NEVER);
	assert_int_equal(st.targets[1].end, DEPLOY_ROLLED_BACK);
	assert_false(st.targets[1].by_operator);
	assert_contains(st.targets[1].why, "not me");
	assert_string_equal(st.targets[0].step, "verified");
	assert_string_equal(st.targets[0].old_sha1, cert_sha1(w->a.cert));
	deploy_state_clear(&st);

	app_misbehaves(&w->apps[1], NULL);
	before = bytes_of(pidfile);
	assert_int_equal(run(w), 0);
	after = bytes_of(pidfile);
	assert_string_equal(before, after); /* the others were left in peace */
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_end(w, 1, DEPLOY_DONE, NULL);
	assert_true(w->outcome.all_done);
	assert_serves(&w->apps[1], &w->b);
	free(before);
	free(after);
	free(json);
	free(pidfile);
}

static void a_store_that_is_refused_fails_its_target_alone(void **state)
{
	struct world *w = *state;

	w->targets[1].store.owner = "nobody-at-all";
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_end(w, 1, DEPLOY_PENDING, "target 'second': store: ");
	assert_false(version_exists(&w->apps[1], &w->b));
	assert_serves(&w->apps[1], &w->a);
	w->deployment.n_targets = 1;
	w->deployment.targets = &w->targets[1];
	assert_int_equal(run(w), -1); /* nothing could be stored */
	assert_contains(w->err.text, "no user 'nobody-at-all'");
}

static void only_the_asked_target_is_deployed(void **state)
{
	struct world *w = *state;

	assert_int_equal(run_target(w, "second", false), 0);
	assert_end(w, 0, DEPLOY_PENDING, NULL);
	assert_end(w, 1, DEPLOY_DONE, NULL);
	assert_false(w->outcome.all_done);
	assert_serves(&w->apps[0], &w->a);
	assert_serves(&w->apps[1], &w->b);
}

static void targets_that_share_a_service_share_one_restart(void **state)
{
	struct world *w = *state;

	share_service(w);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_end(w, 1, DEPLOY_DONE, NULL);
	assert_int_equal(count(w), 1);
	assert_serves(&w->apps[0], &w->b);
	assert_serves(&w->apps[1], &w->b);
}

static void targets_that_share_a_service_go_back_together(void **state)
{
	struct world *w = *state;
	char *json = str_printf("{\"serve_old\": true, \"except\": \"%s\"}",
				cert_sha1(w->a.cert));

	share_service(w);
	app_misbehaves(&w->apps[1], json);
	assert_int_equal(run_target(w, "xc", false), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "together with target 'second'");
	assert_end(w, 1, DEPLOY_ROLLED_BACK, "still serves");
	assert_int_equal(count(w), 2);
	assert_serves(&w->apps[0], &w->a);
	assert_serves(&w->apps[1], &w->a);
	assert_link_names(&w->apps[0], &w->a);
	free(json);
}

static void a_member_that_cannot_begin_holds_its_group(void **state)
{
	struct world *w = *state;

	share_service(w);
	testcert_write(w->apps[1].tls_json, "[]");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "together with target 'second'");
	assert_end(w, 1, DEPLOY_PENDING, "is an array");
	assert_int_equal(count(w), 0);
	assert_link_names(&w->apps[0], &w->a);
	assert_serves(&w->apps[0], &w->a);
}

#define THREE(test) cmocka_unit_test_setup_teardown(test, set_up_three, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		THREE(one_of_three_that_fails_is_retried_alone),
		THREE(a_store_that_is_refused_fails_its_target_alone),
		THREE(only_the_asked_target_is_deployed),
		THREE(targets_that_share_a_service_share_one_restart),
		THREE(targets_that_share_a_service_go_back_together),
		THREE(a_member_that_cannot_begin_holds_its_group),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

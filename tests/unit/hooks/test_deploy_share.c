/* A restart that somebody else does: files first, taken up or taken back afterwards. */
#include "tests/unit/hooks/deploy_world.h"

#include <unistd.h>

#include "tests/unit/hooks/deploy_faults.h"

static int point(struct world *w)
{
	int rc;

	w->deployment.point_only = &w->targets[0].service;
	rc = run(w);
	w->deployment.point_only = NULL;
	return rc;
}

static int take_back(struct world *w)
{
	bool any;

	return deploy_unpoint(&w->deployment, &w->targets[0].service, &any, &w->err);
}

static void assert_names(const struct world *w, const struct brought *what)
{
	char *text = bytes_of(w->apps[0].tls_json);

	assert_contains(text, cert_sha1(what->cert));
	assert_link_names(&w->apps[0], what);
	free(text);
}

static void what_is_pointed_and_served_needs_no_restart_of_its_own(void **state)
{
	struct world *w = *state;
	char *path = script(w, "never", "touch \"${0%/*}/restarted\"; exit 1");
	char *restarted = in_world(w, "restarted");
	const char *argv[] = { path, NULL };

	assert_int_equal(point(w), 0);
	assert_end(w, 0, DEPLOY_PENDING, NULL);
	assert_names(w, &w->b);
	assert_serves(&w->apps[0], &w->a);
	assert_int_equal(app_ctl(&w->apps[0], "restart"), 0); /* somebody else's */
	w->targets[0].service.command.argv = argv;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_true(w->outcome.all_done);
	assert_int_equal(access(restarted, F_OK), -1);
	free(restarted);
	free(path);
}

static void what_is_pointed_and_not_served_restarts_by_itself(void **state)
{
	struct world *w = *state;

	assert_int_equal(point(w), 0);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
}

static void only_the_targets_of_that_service_are_pointed(void **state)
{
	struct world *w = *state;

	assert_int_equal(point(w), 0);
	assert_names(w, &w->b);
	for (size_t i = 1; i < APPS; i++)
		assert_link_names(&w->apps[i], &w->a);
	assert_int_equal(run(w), 0);
	for (size_t i = 0; i < APPS; i++)
		assert_serves(&w->apps[i], &w->b);
}

static void a_restart_that_failed_takes_the_files_back_and_nothing_else(void **state)
{
	struct world *w = *state;
	bool any;

	assert_int_equal(point(w), 0);
	assert_int_equal(
		deploy_unpoint(&w->deployment, &w->targets[0].service, &any, &w->err), 0);
	assert_true(any);
	assert_names(w, &w->a);
	assert_true(noted(w, "the restart that it shared with another certificate of its "
			     "service failed; its files are as they were, and it is "
			     "tried alone"));
	assert_serves(&w->apps[0], &w->a);
	assert_int_equal(take_back(w), 0); /* again */
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
}

static void what_is_served_already_is_not_taken_back(void **state)
{
	struct world *w = *state;
	bool any;

	assert_int_equal(point(w), 0);
	assert_int_equal(app_ctl(&w->apps[0], "restart"), 0);
	assert_int_equal(
		deploy_unpoint(&w->deployment, &w->targets[0].service, &any, &w->err), 0);
	assert_false(any);
	assert_names(w, &w->b);
}

/* ---- death --------------------------------------------------------------- */

static int share(struct world *w)
{
	return point(w) || take_back(w);
}

static void ends_new(struct world *w)
{
	assert_true(app_serves(&w->apps[0], &w->a) || app_serves(&w->apps[0], &w->b));
	/* A death while it was taken back is first finished, then tried again. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	assert_int_equal(rollback(w, NULL), 0);
	assert_serves(&w->apps[0], &w->a);
	assert_names(w, &w->a);
}

static void a_death_in_between_is_finished(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ NULL, share, ends_new, 1 },
			     FAULT_KILL_BEFORE, 12);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(what_is_pointed_and_served_needs_no_restart_of_its_own),
		ONE(what_is_pointed_and_not_served_restarts_by_itself),
		cmocka_unit_test_setup_teardown(
			only_the_targets_of_that_service_are_pointed, set_up_three,
			tear_down),
		ONE(a_restart_that_failed_takes_the_files_back_and_nothing_else),
		ONE(what_is_served_already_is_not_taken_back),
		cmocka_unit_test(a_death_in_between_is_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

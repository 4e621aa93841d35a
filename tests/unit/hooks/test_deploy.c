#include "tests/unit/hooks/deploy_world.h"

#include <unistd.h>

#include "hooks/store.h"

/* ---- forward ------------------------------------------------------------- */

static void a_renewal_ends_with_the_new_certificate_served(void **state)
{
	struct world *w = *state;
	char *tls_json;

	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_true(w->outcome.all_done);
	assert_serves(&w->apps[0], &w->b);
	assert_link_names(&w->apps[0], &w->b);
	assert_true(version_exists(&w->apps[0], &w->a)); /* nothing is deleted yet */
	tls_json = bytes_of(w->apps[0].tls_json);
	assert_contains(tls_json,
			"\xEF\xBB\xBF{\r\n\t\"zzz\": 12345678901234567890,\r\n");
	assert_contains(tls_json, cert_sha1(w->b.cert));
	free(tls_json);
	assert_true(noted(w, "xc verified: seen serving the new certificate"));
}

static void the_first_deployment_makes_link_and_tls_json(void **state)
{
	struct world *w = world_new(2);

	(void)state;
	w->deployment.targets = &w->targets[1];
	w->deployment.n_targets = 1;
	app_start(&w->apps[1]); /* plain HTTP: no tls.json */
	assert_plain_http(&w->apps[1]);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[1], &w->b);
	world_free(w);
}

static void a_failed_first_deployment_restores_the_absence(void **state)
{
	struct world *w = world_new(2);
	char *folder = path_parent(w->apps[1].tls_json);
	struct file_facts facts;

	(void)state;
	w->deployment.targets = &w->targets[1];
	w->deployment.n_targets = 1;
	app_start(&w->apps[1]);
	app_misbehaves(&w->apps[1], "{\"refuse\": \"not today\"}");
	assert_int_equal(run(w), 0);
	/* it refuses in every state, and spoke plain HTTP on no endpoint of ours */
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "not today");
	assert_contains(w->outcome.targets[0].err.text, "when nothing was served");
	assert_int_equal(file_inspect(w->apps[1].tls_json, &facts, &w->err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	assert_int_equal(file_inspect(folder, &facts, &w->err), 0);
	assert_int_equal(facts.type, FILE_ABSENT); /* we had made it */
	assert_int_equal(file_inspect(w->apps[1].store, &facts, &w->err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	free(folder);
	world_free(w);
}

static void deploying_again_restarts_nothing(void **state)
{
	struct world *w = *state;
	char *pidfile = path_join(w->apps[0].dir, "xcctl.pid"), *before, *after;

	assert_int_equal(run(w), 0);
	before = bytes_of(pidfile);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_int_equal(run_target(w, "xc", true), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	after = bytes_of(pidfile);
	assert_string_equal(before, after);
	free(before);
	free(after);
	free(pidfile);
}

static void deploy_takes_back_what_has_drifted(void **state)
{
	struct world *w = *state;

	assert_int_equal(run(w), 0);
	app_installs(w, 0, &w->a); /* somebody puts the old one back */
	assert_int_equal(app_ctl(&w->apps[0], "restart"), 0);
	assert_int_equal(run_target(w, "xc", true), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
}

static void an_unknown_target_is_an_error(void **state)
{
	struct world *w = *state;

	assert_int_equal(run_target(w, "nix", false), -1);
	assert_string_equal(w->err.text, "there is no target 'nix'");
}

/* ---- back ---------------------------------------------------------------- */

static char *except(const struct brought *what, const char *misbehaviour)
{
	return str_printf("{%s, \"except\": \"%s\"}", misbehaviour,
			  cert_sha1(what->cert));
}

static void expect_rollback(struct world *w, const char *misbehaviour, const char *text)
{
	char *before = bytes_of(w->apps[0].tls_json), *after;
	char *json = except(&w->a, misbehaviour);

	app_misbehaves(&w->apps[0], json);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, text);
	assert_contains(w->outcome.targets[0].err.text,
			"; the old certificate is served again");
	assert_contains(w->outcome.targets[0].err.text, "target 'xc': ");
	assert_false(w->outcome.all_done);
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(before, after);
	assert_link_names(&w->apps[0], &w->a);
	assert_serves(&w->apps[0], &w->a);
	free(json);
	free(before);
	free(after);
}

static void a_restart_that_fails_is_rolled_back_with_the_applications_words(void **state)
{
	struct world *w = *state;

	expect_rollback(w, "\"refuse\": \"no thank you\"", "no thank you");
	assert_contains(w->outcome.targets[0].err.text, "restart");
	app_misbehaves(&w->apps[0], NULL); /* the next try needs no order */
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
}

/* A busy machine: the first look comes back when the time is up. */
static void a_way_back_that_looks_right_is_looked_at_to_the_end(void **state)
{
	struct world *w = *state;

	w->targets[0].verify_timeout_s = 0;
	expect_rollback(w, "\"refuse\": \"no thank you\"", "no thank you");
}

static void an_application_that_serves_the_old_is_rolled_back(void **state)
{
	expect_rollback(*state, "\"serve_old\": true", "still serves");
}

static void an_application_that_hangs_is_rolled_back(void **state)
{
	struct world *w = *state;

	w->targets[0].service.command.timeout_s = 2;
	w->targets[0].service.timeout_s = 2;
	expect_rollback(w, "\"hang\": true", "did not end within 2 s");
}

static void a_reload_that_fails_is_rolled_back(void **state)
{
	struct world *w = *state;
	char *path = script(w, "reload", "echo cannot reload; exit 7");
	const char *argv[] = { path, NULL };

	w->targets[0].service.command.argv = argv;
	w->targets[0].service.action = SERVICE_RELOAD;
	assert_int_equal(run(w), 0);
	/* reloading back fails too, but the old one has never stopped being served */
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "cannot reload");
	assert_serves(&w->apps[0], &w->a);
	assert_link_names(&w->apps[0], &w->a);
	w->targets[0].service.command.argv = w->apps[0].restart;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	free(path);
}

static void an_expired_baseline_is_not_gone_back_to(void **state)
{
	struct world *w = *state;
	struct brought expired = bring(w, clock_wall() - DAY, 1);
	char *json;

	app_ctl(&w->apps[0], "stop");
	app_installs(w, 0, &expired);
	app_start(&w->apps[0]);
	json = except(&expired, "\"refuse\": \"not this one\"");
	app_misbehaves(&w->apps[0], json);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_BROKEN, "the old certificate expired on");
	assert_contains(w->outcome.targets[0].err.text, "not this one");
	assert_link_names(&w->apps[0], &w->b);
	app_misbehaves(&w->apps[0], NULL);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	free(json);
	brought_clear(&expired);
}

static void a_missing_old_certificate_is_not_gone_back_to(void **state)
{
	struct world *w = *state;
	char *json = except(&w->a, "\"refuse\": \"not this one\"");

	app_ctl(&w->apps[0], "stop");
	assert_int_equal(unlink(w->apps[0].store), 0);
	assert_int_equal(
		store_remove(&w->targets[0].store, cert_sha1(w->a.cert), NULL, &w->err),
		0);
	app_ctl(&w->apps[0], "start"); /* fails: its certificate is gone */
	app_misbehaves(&w->apps[0], json);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_BROKEN, "the old certificate is not there any more");
	app_misbehaves(&w->apps[0], NULL);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	free(json);
}

static void a_broken_target_is_tried_both_ways_again(void **state)
{
	struct world *w = *state;

	app_misbehaves(&w->apps[0], "{\"refuse\": \"whatever it is\"}");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_BROKEN, "and the way back failed");
	assert_nothing_served(&w->apps[0]);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_BROKEN, "whatever it is");
	app_misbehaves(&w->apps[0], NULL);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "the old certificate is served again");
	assert_serves(&w->apps[0], &w->a);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
}

static void a_newer_certificate_settles_what_the_older_left_broken(void **state)
{
	struct world *w = *state;

	app_misbehaves(&w->apps[0], "{\"refuse\": \"whatever it is\"}");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_BROKEN, "whatever it is");
	app_misbehaves(&w->apps[0], NULL);
	w->deployment.material = &w->c.material;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->c);
	assert_true(
		noted(w, "its deployment was not over when a newer certificate came"));
}

/* ---- the service --------------------------------------------------------- */

static void a_service_stopped_by_its_admin_is_waited_for(void **state)
{
	struct world *w = *state;

	app_ctl(&w->apps[0], "stop");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_WAITING, "is stopped");
	assert_int_equal(app_ctl(&w->apps[0], "status"), 3);
	assert_link_names(&w->apps[0], &w->b);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_WAITING, "is stopped");
	app_start(&w->apps[0]);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
}

static void a_newer_certificate_replaces_one_that_waits(void **state)
{
	struct world *w = *state;

	app_ctl(&w->apps[0], "stop");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_WAITING, "is stopped");
	w->deployment.material = &w->c.material;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_WAITING, "is stopped");
	assert_int_equal(app_ctl(&w->apps[0], "status"), 3);
	assert_link_names(&w->apps[0], &w->c);
	app_start(&w->apps[0]);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->c);
}

static void a_target_without_a_service_is_only_verified(void **state)
{
	struct world *w = *state;

	w->targets[0].service = (struct service){ .kind = SERVICE_NONE };
	w->targets[0].verify_timeout_s = 1;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "still serves"); /* nobody restarted it */
	assert_link_names(&w->apps[0], &w->a);
}

static void a_command_without_status_is_taken_to_run(void **state)
{
	struct world *w = *state;

	w->targets[0].service.status.argv = NULL;
	expect_rollback(w, "\"refuse\": \"no thank you\"", "no thank you");
	app_misbehaves(&w->apps[0], NULL);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
}

/* ---- programs ------------------------------------------------------------ */

static void programs_run_when_files_are_switched_and_are_undone(void **state)
{
	struct world *w = *state;
	char *conf = in_world(w, "app.conf"), *text;
	char *path = script(w, "step",
			    "echo \"$CERTRENEWD_TARGET $CERTRENEWD_THUMBPRINT\" "
			    ">\"${0%/*}/app.conf\"");
	const char *argv[] = { path, NULL }, *changes[] = { conf, NULL };
	struct program step = { argv, changes, 10 };

	testcert_write(conf, "as before\n");
	w->targets[0].programs = &step;
	w->targets[0].n_programs = 1;
	expect_rollback(w, "\"refuse\": \"no thank you\"", "no thank you");
	text = bytes_of(conf);
	assert_string_equal(text, "as before\n");
	free(text);
	app_misbehaves(&w->apps[0], NULL);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	text = bytes_of(conf);
	assert_contains(text, "xc ");
	assert_contains(text, cert_sha1(w->b.cert));
	free(text);
	free(path);
	free(conf);
}

static void a_failing_program_is_undone_without_a_restart(void **state)
{
	struct world *w = *state;
	char *path = script(w, "step", "echo out of luck; exit 3");
	char *pidfile = path_join(w->apps[0].dir, "xcctl.pid"), *before, *after;
	const char *argv[] = { path, NULL };
	struct program step = { argv, NULL, 10 };

	w->targets[0].programs = &step;
	w->targets[0].n_programs = 1;
	before = bytes_of(pidfile);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "exited with code 3: out of luck");
	after = bytes_of(pidfile);
	assert_string_equal(before, after);
	assert_link_names(&w->apps[0], &w->a);
	free(before);
	free(after);
	free(pidfile);
	free(path);
}

/* ---- what cannot be planned ---------------------------------------------- */

static void a_tls_json_that_is_not_json_is_left_alone(void **state)
{
	struct world *w = *state;
	char *text;

	testcert_write(w->apps[0].tls_json, "{ \"thumbprint\": ");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_PENDING, "not JSON: line 1");
	text = bytes_of(w->apps[0].tls_json);
	assert_string_equal(text, "{ \"thumbprint\": ");
	assert_serves(&w->apps[0], &w->a);
	assert_link_names(&w->apps[0], &w->a);
	free(text);
}

static void a_store_path_of_somebody_else_is_refused(void **state)
{
	struct world *w = *state;

	assert_int_equal(unlink(w->apps[0].store), 0);
	assert_int_equal(dir_make(w->apps[0].store, FILE_PUBLIC, &w->err), 0);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_PENDING, "move it away");
	assert_serves(&w->apps[0], &w->a);
}

#define RENEWALS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RENEWALS(a_renewal_ends_with_the_new_certificate_served),
		cmocka_unit_test(the_first_deployment_makes_link_and_tls_json),
		cmocka_unit_test(a_failed_first_deployment_restores_the_absence),
		RENEWALS(deploying_again_restarts_nothing),
		RENEWALS(deploy_takes_back_what_has_drifted),
		RENEWALS(an_unknown_target_is_an_error),
		RENEWALS(a_restart_that_fails_is_rolled_back_with_the_applications_words),
		RENEWALS(a_way_back_that_looks_right_is_looked_at_to_the_end),
		RENEWALS(an_application_that_serves_the_old_is_rolled_back),
		RENEWALS(an_application_that_hangs_is_rolled_back),
		RENEWALS(a_reload_that_fails_is_rolled_back),
		RENEWALS(an_expired_baseline_is_not_gone_back_to),
		RENEWALS(a_missing_old_certificate_is_not_gone_back_to),
		RENEWALS(a_broken_target_is_tried_both_ways_again),
		RENEWALS(a_newer_certificate_settles_what_the_older_left_broken),
		RENEWALS(a_service_stopped_by_its_admin_is_waited_for),
		RENEWALS(a_newer_certificate_replaces_one_that_waits),
		RENEWALS(a_target_without_a_service_is_only_verified),
		RENEWALS(a_command_without_status_is_taken_to_run),
		RENEWALS(programs_run_when_files_are_switched_and_are_undone),
		RENEWALS(a_failing_program_is_undone_without_a_restart),
		RENEWALS(a_tls_json_that_is_not_json_is_left_alone),
		RENEWALS(a_store_path_of_somebody_else_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Looking: preflight, observation, what the journals say, damage to them. */
#include "tests/unit/hooks/deploy_world.h"

#include <unistd.h>

#include "base/cancel.h"
#include "hooks/observe.h"
#include "hooks/store.h"

static int preflight(struct world *w)
{
	deploy_outcome_clear(&w->outcome);
	w->err = (struct err){ 0 };
	return deploy_preflight(&w->deployment, &w->outcome, &w->err);
}

static void assert_preflight_fails(struct world *w, const char *text)
{
	assert_int_equal(preflight(w), -1);
	assert_contains(w->err.text, "target 'xc': ");
	assert_contains(w->err.text, text);
	assert_end(w, 0, DEPLOY_PENDING, text);
}

/* ---- preflight ----------------------------------------------------------- */

static void preflight_touches_nothing_and_tells_what_is_served(void **state)
{
	struct world *w = *state;
	char *before = bytes_of(w->apps[0].tls_json), *after;
	struct file_facts facts;

	assert_int_equal(preflight(w), 0);
	w->deployment.material = NULL;
	assert_int_equal(preflight(w), 0);
	assert_true(noted(w, cert_sha1(w->a.cert)));
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(before, after);
	assert_int_equal(file_inspect(w->folder, &facts, &w->err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	app_ctl(&w->apps[0], "stop");
	assert_int_equal(preflight(w), 0);
	assert_true(noted(w, "serves no TLS (nothing)"));
	free(before);
	free(after);
}

static void preflight_names_a_missing_program(void **state)
{
	struct world *w = *state;
	const char *argv[] = { "/no/such/guard", NULL };

	w->targets[0].before_fallback = (struct program){ argv, NULL, 10 };
	assert_preflight_fails(w, "before_fallback: '/no/such/guard' does not exist");
}

static void preflight_reads_tls_json(void **state)
{
	struct world *w = *state;

	testcert_write(w->apps[0].tls_json, "");
	assert_preflight_fails(w, "tls.json");
	testcert_write(w->apps[0].tls_json, "[1]");
	assert_preflight_fails(w, "is an array, not an object");
}

static void preflight_looks_at_the_store(void **state)
{
	struct world *w = *state;

	assert_int_equal(unlink(w->apps[0].store), 0);
	testcert_write(w->apps[0].store, "mine");
	assert_preflight_fails(w, "store");
}

static void preflight_leaves_an_operators_target_out(void **state)
{
	struct world *w = *state;

	testcert_write(w->apps[0].tls_json, "[1]");
	assert_int_equal(target_mode_write(w->folder, "xc", MODE_OPERATOR, &w->err), 0);
	assert_int_equal(preflight(w), 0);
	assert_end(w, 0, DEPLOY_OPERATOR, NULL);
}

static void preflight_misses_a_service(void **state)
{
	struct world *w = *state;

	w->targets[0].service = (struct service){ .kind = SERVICE_SYSTEMD,
						  .name = "no-such-unit-of-ours.service",
						  .timeout_s = 5 };
	assert_int_equal(preflight(w), -1); /* no unit, or no manager to ask */
	assert_contains(w->err.text, "target 'xc': ");
}

/* ---- observation --------------------------------------------------------- */

static void a_healthy_target_is_seen_so(void **state)
{
	struct world *w = *state;
	struct target_view view;

	observe_files(&w->targets[0], &view);
	observe_endpoints(&w->targets[0], NULL, &view);
	assert_string_equal(view.files_problem, "");
	assert_true(view.has_tls_json && view.tls_json_present && view.tls_enabled);
	assert_string_equal(view.tls_json_sha1, cert_sha1(w->a.cert));
	assert_string_equal(view.store_sha1, cert_sha1(w->a.cert));
	assert_true(view.key_usable);
	assert_int_equal(view.service, SERVICE_IS_RUNNING);
	assert_int_equal(view.n_endpoints, 1);
	assert_int_equal(view.endpoints[0].kind, PROBE_TLS);
	target_view_clear(&view);
}

static void what_is_wrong_with_files_is_said(void **state)
{
	struct world *w = *state;
	char *key = path_join(w->apps[0].store, "key.pem");
	struct target_view view;
	struct err why;

	assert_true(observe_current_key(&w->targets[0], &why));
	testcert_write(key, w->b.key_pem); /* another certificate's */
	observe_files(&w->targets[0], &view);
	assert_false(view.key_usable);
	assert_contains(view.files_problem, "does not work for");
	assert_false(observe_current_key(&w->targets[0], &why));
	assert_string_equal(why.text, view.files_problem);
	testcert_write(key, "no key");
	observe_files(&w->targets[0], &view);
	assert_contains(view.files_problem, "is no private key");
	assert_int_equal(unlink(key), 0);
	observe_files(&w->targets[0], &view);
	assert_contains(view.files_problem, "key.pem");
	testcert_write(w->apps[0].tls_json, "{");
	observe_files(&w->targets[0], &view);
	assert_contains(view.files_problem, "tls.json");
	assert_true(view.tls_json_present);
	assert_string_equal(view.tls_json_sha1, "");
	assert_int_equal(unlink(w->apps[0].tls_json), 0);
	assert_int_equal(unlink(w->apps[0].store), 0);
	observe_files(&w->targets[0], &view);
	assert_false(view.tls_json_present);
	assert_string_equal(view.store_sha1, "");
	assert_string_equal(view.files_problem, "");
	target_view_clear(&view);
	free(key);
}

static void a_tls_json_that_cannot_be_seen_is_not_said_to_be_gone(void **state)
{
	struct world *w = *state;
	char *loop = path_join(w->folder, "loop"), *inside = path_join(loop, "tls.json");
	struct target_view view;
	struct err err;

	assert_int_equal(dir_make(w->folder, FILE_SECRET, &err), 0);
	assert_int_equal(symlink(loop, loop), 0);
	w->targets[0].tls_json = inside;
	observe_files(&w->targets[0], &view);
	assert_true(view.tls_json_present);
	assert_string_equal(view.tls_json_sha1, "");
	assert_contains(view.files_problem, "look at '");
	target_view_clear(&view);
	free(inside);
	free(loop);
}

static void fixed_files_are_observed_too(void **state)
{
	struct world *w = *state;
	char *key = path_join(w->apps[0].store, "key.pem");
	char *full = path_join(w->apps[0].store, "fullchain.pem");
	struct target_view view;

	w->targets[0].tls_json = NULL;
	w->targets[0].service = (struct service){ .kind = SERVICE_NONE };
	w->targets[0].store = (struct store){ .type = STORE_FILES,
					      .key = key,
					      .fullchain = full };
	observe_files(&w->targets[0], &view);
	assert_string_equal(view.files_problem, "");
	assert_true(view.key_usable);
	assert_false(view.has_tls_json);
	assert_int_equal(view.service, SERVICE_IS_UNKNOWN);
	assert_string_equal(view.store_sha1, cert_sha1(w->a.cert));
	w->targets[0].store.type = STORE_NONE;
	observe_files(&w->targets[0], &view);
	assert_string_equal(view.store_sha1, "");
	target_view_clear(&view);
	free(key);
	free(full);
}

/* ---- fixed file names as a target ---------------------------------------- */

static void fixed_files_are_switched_and_come_back(void **state)
{
	struct world *w = *state;
	char *key = in_world(w, "key.pem"), *full = in_world(w, "full.pem"), *now;

	testcert_write(key, w->a.key_pem);
	testcert_write(full, "-----BEGIN CERTIFICATE-----\n");
	now = cert_fullchain_pem(w->a.cert);
	testcert_write(full, now);
	free(now);
	w->targets[0].tls_json = NULL;
	w->targets[0].service = (struct service){ .kind = SERVICE_NONE };
	w->targets[0].verify_timeout_s = 1;
	w->targets[0].store = (struct store){
		.type = STORE_FILES, .key = key, .fullchain = full, .key_mode = 0600
	};
	assert_int_equal(run(w), 0); /* the application knows nothing of these files */
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "still serves");
	now = bytes_of(key);
	assert_string_equal(now, w->a.key_pem);
	free(now);
	free(key);
	free(full);
}

/* ---- journals ------------------------------------------------------------ */

static void lost_journals_are_rebuilt_from_what_is_served(void **state)
{
	struct world *w = *state;
	char *pidfile = path_join(w->apps[0].dir, "xcctl.pid"), *before, *after;
	char *certificate = path_join(w->folder, "journal.json");
	char *target = path_join(w->folder, "targets/xc/journal.json");
	struct strlist damaged = { 0 };
	struct deploy_state st;

	assert_int_equal(run(w), 0);
	before = bytes_of(pidfile);
	testcert_write(certificate, "{\"run\": ");
	assert_int_equal(deploy_state_read(&w->deployment, &st, &damaged, &w->err), 0);
	assert_int_equal(damaged.n, 1);
	assert_contains(damaged.items[0], "set aside");
	assert_true(st.exists); /* the target's says which it was */
	assert_string_equal(st.sha1, cert_sha1(w->b.cert));
	assert_int_equal(st.version, 2);
	assert_int_equal(st.targets[0].end, DEPLOY_DONE);
	assert_true(st.retire_at == CLOCK_NEVER);
	deploy_state_clear(&st);
	testcert_write(target, "\x01");
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_true(w->outcome.all_done);
	after = bytes_of(pidfile);
	assert_string_equal(before, after); /* seen, not restarted */
	st = read_state(w);
	assert_true(st.exists && st.stored && st.verified_at > 0);
	assert_true(st.retire_at == st.verified_at);
	deploy_state_clear(&st);
	strlist_clear(&damaged);
	free(before);
	free(after);
	free(certificate);
	free(target);
	free(pidfile);
}

static void a_damaged_mode_is_told_and_reads_as_https(void **state)
{
	struct world *w = *state;
	char *mode = path_join(w->folder, "targets/xc/mode.json");
	struct strlist damaged = { 0 };
	struct deploy_state st;

	assert_int_equal(target_mode_write(w->folder, "xc", MODE_HTTPS, &w->err), 0);
	testcert_write(mode, "{}");
	assert_int_equal(deploy_state_read(&w->deployment, &st, &damaged, &w->err), 0);
	assert_int_equal(damaged.n, 1);
	assert_false(st.exists);
	assert_int_equal(st.targets[0].mode, MODE_HTTPS);
	assert_int_equal(st.targets[0].end, DEPLOY_PENDING);
	deploy_state_clear(&st);
	strlist_clear(&damaged);
	free(mode);
}

static void a_journal_that_cannot_be_written_stops_before_anything(void **state)
{
	struct world *w = *state;
	char *blocked = in_world(w, "state");

	testcert_write(blocked, "a file where a folder must be");
	assert_int_equal(run(w), -1);
	assert_serves(&w->apps[0], &w->a);
	assert_link_names(&w->apps[0], &w->a);
	assert_false(version_exists(&w->apps[0], &w->b));
	free(blocked);
}

static void a_cancelled_deployment_stops_at_a_boundary(void **state)
{
	struct world *w = *state;
	struct cancel *cancel = cancel_new();

	cancel_request(cancel);
	w->deployment.cancel = cancel;
	assert_int_equal(run(w), -1);
	assert_int_equal(w->err.kind, ERR_CANCELLED);
	assert_serves(&w->apps[0], &w->a);
	w->deployment.cancel = NULL;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	cancel_free(cancel);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(preflight_touches_nothing_and_tells_what_is_served),
		ONE(preflight_names_a_missing_program),
		ONE(preflight_reads_tls_json),
		ONE(preflight_looks_at_the_store),
		ONE(preflight_leaves_an_operators_target_out),
		ONE(preflight_misses_a_service),
		ONE(a_healthy_target_is_seen_so),
		ONE(what_is_wrong_with_files_is_said),
		ONE(a_tls_json_that_cannot_be_seen_is_not_said_to_be_gone),
		ONE(fixed_files_are_observed_too),
		ONE(fixed_files_are_switched_and_come_back),
		ONE(lost_journals_are_rebuilt_from_what_is_served),
		ONE(a_damaged_mode_is_told_and_reads_as_https),
		ONE(a_journal_that_cannot_be_written_stops_before_anything),
		ONE(a_cancelled_deployment_stops_at_a_boundary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What happened while a fallback lay half done, or while plain HTTP was spoken. */
#include "tests/unit/hooks/deploy_faults.h"

#include <unistd.h>

static int set_up_expired(void **state)
{
	struct world *w = world_new(1);

	expire(w);
	*state = w;
	return 0;
}

static int fall(struct world *w)
{
	return fallback_enter(&w->deployment, &w->targets[0], NULL, &w->err);
}

static enum target_mode mode(struct world *w)
{
	enum target_mode now;

	assert_int_equal(target_mode_read(w->folder, "xc", &now, &w->err), 0);
	return now;
}

static bool journal_shows(const struct world *w, const char *step)
{
	char *path = str_printf("%s/targets/xc/fallback.json", w->folder);
	char *text = str_printf("\"state\":\t\"%s\"", step), *bytes = bytes_of(path);
	bool shows = bytes && strstr(bytes, text);

	free(bytes);
	free(text);
	free(path);
	return shows;
}

/* Dies at each change in turn, each time in a new world, until the journal shows that
 * completed step. */
static struct world *die_at(void **state, const char *step)
{
	for (unsigned nth = 1;; nth++) {
		assert_true(dies(*state, fall, FAULT_KILL_BEFORE, nth));
		if (journal_shows(*state, step))
			return *state;
		world_free(*state);
		(void)set_up_expired(state);
	}
}

static void a_tls_json_written_before_ours_is_moved_is_an_operators(void **state)
{
	struct world *w = die_at(state, "copied");
	char *after;

	testcert_write(w->apps[0].tls_json, "{\"tlsEnabled\": false}");
	assert_int_equal(fall(w), -1);
	assert_contains(w->err.text, "an operator has written tls.json meanwhile: it is "
				     "left alone until 'deploy'");
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(after, "{\"tlsEnabled\": false}");
	assert_int_equal(mode(w), MODE_OPERATOR);
	assert_false(fallback_unfinished(w->folder, "xc")); /* told once */
	assert_serves(&w->apps[0], &w->a);
	free(after);
}

static void a_tls_json_written_into_the_half_done_fallback_is_an_operators(void **state)
{
	struct world *w = die_at(state, "moved");
	char *after;

	testcert_write(w->apps[0].tls_json, "{\"tlsEnabled\": false}");
	app_ctl(&w->apps[0], "stop"); /* as if we had died in the restart */
	assert_int_equal(fall(w), -1);
	assert_contains(w->err.text, "an operator has written tls.json meanwhile");
	assert_plain_http(&w->apps[0]); /* started, and as they want it */
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(after, "{\"tlsEnabled\": false}");
	assert_int_equal(mode(w), MODE_OPERATOR);
	assert_int_equal(run_target(w, "xc", true), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	free(after);
}

static void a_service_stopped_before_tls_json_was_moved_stays_so(void **state)
{
	struct world *w = die_at(state, "guarded");

	app_ctl(&w->apps[0], "stop");
	assert_int_equal(fall(w), -1);
	assert_contains(w->err.text, "the service is stopped and is not started by us");
	assert_nothing_served(&w->apps[0]);
	app_start(&w->apps[0]);
	assert_int_equal(fall(w), 0);
	assert_plain_http(&w->apps[0]);
}

/* A deployment that cannot be ended, on an expired certificate: broken, then HTTP. */
static void fall_from_broken(struct world *w)
{
	char *json = str_printf("{\"refuse\": \"no licence\", \"except\": \"%s\"}",
				cert_sha1(w->a.cert));

	app_misbehaves(&w->apps[0], json);
	free(json);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_BROKEN, "no licence");
	app_misbehaves(&w->apps[0], NULL);
	assert_int_equal(fall(w), 0);
	assert_plain_http(&w->apps[0]);
}

static void a_deployment_that_was_broken_goes_back_to_plain_http(void **state)
{
	struct world *w = *state;

	fall_from_broken(w);
	w->targets[0].verify_timeout_s = 1;
	w->apps[0].endpoint.connect = "127.0.0.1:1"; /* nobody is there */
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "plain HTTP is served again");
	assert_plain_http(&w->apps[0]);
	assert_int_equal(mode(w), MODE_FALLBACK);
	w->apps[0].endpoint.connect = w->apps[0].listener_connect;
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	assert_int_equal(mode(w), MODE_HTTPS);
}

static void plain_http_is_not_rolled_back(void **state)
{
	struct world *w = *state;

	assert_int_equal(run(w), 0); /* b is served, and then not */
	assert_int_equal(fall(w), 0);
	assert_int_equal(rollback(w, NULL), -1);
	assert_contains(w->err.text, "it speaks plain HTTP now");
	assert_int_equal(mode(w), MODE_FALLBACK);
	assert_plain_http(&w->apps[0]);
}

static void a_lost_mode_is_found_in_the_journal(void **state)
{
	struct world *w = *state;
	char *path = str_printf("%s/targets/xc/mode.json", w->folder);
	struct deploy_state now;

	assert_int_equal(fall(w), 0);
	assert_int_equal(file_remove(path, &w->err), 0);
	now = read_state(w);
	assert_int_equal(now.targets[0].mode, MODE_FALLBACK);
	deploy_state_clear(&now);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	now = read_state(w);
	assert_int_equal(now.targets[0].mode, MODE_HTTPS);
	deploy_state_clear(&now);
	free(path);
}

static void a_copy_that_fails_restarts_nothing(void **state)
{
	struct world *w = *state;

	/* the two before it are the journal's: intent and completion of the guard */
	fault_arm(FAULT_FAIL, 3);
	assert_int_equal(fall(w), -1);
	assert_true(fault_fired());
	assert_contains(w->err.text, "No space left on device; nothing was changed");
	assert_false(noted(w, "tls.json is put back"));
	assert_serves(&w->apps[0], &w->a);
	assert_false(fallback_unfinished(w->folder, "xc"));
}

#define EDITED "{\"protocol\": \"HTTP\", \"port\": 8077}\n"

/* The product has reset it at its start; then an operator writes it. */
static void a_setting_that_somebody_edits_on_plain_http_is_kept_and_told(void **state)
{
	struct world *w = *state;
	char *general = path_join(w->apps[0].dir, "config/server/web/general.json");
	char *after;

	assert_int_equal(fall(w), 0);
	testcert_write(general, EDITED);
	assert_int_equal(fall(w), 0); /* whoever asks again */
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	after = bytes_of(general);
	assert_string_equal(after, EDITED);
	assert_int_equal(w->outcome.targets[0].notes.n, 1);
	assert_contains(w->outcome.targets[0].notes.items[0],
			"general.json' was changed by somebody while plain HTTP was "
			"spoken and stays as it is: see whether what the product had "
			"reset in it");
	free(after);
	free(general);
}

static void what_people_should_hear_is_handed_over(void **state)
{
	struct world *w = *state;
	char *path = script(w, "before", "echo nft is missing; exit 4");
	const char *argv[] = { path, NULL };
	struct strlist notes = { 0 };
	const struct fallback_wish wish = { .by_operator = true, .notes = &notes };

	w->targets[0].before_fallback = (struct program){ argv, NULL, 10 };
	w->targets[0].even_if_guard_fails = true;
	assert_int_equal(fallback_enter(&w->deployment, &w->targets[0], &wish, &w->err),
			 0);
	assert_int_equal(notes.n, 1);
	assert_contains(notes.items[0], "before_fallback failed, it falls back all the "
					"same (even_if_guard_fails)");
	assert_contains(notes.items[0], "nft is missing");
	assert_true(fallback_look(w->folder, "xc").by_operator);
	assert_false(fallback_look(w->folder, "xc").unfinished);
	strlist_clear(&notes);
	free(path);
}

#define EXPIRED(test) cmocka_unit_test_setup_teardown(test, set_up_expired, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXPIRED(a_tls_json_written_before_ours_is_moved_is_an_operators),
		EXPIRED(a_tls_json_written_into_the_half_done_fallback_is_an_operators),
		EXPIRED(a_service_stopped_before_tls_json_was_moved_stays_so),
		EXPIRED(a_deployment_that_was_broken_goes_back_to_plain_http),
		EXPIRED(plain_http_is_not_rolled_back),
		EXPIRED(a_lost_mode_is_found_in_the_journal),
		EXPIRED(a_copy_that_fails_restarts_nothing),
		EXPIRED(a_setting_that_somebody_edits_on_plain_http_is_kept_and_told),
		EXPIRED(what_people_should_hear_is_handed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

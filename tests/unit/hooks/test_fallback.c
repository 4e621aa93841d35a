/* Plain HTTP when time has run out, and the way back. */
#include "tests/unit/hooks/deploy_world.h"

#include <unistd.h>

#define GENERAL "config/server/web/general.json"

static int set_up_expired(void **state)
{
	struct world *w = world_new(1);
	struct brought expired = bring(w, clock_wall() - DAY, 1);

	app_ctl(&w->apps[0], "stop");
	brought_clear(&w->a);
	w->a = expired;
	app_installs(w, 0, &w->a);
	app_start(&w->apps[0]);
	*state = w;
	return 0;
}

static int enter(struct world *w)
{
	w->deployment.material = NULL;
	w->err = (struct err){ 0 };
	return fallback_enter(&w->deployment, &w->targets[0], NULL, &w->err);
}

static int leave(struct world *w)
{
	w->deployment.material = &w->b.material;
	return run(w);
}

static enum target_mode mode(struct world *w)
{
	enum target_mode now;

	assert_int_equal(target_mode_read(w->folder, "xc", &now, &w->err), 0);
	return now;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Programs that leave a mark; `before` and `after` are their argument vectors. */
struct guards {
	const char *before[2], *after[2];
	char *before_mark, *after_mark;
};

static struct guards guards_new(struct world *w, const char *before, const char *after)
{
	struct guards guards = {
		.before = { script(w, "before", before) },
		.after = { script(w, "after", after) },
		.before_mark = in_world(w, "guard-on"),
		.after_mark = in_world(w, "guard-off"),
	};

	return guards;
}

static void guards_use(struct world *w, struct guards *guards)
{
	w->targets[0].before_fallback = (struct program){ guards->before, NULL, 10 };
	w->targets[0].after_fallback = (struct program){ guards->after, NULL, 10 };
}

static void guards_free(struct guards *guards)
{
	free((char *)(uintptr_t)guards->before[0]);
	free((char *)(uintptr_t)guards->after[0]);
	free(guards->before_mark);
	free(guards->after_mark);
}

#define MARK_ON "touch \"${0%/*}/guard-on\""
#define MARK_OFF "touch \"${0%/*}/guard-off\""

static void it_falls_back_and_comes_back_with_the_settings(void **state)
{
	struct world *w = *state;
	struct guards guards = guards_new(w, MARK_ON, MARK_OFF);
	char *general = path_join(w->apps[0].dir, GENERAL), *before, *reset, *after,
	     *json;

	guards_use(w, &guards);
	before = bytes_of(general);
	assert_int_equal(enter(w), 0);
	assert_plain_http(&w->apps[0]);
	assert_int_equal(mode(w), MODE_FALLBACK);
	assert_false(fallback_unfinished(w->folder, "xc"));
	assert_false(exists(w->apps[0].tls_json));
	assert_true(exists(guards.before_mark));
	assert_false(exists(guards.after_mark));
	reset = bytes_of(general);
	assert_string_not_equal(before, reset);
	assert_int_equal(enter(w), 0); /* once more is no more */

	assert_int_equal(leave(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_true(w->outcome.all_done);
	assert_serves(&w->apps[0], &w->b);
	assert_int_equal(mode(w), MODE_HTTPS);
	assert_true(exists(guards.after_mark));
	after = bytes_of(general);
	assert_string_equal(before, after);
	assert_int_equal(w->outcome.targets[0].notes.n, 1);
	assert_contains(w->outcome.targets[0].notes.items[0],
			"general.json' is put back");
	json = bytes_of(w->apps[0].tls_json);
	assert_contains(json, "12345678901234567890,\r\n"); /* the bytes it had */
	free(json);
	free(after);
	free(reset);
	free(before);
	free(general);
	guards_free(&guards);
}

static void the_copies_of_settings_are_gone_afterwards(void **state)
{
	struct world *w = *state;
	char *kept = str_printf("%s/targets/xc/fallback.json", w->folder);
	char *copies = str_printf("%s/targets/xc/settings", w->folder);
	struct strlist left = { 0 };

	w->targets[0].install_dir = NULL; /* then they are found above tls.json */
	assert_int_equal(enter(w), 0);
	assert_int_equal(dir_find(copies, "", &left, &w->err), 0);
	assert_int_equal(left.n, 2); /* tls.json and general.json */
	strlist_clear(&left);
	assert_int_equal(leave(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_false(exists(kept));
	assert_int_equal(dir_find(copies, "", &left, &w->err), 0);
	assert_int_equal(left.n, 0);
	free(kept);
	free(copies);
}

static void a_guard_that_fails_means_no_fallback(void **state)
{
	struct world *w = *state;
	struct guards guards = guards_new(w, "echo firewall is locked; exit 4", MARK_OFF);
	char *before = bytes_of(w->apps[0].tls_json), *after;

	guards_use(w, &guards);
	assert_int_equal(enter(w), -1);
	assert_contains(w->err.text,
			"target 'xc': fall back to HTTP: no fallback, "
			"everything is left as it was, because before_fallback "
			"failed");
	assert_contains(w->err.text, "firewall is locked");
	assert_int_equal(mode(w), MODE_HTTPS);
	assert_serves(&w->apps[0], &w->a);
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(before, after);
	assert_false(fallback_unfinished(w->folder, "xc"));

	w->targets[0].even_if_guard_fails = true;
	assert_int_equal(enter(w), 0);
	assert_plain_http(&w->apps[0]);
	assert_true(noted(w, "even_if_guard_fails"));
	free(before);
	free(after);
	guards_free(&guards);
}

static void a_guard_that_will_not_go_is_told_and_https_is_served(void **state)
{
	struct world *w = *state;
	struct guards guards = guards_new(w, MARK_ON, "echo stuck; exit 5");

	guards_use(w, &guards);
	assert_int_equal(enter(w), 0);
	assert_int_equal(leave(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	assert_int_equal(w->outcome.targets[0].notes.n, 2);
	assert_contains(w->outcome.targets[0].notes.items[1], "after_fallback: ");
	assert_contains(w->outcome.targets[0].notes.items[1], "stuck");
	guards_free(&guards);
}

static void http_that_does_not_come_up_puts_tls_json_back(void **state)
{
	struct world *w = *state;
	struct guards guards = guards_new(w, MARK_ON, MARK_OFF);
	char *before = bytes_of(w->apps[0].tls_json), *after;
	char *json = str_printf("{\"refuse\": \"I want TLS\", \"except\": \"%s\"}",
				cert_sha1(w->a.cert));

	guards_use(w, &guards);
	app_misbehaves(&w->apps[0], json);
	assert_int_equal(enter(w), -1);
	assert_contains(w->err.text, "I want TLS");
	assert_contains(w->err.text, "tls.json is back and the service runs with it");
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(before, after);
	assert_serves(&w->apps[0], &w->a);
	assert_int_equal(mode(w), MODE_HTTPS);
	assert_true(exists(guards.after_mark));
	assert_false(fallback_unfinished(w->folder, "xc"));
	free(before);
	free(after);
	free(json);
	guards_free(&guards);
}

static void an_http_port_that_does_not_answer_puts_tls_json_back(void **state)
{
	struct world *w = *state;

	w->targets[0].http = "127.0.0.1:1"; /* nobody is there */
	w->targets[0].verify_timeout_s = 1;
	assert_int_equal(enter(w), -1);
	assert_contains(w->err.text, "127.0.0.1:1");
	assert_contains(w->err.text, "tls.json is back");
	assert_serves(&w->apps[0], &w->a);
}

static void a_way_back_that_fails_ends_in_plain_http_again(void **state)
{
	struct world *w = *state;

	assert_int_equal(enter(w), 0);
	w->targets[0].verify_timeout_s = 1;
	w->apps[0].endpoint.connect = "127.0.0.1:1"; /* nobody is there */
	assert_int_equal(leave(w), 0);
	assert_end(w, 0, DEPLOY_ROLLED_BACK, "plain HTTP is served again");
	assert_false(exists(w->apps[0].tls_json));
	assert_plain_http(&w->apps[0]);
	assert_int_equal(mode(w), MODE_FALLBACK);
	w->apps[0].endpoint.connect = w->apps[0].listener_connect;
	assert_int_equal(leave(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
}

static void an_operators_tls_json_during_fallback_wins(void **state)
{
	struct world *w = *state;
	char *after;

	assert_int_equal(enter(w), 0);
	testcert_write(w->apps[0].tls_json, "{\"tlsEnabled\": false}");
	assert_int_equal(leave(w), 0);
	assert_end(w, 0, DEPLOY_OPERATOR, "an operator has written tls.json");
	assert_int_equal(mode(w), MODE_OPERATOR);
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(after, "{\"tlsEnabled\": false}");
	assert_plain_http(&w->apps[0]);
	assert_int_equal(enter(w), -1);
	assert_contains(w->err.text, "an operator has taken it over");

	w->deployment.material = &w->b.material;
	assert_int_equal(run_target(w, "xc", true), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL); /* told to */
	assert_serves(&w->apps[0], &w->b);
	free(after);
}

static void what_cannot_fall_back_says_so(void **state)
{
	struct world *w = *state;

	w->targets[0].http = NULL;
	assert_int_equal(enter(w), -1);
	assert_contains(w->err.text, "'http:' are needed");
	w->targets[0].http = w->apps[0].http;
	app_ctl(&w->apps[0], "stop");
	assert_int_equal(enter(w), -1);
	assert_contains(w->err.text, "is stopped");
	assert_true(exists(w->apps[0].tls_json));
}

static void a_damaged_copy_of_tls_json_does_not_keep_it_on_http(void **state)
{
	struct world *w = *state;
	char *copies = str_printf("%s/targets/xc/settings", w->folder);
	struct strlist files = { 0 };

	assert_int_equal(enter(w), 0);
	assert_int_equal(dir_find(copies, "/0", &files, &w->err), 0);
	assert_int_equal(files.n, 1);
	testcert_write(files.items[0], "scribble");
	assert_int_equal(leave(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	assert_contains(w->outcome.targets[0].notes.items[1], "is made anew");
	strlist_clear(&files);
	free(copies);
}

static void a_damaged_copy_of_a_setting_does_not_keep_it_on_http(void **state)
{
	struct world *w = *state;
	char *copies = str_printf("%s/targets/xc/settings", w->folder);
	struct strlist files = { 0 };

	assert_int_equal(enter(w), 0);
	assert_int_equal(dir_find(copies, "/1", &files, &w->err), 0);
	assert_int_equal(files.n, 1);
	testcert_write(files.items[0], "scribble");
	assert_int_equal(leave(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	assert_contains(w->outcome.targets[0].notes.items[0], "is not put back");
	strlist_clear(&files);
	free(copies);
}

static void a_setting_that_cannot_be_put_back_does_not_keep_tls_json_away(void **state)
{
	struct world *w = *state;
	char *general = path_join(w->apps[0].dir, GENERAL);
	char *body = str_printf("rm -rf '%s'; mkdir '%s'; exit 1", general, general);
	char *path = script(w, "breaks", body), *before = bytes_of(w->apps[0].tls_json);
	const char *argv[] = { path, NULL };
	const struct service service = w->targets[0].service;
	char *after;

	w->targets[0].service = (struct service){
		.kind = SERVICE_COMMAND,
		.command = { .argv = argv, .timeout_s = 10 },
		.timeout_s = 10,
	};
	assert_int_equal(enter(w), -1);
	assert_contains(w->err.text, "the way back failed");
	assert_true(exists(w->apps[0].tls_json));
	after = bytes_of(w->apps[0].tls_json);
	assert_string_equal(before, after);
	assert_true(fallback_unfinished(w->folder, "xc")); /* tried again */
	w->targets[0].service = service;
	free(after);
	free(before);
	free(path);
	free(body);
	free(general);
}

static void a_damaged_fallback_journal_does_not_keep_it_on_http(void **state)
{
	struct world *w = *state;
	char *kept = str_printf("%s/targets/xc/fallback.json", w->folder);

	assert_int_equal(enter(w), 0);
	testcert_write(kept, "{\"state\": 7");
	assert_int_equal(leave(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	assert_int_equal(mode(w), MODE_HTTPS);
	assert_true(noted(w, "it was set aside as 'fallback.json.damaged-r1'"));
	free(kept);
}

static void a_service_that_died_on_http_is_started_again(void **state)
{
	struct world *w = *state;

	assert_int_equal(enter(w), 0);
	app_ctl(&w->apps[0], "stop");
	assert_int_equal(enter(w), 0);
	assert_plain_http(&w->apps[0]);
}

#define EXPIRED(test) cmocka_unit_test_setup_teardown(test, set_up_expired, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXPIRED(it_falls_back_and_comes_back_with_the_settings),
		EXPIRED(the_copies_of_settings_are_gone_afterwards),
		EXPIRED(a_guard_that_fails_means_no_fallback),
		EXPIRED(a_guard_that_will_not_go_is_told_and_https_is_served),
		EXPIRED(http_that_does_not_come_up_puts_tls_json_back),
		EXPIRED(an_http_port_that_does_not_answer_puts_tls_json_back),
		EXPIRED(a_way_back_that_fails_ends_in_plain_http_again),
		EXPIRED(an_operators_tls_json_during_fallback_wins),
		EXPIRED(what_cannot_fall_back_says_so),
		EXPIRED(a_damaged_copy_of_tls_json_does_not_keep_it_on_http),
		EXPIRED(a_damaged_copy_of_a_setting_does_not_keep_it_on_http),
		EXPIRED(a_setting_that_cannot_be_put_back_does_not_keep_tls_json_away),
		EXPIRED(a_damaged_fallback_journal_does_not_keep_it_on_http),
		EXPIRED(a_service_that_died_on_http_is_started_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

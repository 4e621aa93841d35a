/* Death at every change of a disk on the way down to plain HTTP and back up. */
#include "tests/unit/hooks/deploy_faults.h"

static int fall(struct world *w)
{
	return fallback_enter(&w->deployment, &w->targets[0], NULL, &w->err);
}

static void end_is_http(struct world *w)
{
	enum target_mode mode;

	assert_int_equal(fall(w), 0);
	assert_plain_http(&w->apps[0]);
	assert_int_equal(target_mode_read(w->folder, "xc", &mode, &w->err), 0);
	assert_int_equal(mode, MODE_FALLBACK);
	assert_false(fallback_unfinished(w->folder, "xc"));
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
}

static void a_fallback_that_dies_is_finished(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ expire, fall, end_is_http, 1 },
			     FAULT_KILL_BEFORE, 10);
}

static void end_is_https(struct world *w)
{
	char *tls_json;

	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
	assert_serves(&w->apps[0], &w->b);
	assert_false(fallback_unfinished(w->folder, "xc"));
	tls_json = bytes_of(w->apps[0].tls_json);
	assert_contains(tls_json, "12345678901234567890,\r\n"); /* the bytes it had */
	free(tls_json);
}

static void expire_and_want_tls(struct world *w)
{
	char *json;

	expire(w);
	json = str_printf("{\"refuse\": \"I want TLS\", \"except\": \"%s\"}",
			  cert_sha1(w->a.cert));
	app_misbehaves(&w->apps[0], json);
	free(json);
}

static int fall_in_vain(struct world *w)
{
	return fall(w) == -1 ? 0 : 1;
}

static void end_is_put_back(struct world *w)
{
	enum target_mode mode;

	assert_int_equal(fall(w), -1);
	assert_contains(w->err.text, "I want TLS");
	assert_contains(w->err.text, "tls.json is back and the service runs with it");
	assert_serves(&w->apps[0], &w->a);
	assert_int_equal(target_mode_read(w->folder, "xc", &mode, &w->err), 0);
	assert_int_equal(mode, MODE_HTTPS);
	assert_false(fallback_unfinished(w->folder, "xc"));
	app_misbehaves(&w->apps[0], NULL);
	end_is_https(w);
}

static void a_fallback_in_vain_that_dies_is_put_back(void **state)
{
	(void)state;
	kill_at_every_change(
		&(struct sweep){ expire_and_want_tls, fall_in_vain, end_is_put_back, 1 },
		FAULT_KILL_BEFORE, 10);
}

/* A certificate comes while the fallback is half done: up again from wherever it was. */
static void a_certificate_ends_a_fallback_that_died(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ expire, fall, end_is_https, 1 },
			     FAULT_KILL_BEFORE, 10);
}

static void fallen(struct world *w)
{
	expire(w);
	assert_int_equal(fall(w), 0);
}

static void a_way_back_that_dies_is_finished(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ fallen, run, end_is_https, 1 },
			     FAULT_KILL_BEFORE, 14);
}

/* ---- one that nobody wants any more --------------------------------------- */

static void end_is_abandoned(struct world *w)
{
	char *tls_json;

	assert_int_equal(fallback_abandon(&w->deployment, &w->targets[0],
					  "'when_expired' is 'keep' now", &w->err),
			 0);
	assert_false(fallback_unfinished(w->folder, "xc"));
	tls_json = bytes_of(w->apps[0].tls_json);
	if (tls_json) /* else it was over before it died */
		assert_serves(&w->apps[0], &w->a);
	else
		assert_plain_http(&w->apps[0]);
	free(tls_json);
	assert_int_equal(run(w), 0);
	assert_end(w, 0, DEPLOY_DONE, NULL);
}

static void a_fallback_that_died_can_be_taken_back(void **state)
{
	(void)state;
	kill_at_every_change(&(struct sweep){ expire, fall, end_is_abandoned, 1 },
			     FAULT_KILL_BEFORE, 10);
}

/* ---- a full disk ----------------------------------------------------------- */

/* Somebody is served whatever could not be written, and the next try ends it. */
static void a_full_disk_leaves_nobody_without(void **state)
{
	unsigned nth = 1;
	bool fired = true;

	(void)state;
	for (; fired; nth++) {
		struct world *w = world_new(1);

		expire(w);
		fault_arm(FAULT_FAIL, nth);
		(void)fall(w);
		fired = fault_fired();
		if (!app_serves(&w->apps[0], &w->a))
			assert_plain_http(&w->apps[0]);
		end_is_http(w);
		world_free(w);
	}
	assert_true(nth >= 10);
}

/* ---- after_fallback -------------------------------------------------------- */

static unsigned lines_of(const char *path)
{
	char *bytes = bytes_of(path);
	unsigned n = 0;

	for (const char *at = bytes; at && *at; at++)
		n += *at == '\n';
	free(bytes);
	return n;
}

/* Dies on its way back at each change: it runs once, and a second time only when we had
 * no time to write down that it had ended. */
static void after_fallback_runs_once(void **state)
{
	unsigned again = 0, nth = 1;
	bool died = true;

	(void)state;
	for (; died; nth++) {
		struct world *w = world_new(1);
		char *path = script(w, "after", "echo off >>\"${0%/*}/guard-off\"");
		char *mark = in_world(w, "guard-off");
		const char *argv[] = { path, NULL };

		fallen(w);
		w->targets[0].after_fallback = (struct program){ argv, NULL, 10 };
		died = dies(w, run, FAULT_KILL_BEFORE, nth);
		assert_int_equal(run(w), 0);
		assert_serves(&w->apps[0], &w->b);
		assert_in_range(lines_of(mark), 1, 2);
		again += lines_of(mark) - 1;
		free(mark);
		free(path);
		world_free(w);
	}
	assert_int_equal(again, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fallback_that_dies_is_finished),
		cmocka_unit_test(a_fallback_in_vain_that_dies_is_put_back),
		cmocka_unit_test(a_certificate_ends_a_fallback_that_died),
		cmocka_unit_test(a_way_back_that_dies_is_finished),
		cmocka_unit_test(a_fallback_that_died_can_be_taken_back),
		cmocka_unit_test(a_full_disk_leaves_nobody_without),
		cmocka_unit_test(after_fallback_runs_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Death at every change of a disk on the way down to plain HTTP and back up. */
#include "tests/unit/hooks/deploy_faults.h"

static int fall(struct world *w)
{
	return fallback_enter(&w->deployment, &w->targets[0], &w->err);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fallback_that_dies_is_finished),
		cmocka_unit_test(a_fallback_in_vain_that_dies_is_put_back),
		cmocka_unit_test(a_certificate_ends_a_fallback_that_died),
		cmocka_unit_test(a_way_back_that_dies_is_finished),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

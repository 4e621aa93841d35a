#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/str.h"
#include "hooks/probe.h"
#include "tests/unit/base/tempdir.h"
#include "tests/unit/hooks/tls_server.h"

#define NOW INT64_C(1795000000)
#define EXPIRES INT64_C(1802776000)

struct world {
	struct testcert *leaf, *other;
	struct cert *cert; /* leaf with its chain, as it is deployed */
	struct tls_server server;
	struct endpoint endpoint;
};

static int set_up(void **state)
{
	struct world *w = mem_calloc(1, sizeof(*w));
	struct testcert *root = testcert_ca("Test Root");
	struct testcert *ca = testcert_new(&(struct testcert_spec){
		.issuer = root, .ca = true, .common_name = "Test CA" });

	w->leaf = testcert_leaf(ca, "new.example", NOW, EXPIRES);
	w->other = testcert_leaf(ca, "old.example", NOW, EXPIRES);
	w->cert = cert_from_x509(w->leaf->x509, w->leaf->above);
	w->server.cert = w->leaf;
	w->server.other = w->other;
	w->server.with_chain = true;
	w->endpoint.connect = w->server.connect;
	testcert_free(root);
	testcert_free(ca);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	cert_free(w->cert);
	testcert_free(w->leaf);
	testcert_free(w->other);
	free(w);
	return 0;
}

static int verify(struct world *w, const struct probe_result *baseline, struct err *err)
{
	int rc;

	server_start(&w->server);
	rc = probe_verify(&w->endpoint, 1, w->cert, baseline, 1, NULL, err);
	server_stop(&w->server);
	return rc;
}

static void assert_unproven(struct world *w, const struct probe_result *baseline,
			    const char *part)
{
	struct err err = { 0 };

	assert_int_equal(verify(w, baseline, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_says(&err, part);
	assert_says(&err, w->server.connect);
}

static void three_handshakes_in_a_row_prove_a_deployment(void **state)
{
	struct world *w = *state;
	struct err err;

	if (verify(w, NULL, &err))
		fail_msg("%s", err.text);
	assert_int_equal(atomic_load(&w->server.connections), 3);
}

static void the_old_certificate_is_named_with_its_expiry(void **state)
{
	struct world *w = *state;
	char *shown = testcert_thumbprint(w->other), *text;
	struct probe_result baseline;

	w->server.cert = w->other;
	text = str_printf(" serves %s (expires 2027-02-16 11:06 UTC), not %s", shown,
			  cert_sha1(w->cert));
	assert_unproven(w, NULL, text);
	free(text);

	atomic_store(&w->server.stop, false);
	server_start(&w->server);
	probe_endpoint(&w->endpoint, 5, NULL, &baseline);
	server_stop(&w->server);
	atomic_store(&w->server.stop, false);
	text = str_printf(" still serves %s", shown);
	assert_unproven(w, &baseline, text);
	free(text);
	free(shown);
}

static void one_handshake_with_another_certificate_starts_the_count_again(void **state)
{
	struct world *w = *state;
	struct err err;

	/* Old, old, new, new, ...: the reload of a server with several workers. */
	w->server.cert = w->other;
	w->server.other = w->leaf;
	atomic_store(&w->server.serve_other, 2);
	if (verify(w, NULL, &err))
		fail_msg("%s", err.text);
	assert_int_equal(atomic_load(&w->server.connections), 5);

	/* New, new, old for good: two in a row are not enough. */
	w->server.cert = w->leaf;
	w->server.other = w->other;
	atomic_store(&w->server.connections, 0);
	atomic_store(&w->server.stop, false);
	assert_unproven(w, NULL, "serves");
}

static void an_incomplete_chain_fails_where_it_was_complete_or_required(void **state)
{
	struct world *w = *state;
	struct probe_result baseline = { .kind = PROBE_TLS, .chain_complete = true };
	struct err err;

	w->server.with_chain = false;
	assert_unproven(w, &baseline, "without its intermediate certificates");

	atomic_store(&w->server.stop, false);
	w->endpoint.chain_required = true;
	assert_unproven(w, NULL, "give the application fullchain.pem");

	/* As before: it was incomplete, or nothing was there. */
	w->endpoint.chain_required = false;
	baseline.chain_complete = false;
	atomic_store(&w->server.stop, false);
	assert_int_equal(verify(w, &baseline, &err), 0);
	atomic_store(&w->server.stop, false);
	assert_int_equal(verify(w, NULL, &err), 0);
}

static void a_complete_chain_satisfies_whoever_requires_it(void **state)
{
	struct world *w = *state;
	struct probe_result baseline = { .kind = PROBE_TLS, .chain_complete = true };
	struct err err;

	w->endpoint.chain_required = true;
	if (verify(w, &baseline, &err))
		fail_msg("%s", err.text);
}

static void plain_text_and_silence_are_told_apart(void **state)
{
	struct world *w = *state;

	w->server.manner = SERVES_TEXT;
	w->server.text = "HTTP/1.0 200 OK\r\n\r\n";
	assert_unproven(w, NULL, "answers, but does not speak TLS");
	atomic_store(&w->server.stop, false);
	w->server.manner = HANGS;
	assert_unproven(w, NULL, "does not answer: no answer in time");
}

static void every_endpoint_has_to_show_it(void **state)
{
	struct world *w = *state;
	struct tls_server second = { .cert = w->other };
	struct endpoint both[2] = { { .connect = w->server.connect },
				    { .connect = second.connect } };
	struct err err = { 0 };
	int rc;

	server_start(&w->server);
	server_start(&second);
	rc = probe_verify(both, 2, w->cert, NULL, 1, NULL, &err);
	server_stop(&w->server);
	server_stop(&second);
	assert_int_equal(rc, -1);
	assert_says(&err, second.connect);
	assert_int_equal(probe_verify(both, 0, w->cert, NULL, 1, NULL, &err), 0);
}

static void *listen_later(void *arg)
{
	clock_sleep_ms(400, NULL);
	return listen(*(int *)arg, 16) ? arg : NULL;
}

static void a_server_that_comes_up_slowly_is_waited_for(void **state)
{
	struct world *w = *state;
	struct tls_server *server = &w->server;
	pthread_t thread;
	struct err err;
	int rc;

	assert_int_equal(server_bind(server), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, server_loop, server), 0);
	assert_int_equal(pthread_create(&thread, NULL, listen_later, &server->fd), 0);
	rc = probe_verify(&w->endpoint, 1, w->cert, NULL, 5, NULL, &err);
	pthread_join(thread, NULL);
	server_stop(server);
	if (rc)
		fail_msg("%s", err.text);
}

static void *cancel_soon(void *cancel)
{
	clock_sleep_ms(300, NULL);
	cancel_request(cancel);
	return NULL;
}

static void waiting_ends_within_a_second_of_being_cancelled(void **state)
{
	struct world *w = *state;
	struct cancel *cancel = cancel_new();
	int64_t before = clock_mono_ms();
	struct err err = { 0 };
	pthread_t thread;

	w->server.cert = w->other;
	server_start(&w->server);
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, cancel), 0);
	assert_int_equal(probe_verify(&w->endpoint, 1, w->cert, NULL, 60, cancel, &err),
			 -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	assert_in_range(clock_mono_ms() - before, 250, 2300);
	pthread_join(thread, NULL);
	server_stop(&w->server);
	cancel_free(cancel);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(three_handshakes_in_a_row_prove_a_deployment),
		TEST(the_old_certificate_is_named_with_its_expiry),
		TEST(one_handshake_with_another_certificate_starts_the_count_again),
		TEST(an_incomplete_chain_fails_where_it_was_complete_or_required),
		TEST(a_complete_chain_satisfies_whoever_requires_it),
		TEST(plain_text_and_silence_are_told_apart),
		TEST(every_endpoint_has_to_show_it),
		TEST(a_server_that_comes_up_slowly_is_waited_for),
		TEST(waiting_ends_within_a_second_of_being_cancelled),
	};

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/http_client.h"
#include "tempdir.h"
#include "tests/unit/base/tls_peer.h"

static struct tls_peer *peer;

static int set_up(void **state)
{
	(void)state;
	peer = tls_peer_start();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tls_peer_stop(peer);
	return 0;
}

static struct http_client *client_with(struct http_client_options options,
				       const struct cancel *cancel)
{
	struct http_client *client = NULL;
	struct err err;

	if (http_client_new(&options, cancel, &client, &err))
		fail_msg("%s", err.text);
	return client;
}

static struct http_client *trusting(void)
{
	return client_with(
		(struct http_client_options){ .ca_bundle = tls_peer_bundle(peer),
					      .timeout_s = 10 },
		NULL);
}

static int request(struct http_client *client, const char *method, const char *path,
		   struct http_response *ret, struct err *err)
{
	char *url = str_printf("https://127.0.0.1:%u%s", tls_peer_port(peer), path);
	struct http_request asked = { .method = method, .url = url, .max_redirects = 3 };
	int rc;

	if (str_equal(method, "POST")) {
		asked.body = "{}";
		asked.body_len = 2;
	}
	*err = (struct err){ 0 };
	*ret = (struct http_response){ 0 };
	rc = http_client_perform(client, &asked, ret, err);
	free(url);
	return rc;
}

static void must(int rc, const struct err *err)
{
	if (rc)
		fail_msg("%s", err->text);
}

static void refuses(struct http_client *client, const char *path, enum err_kind kind,
		    const char *part)
{
	struct http_response response;
	struct err err;

	assert_int_equal(request(client, "GET", path, &response, &err), -1);
	assert_says(&err, part);
	assert_int_equal(err.kind, kind);
}

static void an_answer_comes_with_status_headers_body_and_date(void **state)
{
	struct http_client *client = trusting();
	struct http_response response;
	int64_t date, mono_ms;
	struct err err;

	(void)state;
	assert_false(http_client_date(client, &date, &mono_ms));
	must(request(client, "GET", "/hello", &response, &err), &err);
	assert_int_equal(response.status, 200);
	assert_string_equal(buf_str(&response.body), "hello");
	assert_string_equal(http_header(&response, "replay-nonce"), "abc");
	assert_null(http_header(&response, "replay"));
	assert_int_equal(response.date, 1445412480);
	assert_true(str_ends(response.url, "/hello"));
	assert_true(http_client_date(client, &date, &mono_ms));
	assert_int_equal(date, 1445412480);
	assert_in_range(clock_mono_ms() - mono_ms, 0, 5000);
	http_response_release(&response);

	must(request(client, "POST", "/echo", &response, &err), &err);
	assert_string_equal(buf_str(&response.body), "POST {}");
	http_response_release(&response);
	must(request(client, "HEAD", "/hello", &response, &err), &err);
	assert_int_equal(response.body.len, 0);
	http_response_release(&response);
	must(request(client, "GET", "/500", &response, &err), &err);
	assert_int_equal(response.status, 500);
	http_response_release(&response);
	http_client_free(client);
}

static void one_connection_serves_all_requests(void **state)
{
	struct http_client *client = trusting();
	unsigned long requests, connections;
	struct http_response response;
	struct err err;
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		must(request(client, i % 2 ? "POST" : "GET", "/hello", &response, &err),
		     &err);
		http_response_release(&response);
	}
	http_client_counts(client, &requests, &connections);
	assert_int_equal(requests, 5);
	assert_int_equal(connections, 1);
	assert_int_equal(tls_peer_connections(peer), 1);
	must(request(client, "GET", "/redirect/2", &response, &err), &err);
	assert_string_equal(buf_str(&response.body), "hello");
	assert_true(str_ends(response.url, "/redirect/0"));
	http_response_release(&response);
	http_client_counts(client, &requests, &connections);
	assert_int_equal(requests, 8);
	assert_int_equal(connections, 1);
	http_client_free(client);
}

static void a_connection_that_the_peer_closed_is_opened_again(void **state)
{
	struct http_client *client = trusting();
	unsigned long requests, connections;
	struct http_response response;
	struct err err;

	(void)state;
	must(request(client, "GET", "/then-close", &response, &err), &err);
	http_response_release(&response);
	clock_sleep_ms(200, NULL);
	must(request(client, "POST", "/echo", &response, &err), &err);
	http_response_release(&response);
	http_client_counts(client, &requests, &connections);
	assert_int_equal(connections, 2);
	http_client_free(client);
}

static void an_untrusted_certificate_is_refused_and_no_time_learnt_from_it(void **state)
{
	struct http_client *client = client_with((struct http_client_options){ 0 }, NULL);
	int64_t date, mono_ms;

	(void)state;
	refuses(client, "/hello", ERR_CONFIG, "unable to get local issuer certificate");
	refuses(client, "/hello", ERR_CONFIG, "name its root in ca_bundle");
	refuses(client, "/hello", ERR_CONFIG, "GET https://127.0.0.1:");
	assert_false(http_client_date(client, &date, &mono_ms));
	http_client_free(client);
}

static void a_trusted_certificate_for_another_host_is_refused(void **state)
{
	struct http_client *client = trusting();
	char *url = str_printf("https://localhost:%u/hello", tls_peer_port(peer));
	struct http_request asked = { .method = "GET", .url = url };
	struct http_response response;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(http_client_perform(client, &asked, &response, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "localhost");
	free(url);
	http_client_free(client);
}

static void an_unusable_bundle_is_named(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "ca.pem");
	struct http_client_options options = { .ca_bundle = path };
	struct http_client *client = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(http_client_new(&options, NULL, &client, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "No such file");
	put(path, "hello\n", 0644);
	assert_int_equal(http_client_new(&options, NULL, &client, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "holds no certificate");
	put(path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0644);
	assert_int_equal(http_client_new(&options, NULL, &client, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "certificate 1 is damaged");
	assert_says(&err, path);
	assert_null(client);
	free(path);
	tempdir_free(dir);
}

static void a_body_over_the_limit_is_refused(void **state)
{
	struct http_client *client = client_with(
		(struct http_client_options){ .ca_bundle = tls_peer_bundle(peer),
					      .timeout_s = 10,
					      .max_body_bytes = 1000 },
		NULL);

	(void)state;
	refuses(client, "/large", ERR_REFUSED, "the answer is larger than allowed");
	refuses(client, "/endless", ERR_REFUSED, "the answer is larger than allowed");
	refuses(client, "/many-headers", ERR_REFUSED, "too many or too large headers");
	http_client_free(client);
}

static void redirects_end_at_the_limit_and_never_lead_to_plain_http(void **state)
{
	struct http_client *client = trusting();
	struct http_response response;
	struct err err;

	(void)state;
	must(request(client, "GET", "/redirect/3", &response, &err), &err);
	http_response_release(&response);
	refuses(client, "/redirect/4", ERR_REFUSED, "redirects");
	refuses(client, "/to-plain", ERR_REFUSED, "only https:// is spoken here");
	must(request(client, "POST", "/redirect/1", &response, &err), &err);
	assert_int_equal(response.status, 302);
	http_response_release(&response);
	http_client_free(client);
}

static void a_truncated_body_is_transient(void **state)
{
	struct http_client *client = trusting();

	(void)state;
	refuses(client, "/truncated", ERR_TRANSIENT, "GET https://");
	http_client_free(client);
}

static void nobody_listening_is_transient(void **state)
{
	struct http_client *client = client_with((struct http_client_options){ 0 }, NULL);
	struct http_request asked = { .method = "GET", .url = "https://127.0.0.1:1/dir" };
	struct http_response response;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(http_client_perform(client, &asked, &response, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_says(&err, "GET https://127.0.0.1:1/dir: Failed to connect");
	http_client_free(client);
}

static void a_hanging_peer_ends_with_the_timeout(void **state)
{
	struct http_client *client = client_with(
		(struct http_client_options){ .ca_bundle = tls_peer_bundle(peer),
					      .timeout_s = 1 },
		NULL);
	int64_t began = clock_mono_ms();

	(void)state;
	refuses(client, "/hang", ERR_TRANSIENT, "timed out");
	assert_in_range(clock_mono_ms() - began, 900, 3000);
	http_client_free(client);
}

static void *cancel_soon(void *cancel)
{
	clock_sleep_ms(300, NULL);
	cancel_request(cancel);
	return NULL;
}

static void cancelling_ends_a_request_within_a_second(void **state)
{
	struct cancel *cancel = cancel_new();
	struct http_client *client = client_with(
		(struct http_client_options){ .ca_bundle = tls_peer_bundle(peer) },
		cancel);
	int64_t began = clock_mono_ms();
	struct http_response response;
	pthread_t thread;
	struct err err;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, cancel), 0);
	assert_int_equal(request(client, "GET", "/hang", &response, &err), -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	assert_in_range(clock_mono_ms() - began, 300, 1300);
	pthread_join(thread, NULL);
	http_client_free(client);
	cancel_free(cancel);
}

static int perform_url(struct http_client *client, const char *url, bool secret,
		       struct err *err)
{
	struct http_request asked = { .method = "POST",
				      .url = url,
				      .url_is_secret = secret };
	struct http_response response;

	*err = (struct err){ 0 };
	return http_client_perform(client, &asked, &response, err);
}

static void no_secret_of_a_url_gets_into_a_sentence(void **state)
{
	struct http_client *client = client_with((struct http_client_options){ 0 }, NULL);
	struct err err;

	(void)state;
	assert_int_equal(
		perform_url(client, "https://me:pw@127.0.0.1:1/a?key=tok", false, &err),
		-1);
	assert_says(&err, "POST https://127.0.0.1:1/a: ");
	assert_null(strstr(err.text, "pw"));
	assert_null(strstr(err.text, "tok"));
	assert_int_equal(
		perform_url(client, "https://127.0.0.1:1/services/T0/tok", true, &err),
		-1);
	assert_says(&err, "POST https://127.0.0.1:1/...: ");
	assert_null(strstr(err.text, "tok"));
	http_client_free(client);
}

static void plain_http_and_nonsense_are_refused(void **state)
{
	struct http_client *client = client_with((struct http_client_options){ 0 }, NULL);
	struct err err;

	(void)state;
	assert_int_equal(perform_url(client, "http://127.0.0.1:1/", false, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_says(&err, "only https:// is spoken here");
	assert_int_equal(perform_url(client, "https://[::1", false, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	http_client_free(client);

	client = client_with((struct http_client_options){ .allow_plain = true }, NULL);
	assert_int_equal(perform_url(client, "http://127.0.0.1:1/", false, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	http_client_free(client);
}

/* curl takes no text of more than 8,000,000 bytes. The peer is there and would answer. */
static void an_option_that_curl_refuses_stops_the_request(void **state)
{
	char *proxy = mem_calloc(9000001, 1);
	struct http_client *client;

	(void)state;
	memset(proxy, 'x', 9000000);
	client = client_with((struct http_client_options){ .proxy = proxy }, NULL);
	refuses(client, "/ok", ERR_IO, "cannot set up libcurl: ");
	http_client_free(client);
	free(proxy);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(an_answer_comes_with_status_headers_body_and_date),
		CASE(one_connection_serves_all_requests),
		CASE(a_connection_that_the_peer_closed_is_opened_again),
		CASE(an_untrusted_certificate_is_refused_and_no_time_learnt_from_it),
		CASE(a_trusted_certificate_for_another_host_is_refused),
		cmocka_unit_test(an_unusable_bundle_is_named),
		CASE(a_body_over_the_limit_is_refused),
		CASE(redirects_end_at_the_limit_and_never_lead_to_plain_http),
		CASE(a_truncated_body_is_transient),
		cmocka_unit_test(nobody_listening_is_transient),
		CASE(an_option_that_curl_refuses_stops_the_request),
		CASE(a_hanging_peer_ends_with_the_timeout),
		CASE(cancelling_ends_a_request_within_a_second),
		cmocka_unit_test(no_secret_of_a_url_gets_into_a_sentence),
		cmocka_unit_test(plain_http_and_nonsense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

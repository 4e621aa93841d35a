#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "hooks/channel.h"
#include "tests/unit/base/tempdir.h"
#include "tests/unit/hooks/tls_server.h"

#define JSON "{\"event\":\"renewed\"}"
#define SECRET "Bearer s3cr3t-t0ken"

/* Delivers to an http:// webhook that answers `text`; the request is left in *server. */
static int deliver(struct tls_server *server, const char *text, const char *authorization,
		   struct err *err)
{
	struct channel channel = { .kind = CHANNEL_KIND_WEBHOOK,
				   .name = "ops",
				   .authorization = authorization };
	char *url;
	int rc;

	server->manner = SERVES_TEXT;
	server->text = text;
	server->until = JSON;
	server_start(server);
	url = str_printf("http://%s/hooks/wh-s3cr3t", server->connect);
	channel.url = url;
	rc = channel_deliver(&channel, JSON, NULL, NULL, NULL, NULL, err);
	server_stop(server);
	free(url);
	return rc;
}

static void a_webhook_gets_the_document_and_the_authorization(void **state)
{
	struct tls_server server = { 0 };
	struct err err;

	(void)state;
	if (deliver(&server, "HTTP/1.1 204 No Content\r\n\r\n", SECRET, &err))
		fail_msg("%s", err.text);
	if (strncmp(server.request, "POST /hooks/wh-s3cr3t HTTP/1.1\r\n", 32) != 0 ||
	    !strstr(server.request, "\r\nContent-Type: application/json\r\n") ||
	    !strstr(server.request, "\r\nAuthorization: " SECRET "\r\n") ||
	    !strstr(server.request, "\r\n\r\n" JSON))
		fail_msg("%s", server.request);
}

static void without_an_authorization_there_is_no_such_header(void **state)
{
	struct tls_server server = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(deliver(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
				 NULL, &err),
			 0);
	assert_null(strstr(server.request, "Authorization"));
}

static void assert_undelivered(const char *answer, enum err_kind kind, const char *part)
{
	struct tls_server server = { 0 };
	struct err err = { 0 };

	assert_int_equal(deliver(&server, answer, SECRET, &err), -1);
	if (err.kind != kind)
		fail_msg("it is '%s': %s", err_kind_name(err.kind), err.text);
	assert_says(&err, "alert channel 'ops': ");
	assert_says(&err, part);
	if (strstr(err.text, "s3cr3t"))
		fail_msg("a secret: %s", err.text);
}

static void other_answers_are_errors_with_their_first_words(void **state)
{
	(void)state;
	assert_undelivered("HTTP/1.1 500 Oops\r\n\r\ndatabase is\ndown", ERR_TRANSIENT,
			   "the webhook answered 500: database is down");
	assert_undelivered("HTTP/1.1 403 No\r\n\r\n", ERR_REFUSED,
			   "the webhook answered 403");
	assert_undelivered("HTTP/1.1 302 Found\r\nLocation: https://evil/\r\n"
			   "Content-Length: 0\r\n\r\n",
			   ERR_REFUSED, "the webhook answered 302");
	assert_undelivered("rubbish", ERR_REFUSED, "POST");
}

static void a_webhook_that_echoes_secrets_does_not_get_them_into_the_error(void **state)
{
	(void)state;
	assert_undelivered("HTTP/1.1 401 No\r\n\r\nbad: " SECRET " at /hooks/wh-s3cr3t",
			   ERR_REFUSED, "the webhook answered 401: bad: ****");
	assert_undelivered("HTTP/1.1 401 No\r\n\r\ntoken s3cr3t-t0ken is unknown",
			   ERR_REFUSED, "token ************ is unknown");
}

static void a_webhook_may_say_when_to_come_again(void **state)
{
	struct tls_server server = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(deliver(&server, "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\n\r\n",
				 NULL, &err),
			 -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_int_equal(err.retry_after_s, 120);
}

static void a_webhook_that_is_not_there_is_tried_later(void **state)
{
	struct tls_server server = { 0 };
	struct channel channel = { .kind = CHANNEL_KIND_WEBHOOK, .name = "ops" };
	struct err err = { 0 };
	char *url;

	(void)state;
	assert_int_equal(server_bind(&server), 0);
	url = str_printf("http://user:pa55w0rd@%s/?key=s3cr3t", server.connect);
	channel.url = url;
	assert_int_equal(channel_deliver(&channel, JSON, NULL, NULL, NULL, NULL, &err),
			 -1);
	close(server.fd);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_says(&err, server.connect);
	assert_null(strstr(err.text, "s3cr3t"));
	assert_null(strstr(err.text, "pa55w0rd"));
	free(url);
}

static void an_authorization_of_two_lines_is_not_sent(void **state)
{
	struct tls_server server = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(deliver(&server, "HTTP/1.1 200 OK\r\n\r\n",
				 "Bearer s3cr3t\nX-Evil: 1", &err),
			 -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "must be one line");
	assert_null(strstr(err.text, "s3cr3t"));
	assert_int_equal(atomic_load(&server.connections), 0);
}

/* ---- over TLS ------------------------------------------------------------ */

static void the_date_of_a_webhook_over_tls_is_told(void **state)
{
	struct testcert *ca = testcert_ca("Webhook CA");
	struct testcert *leaf = testcert_new(
		&(struct testcert_spec){ .issuer = ca,
					 .names = (const char *[]){ "hook", NULL },
					 .ips = (const char *[]){ "127.0.0.1", NULL } });
	struct tls_server server = { .cert = leaf,
				     .until = JSON,
				     .text = "HTTP/1.1 200 OK\r\n"
					     "Date: Sat, 21 Nov 2026 03:31:28 GMT\r\n"
					     "Content-Length: 0\r\n\r\n" };
	struct channel channel = { .kind = CHANNEL_KIND_WEBHOOK, .name = "ops" };
	char *dir = tempdir_new(), *bundle = path_join(dir, "ca.pem"), *url, *pem;
	int64_t date = -1, mono_ms = -1, before = clock_mono_ms();
	struct err err = { 0 };
	int trusted, unknown;

	(void)state;
	pem = testcert_pem(ca);
	put(bundle, pem, 0644);
	server_start(&server);
	url = str_printf("https://%s/x", server.connect);
	channel.url = url;
	unknown = channel_deliver(&channel, JSON, NULL, NULL, &date, &mono_ms, &err);
	assert_int_equal(date, 0);
	channel.ca_bundle = bundle;
	trusted = channel_deliver(&channel, JSON, NULL, NULL, &date, &mono_ms, &err);
	server_stop(&server);
	assert_int_equal(unknown, -1);
	if (trusted)
		fail_msg("%s", err.text);
	assert_int_equal(date, 1795231888);
	assert_true(mono_ms >= before && mono_ms <= clock_mono_ms());

	channel.ca_bundle = "/no/such/bundle.pem";
	assert_int_equal(
		channel_deliver(&channel, JSON, NULL, NULL, &date, &mono_ms, &err), -1);
	assert_says(&err, "/no/such/bundle.pem");
	free(pem);
	free(url);
	free(bundle);
	tempdir_free(dir);
	testcert_free(leaf);
	testcert_free(ca);
}

/* ---- programs ------------------------------------------------------------ */

static int run_script(const char *script, const char *dir, const struct cancel *cancel,
		      struct err *err)
{
	const char *argv[] = { "/bin/sh", "-c", script, "sh", dir, NULL };
	const char *env[] = { "CERTRENEWD_EVENT=renewed", "CERTRENEWD_SEVERITY=notice",
			      "CERTRENEWD_CERTIFICATE=shop", NULL };
	struct channel channel = { .kind = CHANNEL_KIND_PROGRAM,
				   .name = "page",
				   .program = { .argv = argv } };
	int64_t date = -1, mono_ms = -1;
	int rc = channel_deliver(&channel, JSON, env, cancel, &date, &mono_ms, err);

	assert_int_equal(date, 0);
	assert_int_equal(mono_ms, 0);
	return rc;
}

static void a_program_gets_the_document_and_its_environment(void **state)
{
	char *dir = tempdir_new(), *out = path_join(dir, "out");
	struct err err;

	(void)state;
	if (run_script("cat > \"$1/out\"; echo \" $CERTRENEWD_EVENT $CERTRENEWD_SEVERITY "
		       "$CERTRENEWD_CERTIFICATE\" >> \"$1/out\"",
		       dir, NULL, &err))
		fail_msg("%s", err.text);
	assert_holds(out, JSON " renewed notice shop\n");
	free(out);
	tempdir_free(dir);
}

static void a_program_that_fails_is_quoted(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(run_script("echo no modem >&2; exit 3", "", NULL, &err), -1);
	assert_says(&err, "alert channel 'page': ");
	assert_says(&err, "exited with code 3");
	assert_says(&err, "no modem");
}

static void a_program_is_ended_when_we_are_asked_to_stop(void **state)
{
	struct cancel *cancel = cancel_new();
	struct err err = { 0 };

	(void)state;
	cancel_request(cancel);
	assert_int_equal(run_script("sleep 30", "", cancel, &err), -1);
	assert_int_equal(err.kind, ERR_CANCELLED);
	cancel_free(cancel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_webhook_gets_the_document_and_the_authorization),
		cmocka_unit_test(without_an_authorization_there_is_no_such_header),
		cmocka_unit_test(other_answers_are_errors_with_their_first_words),
		cmocka_unit_test(
			a_webhook_that_echoes_secrets_does_not_get_them_into_the_error),
		cmocka_unit_test(a_webhook_may_say_when_to_come_again),
		cmocka_unit_test(a_webhook_that_is_not_there_is_tried_later),
		cmocka_unit_test(an_authorization_of_two_lines_is_not_sent),
		cmocka_unit_test(the_date_of_a_webhook_over_tls_is_told),
		cmocka_unit_test(a_program_gets_the_document_and_its_environment),
		cmocka_unit_test(a_program_that_fails_is_quoted),
		cmocka_unit_test(a_program_is_ended_when_we_are_asked_to_stop),
	};

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The answer to tls-alpn-01 as a CA sees it: by a TLS client, and by what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hooks/tls_alpn01.h"
#include "tests/support/testcert.h"
#include "tls_client.h"

struct world {
	struct tls_alpn01 *listener;
	const struct testcert *one, *two;
	unsigned port;
	char listen[32];
};

/* RSA keys are made slowly: once for all tests. */
static struct testcert *one, *two;

static int make_certificates(void **state)
{
	(void)state;
	one = testcert_new(
		&(struct testcert_spec){ .names = (const char *[]){ "one.example", 0 } });
	two = testcert_new(&(struct testcert_spec){
		.names = (const char *[]){ "two.example", 0 }, .key_type = "rsa-2048" });
	return 0;
}

static int free_certificates(void **state)
{
	(void)state;
	testcert_free(one);
	testcert_free(two);
	return 0;
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->listener = tls_alpn01_new();
	w->one = one;
	w->two = two;
	close(take_port(&w->port));
	snprintf(w->listen, sizeof(w->listen), "127.0.0.1:%u", w->port);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	tls_alpn01_free(w->listener);
	free(w);
	return 0;
}

static void serve(struct world *w, const char *listen, const char *name,
		  const struct testcert *cert)
{
	struct err err;

	if (tls_alpn01_serve(w->listener, listen, name, cert->x509, cert->key, &err))
		fail_msg("%s", err.text);
}

static void shows(unsigned port, const char *server_name, const struct testcert *cert)
{
	const struct client client = { .server_name = server_name, .protocols = ACME };

	assert_int_equal(shake(port, &client, cert), CERTIFICATE);
}

/* ---- what a CA sees ----------------------------------------------------------- */

static void two_names_are_answered_at_once_each_with_its_own(void **state)
{
	struct world *w = *state;

	serve(w, w->listen, "one.example", w->one);
	serve(w, w->listen, "Two.example", w->two);
	shows(w->port, "one.example", w->one);
	shows(w->port, "two.example", w->two);
	shows(w->port, "ONE.Example", w->one);
}

static void tls_1_2_is_answered_and_older_is_not(void **state)
{
	struct world *w = *state;
	struct client client = { .server_name = "one.example", .protocols = ACME };

	serve(w, w->listen, "one.example", w->one);
	client.version = TLS1_2_VERSION;
	assert_int_equal(shake(w->port, &client, w->one), CERTIFICATE);
	client.version = TLS1_3_VERSION;
	assert_int_equal(shake(w->port, &client, w->one), CERTIFICATE);
	client.version = TLS1_1_VERSION;
	assert_int_equal(shake(w->port, &client, NULL), SSL_AD_PROTOCOL_VERSION);
}

static void another_protocol_is_refused(void **state)
{
	struct world *w = *state;
	struct client client = { .server_name = "one.example", .protocols = HTTP };

	serve(w, w->listen, "one.example", w->one);
	assert_int_equal(shake(w->port, &client, NULL), SSL_AD_NO_APPLICATION_PROTOCOL);
	client.version = TLS1_2_VERSION;
	assert_int_equal(shake(w->port, &client, NULL), SSL_AD_NO_APPLICATION_PROTOCOL);
	client.protocols = "\x0a"
			   "acme-tls/2";
	assert_int_equal(shake(w->port, &client, NULL), SSL_AD_NO_APPLICATION_PROTOCOL);
	client.protocols = HTTP ACME;
	assert_int_equal(shake(w->port, &client, w->one), CERTIFICATE);
}

static void no_protocol_is_refused(void **state)
{
	struct world *w = *state;
	struct client client = { .server_name = "one.example" };

	serve(w, w->listen, "one.example", w->one);
	assert_int_equal(shake(w->port, &client, NULL), SSL_AD_NO_APPLICATION_PROTOCOL);
	client.version = TLS1_2_VERSION;
	assert_int_equal(shake(w->port, &client, NULL), SSL_AD_NO_APPLICATION_PROTOCOL);
}

static void an_unknown_name_and_none_are_refused(void **state)
{
	struct world *w = *state;
	struct client client = { .server_name = "two.example", .protocols = ACME };

	serve(w, w->listen, "one.example", w->one);
	assert_int_equal(shake(w->port, &client, NULL), SSL_AD_UNRECOGNIZED_NAME);
	client.server_name = NULL;
	assert_int_equal(shake(w->port, &client, NULL), SSL_AD_UNRECOGNIZED_NAME);
}

static void an_address_is_asked_for_by_its_reverse_name(void **state)
{
	struct world *w = *state;

	serve(w, w->listen, "7.2.0.192.in-addr.arpa", w->one);
	shows(w->port, "7.2.0.192.in-addr.arpa", w->one);
}

/* ---- where --------------------------------------------------------------------- */

static void without_an_address_both_families_are_answered(void **state)
{
	struct world *w = *state;
	const struct client client = { .family = AF_INET6,
				       .server_name = "one.example",
				       .protocols = ACME };

	snprintf(w->listen, sizeof(w->listen), ":%u", w->port);
	serve(w, w->listen, "one.example", w->one);
	shows(w->port, "one.example", w->one);
	if (has_ipv6())
		assert_int_equal(shake(w->port, &client, w->one), CERTIFICATE);
}

static void an_ipv6_address_is_answered_alone(void **state)
{
	struct world *w = *state;
	const struct client client = { .family = AF_INET6,
				       .server_name = "one.example",
				       .protocols = ACME };

	if (!has_ipv6())
		skip();
	snprintf(w->listen, sizeof(w->listen), "[::1]:%u", w->port);
	serve(w, w->listen, "one.example", w->one);
	assert_int_equal(shake(w->port, &client, w->one), CERTIFICATE);
	assert_int_equal(connect_to(AF_INET, w->port), -1);
}

static void the_last_withdrawn_closes_the_port(void **state)
{
	struct world *w = *state;
	const struct client gone = { .server_name = "one.example", .protocols = ACME };

	assert_int_equal(connect_to(AF_INET, w->port), -1);
	serve(w, w->listen, "one.example", w->one);
	serve(w, w->listen, "two.example", w->two);
	tls_alpn01_withdraw(w->listener, w->listen, "ONE.example");
	assert_int_equal(shake(w->port, &gone, NULL), SSL_AD_UNRECOGNIZED_NAME);
	shows(w->port, "two.example", w->two);
	tls_alpn01_withdraw(w->listener, w->listen, "two.example");
	assert_int_equal(connect_to(AF_INET, w->port), -1);
	tls_alpn01_withdraw(w->listener, w->listen, "two.example");
	serve(w, w->listen, "one.example", w->one);
	shows(w->port, "one.example", w->one);
}

static void a_name_has_one_answer_at_a_time(void **state)
{
	struct world *w = *state;
	struct err err;

	serve(w, w->listen, "one.example", w->one);
	assert_int_equal(tls_alpn01_serve(w->listener, w->listen, "One.example",
					  w->two->x509, w->two->key, &err),
			 -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_string_equal(err.text, "another order is proving 'One.example' by "
				      "tls-alpn-01 just now: one after the other");
	shows(w->port, "one.example", w->one);
}

static void a_taken_port_is_told_with_its_owner(void **state)
{
	struct world *w = *state;
	unsigned port;
	int fd = take_port(&port);
	char *expected = str_printf("port %u is taken by 'test_tls_alpn01' (process %d)",
				    port, (int)getpid());
	struct err err;

	snprintf(w->listen, sizeof(w->listen), "127.0.0.1:%u", port);
	assert_int_equal(tls_alpn01_check(w->listener, w->listen, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_string_equal(err.text, expected);
	assert_int_equal(tls_alpn01_serve(w->listener, w->listen, "one.example",
					  w->one->x509, w->one->key, &err),
			 -1);
	assert_string_equal(err.text, expected);
	snprintf(w->listen, sizeof(w->listen), ":%u", port);
	assert_int_equal(tls_alpn01_check(w->listener, w->listen, &err), -1);
	assert_string_equal(err.text, expected);
	close(fd);
	assert_int_equal(tls_alpn01_check(w->listener, w->listen, &err), 0);
	assert_int_equal(connect_to(AF_INET, port), -1);
	free(expected);
}

static void what_we_listen_on_ourselves_can_be_listened_on(void **state)
{
	struct world *w = *state;
	struct err err;

	serve(w, w->listen, "one.example", w->one);
	assert_int_equal(tls_alpn01_check(w->listener, w->listen, &err), 0);
	shows(w->port, "one.example", w->one);
}

static void no_address_of_this_machine_is_refused(void **state)
{
	static const char *const wrong[] = { "443",           ":0",      ":65536",
					     "localhost:443", "::1:443", "[::1]",
					     "[]:443",        ":443x",   "1.2.3:443" };
	struct world *w = *state;
	struct err err;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char *expected = str_printf("cannot listen on '%s': expected ':443', "
					    "'127.0.0.1:443' or '[::1]:443'",
					    wrong[i]);

		assert_int_equal(tls_alpn01_check(w->listener, wrong[i], &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_string_equal(err.text, expected);
		free(expected);
	}
	assert_int_equal(tls_alpn01_check(w->listener, "192.0.2.1:443", &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, "cannot listen on '192.0.2.1:443': this machine "
				      "has no such address");
}

/* ---- what is no CA ---------------------------------------------------------------- */

static void is_hung_up_on(struct world *w, const void *bytes, size_t n)
{
	int fd = connect_to(AF_INET, w->port);

	assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
	assert_true(is_closed(fd, 3000));
	close(fd);
}

static void bytes_that_are_no_tls_end_the_connection(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\n\r\n";
	unsigned char record[5 + 512] = { 0x16, 3, 1, 2, 0 }; /* a handshake of zeros */
	unsigned char endless[40000];
	struct world *w = *state;

	serve(w, w->listen, "one.example", w->one);
	is_hung_up_on(w, request, strlen(request));
	is_hung_up_on(w, record, sizeof(record));
	for (size_t i = 0; i < sizeof(endless); i++) /* empty warnings and records */
		endless[i] = (unsigned char)("\x17\x03\x03\x00\x00"[i % 5]);
	is_hung_up_on(w, endless, sizeof(endless));
	shows(w->port, "one.example", w->one);
}

/* A ClientHello as long as TLS lets it be, which comes in pieces: more than we take. */
static void a_hello_without_end_is_not_kept(void **state)
{
	unsigned char record[5 + 16384] = { 0x16, 3, 1, 0x40, 0, 1, 1, 0, 0 };
	struct world *w = *state;
	int fd;

	serve(w, w->listen, "one.example", w->one);
	fd = connect_to(AF_INET, w->port);
	for (int i = 0; i < 3; i++) {
		(void)!send(fd, record, sizeof(record), MSG_NOSIGNAL);
		memset(record + 5, 0, 4);
	}
	assert_true(is_closed(fd, 3000));
	close(fd);
	shows(w->port, "one.example", w->one);
}

static void who_says_nothing_is_ended_after_five_seconds_and_bothers_nobody(void **state)
{
	struct world *w = *state;
	int64_t began = clock_mono_ms();
	int slow[3];

	serve(w, w->listen, "one.example", w->one);
	for (int i = 0; i < 3; i++)
		slow[i] = connect_to(AF_INET, w->port);
	assert_int_equal(send(slow[1], "\x16", 1, 0), 1);
	shows(w->port, "one.example", w->one);
	close(slow[2]);
	assert_true(is_closed(slow[0], 7000));
	assert_true(is_closed(slow[1], 1000));
	assert_in_range(clock_mono_ms() - began, 4500, 7000);
	close(slow[0]);
	close(slow[1]);
}

static void no_more_than_64_are_connected_and_stopping_ends_them(void **state)
{
	struct world *w = *state;
	int fds[65];

	serve(w, w->listen, "one.example", w->one);
	for (int i = 0; i < 65; i++) {
		fds[i] = connect_to(AF_INET, w->port);
		assert_true(fds[i] >= 0);
	}
	assert_true(is_closed(fds[64], 3000));
	assert_false(is_closed(fds[63], 50));
	tls_alpn01_withdraw(w->listener, w->listen, "one.example");
	for (int i = 0; i < 64; i++)
		assert_true(is_closed(fds[i], 1000));
	for (int i = 0; i < 65; i++)
		close(fds[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_names_are_answered_at_once_each_with_its_own),
		TEST(tls_1_2_is_answered_and_older_is_not),
		TEST(another_protocol_is_refused),
		TEST(no_protocol_is_refused),
		TEST(an_unknown_name_and_none_are_refused),
		TEST(an_address_is_asked_for_by_its_reverse_name),
		TEST(without_an_address_both_families_are_answered),
		TEST(an_ipv6_address_is_answered_alone),
		TEST(the_last_withdrawn_closes_the_port),
		TEST(a_name_has_one_answer_at_a_time),
		TEST(a_taken_port_is_told_with_its_owner),
		TEST(what_we_listen_on_ourselves_can_be_listened_on),
		TEST(no_address_of_this_machine_is_refused),
		TEST(bytes_that_are_no_tls_end_the_connection),
		TEST(a_hello_without_end_is_not_kept),
		TEST(who_says_nothing_is_ended_after_five_seconds_and_bothers_nobody),
		TEST(no_more_than_64_are_connected_and_stopping_ends_them),
	};

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}

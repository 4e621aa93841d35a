/* tls-alpn-01 is answered on Windows too: the same code on libuv's other half. What it
 * refuses is tested where it is the same, in tests/unit/hooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/random.h"
#include "base/str.h"
#include "hooks/tls_alpn01.h"
#include "tests/support/testcert.h"

#define ACME                                                                             \
	"\x0a"                                                                           \
	"acme-tls/1"
#define HTTP                                                                             \
	"\x08"                                                                           \
	"http/1.1"

struct world {
	struct tls_alpn01 *tls_alpn01;
	struct testcert *cert;
	char place[32]; /* on loopback */
	char listen[32];
};

static int set_up(void **state)
{
	struct world *w = mem_calloc(1, sizeof(*w));
	unsigned char bytes[2];
	unsigned port;

	random_bytes(bytes, sizeof(bytes));
	port = 20000 + (bytes[0] * 256U + bytes[1]) % 20000;
	snprintf(w->place, sizeof(w->place), "127.0.0.1:%u", port);
	snprintf(w->listen, sizeof(w->listen), ":%u", port);
	w->tls_alpn01 = tls_alpn01_new();
	w->cert = testcert_new(&(struct testcert_spec){
		.names = (const char *[]){ "a.example", NULL } });
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	tls_alpn01_free(w->tls_alpn01);
	testcert_free(w->cert);
	free(w);
	return 0;
}

static void serve(struct world *w, const char *listen)
{
	struct err err;

	if (tls_alpn01_serve(w->tls_alpn01, listen, "a.example", w->cert->x509,
			     w->cert->key, &err))
		fail_msg("%s", err.text);
}

static bool connects(const struct world *w)
{
	BIO *bio = BIO_new_connect(w->place);
	bool connected = BIO_do_connect(bio) == 1;

	ERR_clear_error();
	BIO_free_all(bio);
	return connected;
}

/* 0 when the handshake showed our certificate; else the alert that came. */
static int shake(const struct world *w, const char *server_name, const char *protocols)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	BIO *bio = BIO_new_ssl_connect(ctx);
	SSL *ssl = NULL;
	int rc = 0;

	BIO_get_ssl(bio, &ssl);
	BIO_set_conn_hostname(bio, w->place);
	SSL_set_tlsext_host_name(ssl, server_name);
	SSL_set_alpn_protos(ssl, (const unsigned char *)protocols,
			    (unsigned)strlen(protocols));
	ERR_clear_error();
	if (BIO_do_handshake(bio) == 1)
		assert_int_equal(X509_cmp(SSL_get0_peer_certificate(ssl), w->cert->x509),
				 0);
	else
		rc = ERR_GET_REASON(ERR_peek_error()) - SSL_AD_REASON_OFFSET;
	BIO_free_all(bio);
	SSL_CTX_free(ctx);
	return rc;
}

static void a_name_is_answered_and_nothing_else_is(void **state)
{
	struct world *w = *state;

	serve(w, w->place);
	assert_int_equal(shake(w, "A.Example", ACME), 0);
	assert_int_equal(shake(w, "a.example", HTTP), SSL_AD_NO_APPLICATION_PROTOCOL);
	assert_int_equal(shake(w, "b.example", ACME), SSL_AD_UNRECOGNIZED_NAME);
	assert_int_equal(shake(w, "a.example", ACME), 0);
}

static void the_last_withdrawn_closes_the_port(void **state)
{
	struct world *w = *state;

	assert_false(connects(w));
	serve(w, w->listen);
	assert_int_equal(shake(w, "a.example", ACME), 0);
	tls_alpn01_withdraw(w->tls_alpn01, w->listen, "a.example");
	assert_false(connects(w));
}

static void a_taken_port_is_told(void **state)
{
	struct world *w = *state;
	struct tls_alpn01 *other = tls_alpn01_new();
	struct err err;

	serve(w, w->place);
	assert_int_equal(tls_alpn01_check(other, w->place, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_non_null(strstr(err.text, "is taken by "));
	tls_alpn01_withdraw(w->tls_alpn01, w->place, "a.example");
	assert_int_equal(tls_alpn01_check(other, w->place, &err), 0);
	tls_alpn01_free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_answered_and_nothing_else_is),
		TEST(the_last_withdrawn_closes_the_port),
		TEST(a_taken_port_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

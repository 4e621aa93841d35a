/* probe.c - one TLS handshake that trusts nothing and tells what it saw. Old protocol
 * versions and weak keys are welcome here: they are what an operator has to hear about.
 */
#include "hooks/probe_parts.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/cancel.h"
#include "base/str.h"

/* "ALL" without anonymous suites: a server without a certificate is of no use here. */
#define CIPHERS "ALL:!aNULL:@SECLEVEL=0"

const char *probe_kind_name(enum probe_kind kind)
{
	static const char *const names[] = {
		[PROBE_NOTHING] = "nothing",
		[PROBE_PLAIN] = "plain",
		[PROBE_TLS] = "tls",
	};

	return names[kind];
}

struct handshake {
	const char *server_name;
	struct probe_look *look;
	unsigned char first[2]; /* what the server said first */
	size_t n_first;
	bool asked_for_ours; /* the server has proven itself and wants our certificate */
};

/* Notes the first bytes that come in: a TLS server begins with a record header. */
static long watch_bytes(BIO *bio, int oper, const char *data, size_t len, int argi,
			long argl, int ret, size_t *processed)
{
	struct handshake *handshake = (struct handshake *)BIO_get_callback_arg(bio);

	(void)len;
	(void)argi;
	(void)argl;
	if (oper != (BIO_CB_READ | BIO_CB_RETURN) || ret <= 0 || !processed)
		return ret;
	for (size_t i = 0; i < *processed && handshake->n_first < 2; i++)
		handshake->first[handshake->n_first++] = (unsigned char)data[i];
	return ret;
}

static bool spoke_tls(const struct handshake *handshake)
{
	return handshake->first[0] >= 20 && handshake->first[0] <= 24 &&
	       (handshake->n_first < 2 || handshake->first[1] == 3);
}

/* Called with what the server presents; keeps it, and judges nothing. */
static int keep_certificates(X509_STORE_CTX *ctx, void *arg)
{
	struct handshake *handshake = arg;
	struct probe_look *look = handshake->look;
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);

	look->leaf = X509_STORE_CTX_get0_cert(ctx);
	X509_up_ref(look->leaf);
	look->sent = sent ? X509_chain_up_ref(sent) : NULL;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

/* We have none to give; but by now the server has proven that it has its key. */
static int no_client_certificate(SSL *ssl, X509 **ret_cert, EVP_PKEY **ret_key)
{
	struct handshake *handshake = SSL_get_app_data(ssl);

	(void)ret_cert;
	(void)ret_key;
	handshake->asked_for_ours = true;
	return 0;
}

static SSL_CTX *new_context(struct handshake *handshake)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_cipher_list(ctx, CIPHERS);
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, keep_certificates, handshake);
	SSL_CTX_set_client_cert_cb(ctx, no_client_certificate);
	return ctx;
}

static SSL *new_session(SSL_CTX *ctx, struct handshake *handshake, int fd)
{
	SSL *ssl = ctx ? SSL_new(ctx) : NULL;

	if (!ssl || !SSL_set_fd(ssl, fd))
		goto fail;
	if (handshake->server_name &&
	    !SSL_set_tlsext_host_name(ssl, handshake->server_name))
		goto fail;
	SSL_set_app_data(ssl, handshake);
	BIO_set_callback_ex(SSL_get_rbio(ssl), watch_bytes);
	BIO_set_callback_arg(SSL_get_rbio(ssl), (char *)handshake);
	SSL_set_connect_state(ssl);
	return ssl;
fail:
	SSL_free(ssl);
	return NULL;
}

static int handshake_failed(SSL *ssl, int result, struct err *err)
{
	if (SSL_get_error(ssl, result) == SSL_ERROR_SYSCALL && !ERR_peek_error())
		err_set(err, ERR_TRANSIENT, "it hung up");
	else
		err_openssl(err, "handshake");
	err->kind = ERR_TRANSIENT;
	return -1;
}

static int shake_hands(SSL *ssl, int fd, const struct probe_deadline *deadline,
		       struct err *err)
{
	int result, want;

	for (;;) {
		ERR_clear_error();
		result = SSL_do_handshake(ssl);
		if (result == 1)
			break;
		want = SSL_get_error(ssl, result);
		if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
			return handshake_failed(ssl, result, err);
		if (probe_wait(deadline, fd, want == SSL_ERROR_WANT_READ, err))
			return -1;
	}
	SSL_shutdown(ssl); /* goodbye is not a byte for the application */
	ERR_clear_error();
	return 0;
}

/* The visit of one address. */
static int look_through(void *arg, int fd, const struct probe_deadline *deadline,
			struct err *err)
{
	struct handshake *handshake = arg;
	SSL_CTX *ctx = new_context(handshake);
	SSL *ssl = new_session(ctx, handshake, fd);
	int rc = -1;

	handshake->n_first = 0;
	handshake->asked_for_ours = false;
	if (!ssl) {
		err_openssl(err, "start TLS");
		goto out;
	}
	if (!shake_hands(ssl, fd, deadline, err) ||
	    (handshake->asked_for_ours && handshake->look->leaf)) {
		handshake->look->result.kind = PROBE_TLS;
		rc = 0;
	} else if (handshake->n_first && !spoke_tls(handshake)) {
		handshake->look->result.kind = PROBE_PLAIN;
		rc = 0;
	} else { /* what it presented it did not prove */
		probe_look_release(handshake->look);
	}
out:
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return rc;
}

/* Fills in what the certificate says. -1: it is not one that we can read. */
static int describe(struct probe_look *look, struct err *err)
{
	struct probe_result *result = &look->result;
	struct cert *cert = cert_from_x509(look->leaf, look->sent);

	if (!cert)
		return err_set(err, ERR_TRANSIENT, "its certificate cannot be read");
	snprintf(result->sha1, sizeof(result->sha1), "%s", cert_sha1(cert));
	snprintf(result->sha256, sizeof(result->sha256), "%s", cert_sha256(cert));
	snprintf(result->detail, sizeof(result->detail), "issued by %s",
		 cert_issuer_text(cert));
	result->not_before = cert_not_before(cert);
	result->not_after = cert_not_after(cert);
	result->chain_complete = probe_chain_links(look, true);
	probe_chain_issuers(look, result->issuers, sizeof(result->issuers));
	cert_free(cert);
	return 0;
}

void probe_look_at(const struct endpoint *endpoint, const struct probe_deadline *deadline,
		   struct probe_look *ret)
{
	struct handshake handshake = { .server_name = endpoint->server_name,
				       .look = ret };
	struct err err;
	int failed;

	*ret = (struct probe_look){ 0 };
	failed = probe_each_address(endpoint->connect, deadline, look_through, &handshake,
				    &err);
	if (!failed && ret->result.kind == PROBE_TLS)
		failed = describe(ret, &err);
	if (failed) {
		probe_look_release(ret);
		snprintf(ret->result.detail, sizeof(ret->result.detail), "%.*s",
			 (int)sizeof(ret->result.detail) - 1, err.text);
	} else if (ret->result.kind == PROBE_PLAIN) {
		snprintf(ret->result.detail, sizeof(ret->result.detail),
			 "something answers that does not speak TLS");
	}
}

void probe_look_release(struct probe_look *look)
{
	X509_free(look->leaf);
	sk_X509_pop_free(look->sent, X509_free);
	*look = (struct probe_look){ 0 };
}

void probe_endpoint(const struct endpoint *endpoint, int64_t timeout_s,
		    const struct cancel *cancel, struct probe_result *ret)
{
	struct probe_deadline deadline = probe_deadline_in(timeout_s, cancel);
	struct probe_look look;

	probe_look_at(endpoint, &deadline, &look);
	*ret = look.result;
	probe_look_release(&look);
}

/* cert_chain.c - do the certificates of a chain belong together, and is its end known? */
#include "base/cert.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/ca_store.h"
#include "base/cert_facts.h"

static X509 *nth(const struct cert *cert, int i)
{
	return i == 0 ? cert_leaf(cert) : sk_X509_value(cert_chain(cert), i - 1);
}

static bool looks_signed(X509 *subject, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool yes = X509_check_issued(issuer, subject) == X509_V_OK && key &&
		   X509_verify(subject, key) == 1;

	ERR_clear_error(); /* a signature that does not fit is an answer */
	return yes;
}

/* 1 yes, 0 no, -1 it cannot be told. OpenSSL keeps what it found out about a certificate
 * once, also that it had no memory for it, which it does not say: what does not fit is
 * looked at again in fresh copies. */
static int signed_by(X509 *subject, X509 *issuer, struct err *err)
{
	X509 *subject_again, *issuer_again;
	int said;

	if (looks_signed(subject, issuer))
		return 1;
	subject_again = X509_dup(subject);
	issuer_again = X509_dup(issuer);
	said = subject_again && issuer_again
		       ? looks_signed(subject_again, issuer_again)
		       : err_openssl(err, "check the signatures of the chain");
	X509_free(subject_again);
	X509_free(issuer_again);
	return said;
}

/* Each signed by the next. */
static int check_order(const struct cert *cert, struct err *err)
{
	char *subject, *issuer;
	int said;

	for (int i = 0; i < sk_X509_num(cert_chain(cert)); i++) {
		said = signed_by(nth(cert, i), nth(cert, i + 1), err);
		if (said < 0)
			return -1;
		if (said)
			continue;
		subject = cert_name_text(X509_get_subject_name(nth(cert, i)));
		issuer = cert_name_text(X509_get_subject_name(nth(cert, i + 1)));
		err_set(err, ERR_CONFIG,
			"the chain is broken: certificate %d '%.200s' did not sign "
			"certificate %d '%.200s'",
			i + 2, issuer, i + 1, subject);
		free(issuer);
		free(subject);
		return -1;
	}
	return 0;
}

/* Beside the system's trust. */
static int add_bundle(X509_STORE *store, const char *ca_bundle, struct err *err)
{
	if (!ca_bundle || X509_STORE_load_file(store, ca_bundle))
		return 0;
	err_openssl(err, "read ca_bundle '%s'", ca_bundle);
	err->kind = ERR_CONFIG;
	return -1;
}

static void not_trusted(X509_STORE_CTX *ctx, const char *ca_bundle, struct err *err)
{
	X509 *at = X509_STORE_CTX_get_current_cert(ctx);
	char *issuer = at ? cert_name_text(X509_get_issuer_name(at)) : NULL;

	err_set(err, ERR_CONFIG,
		"the chain is not trusted: issuer '%.200s': %s (looked in the system's "
		"trust%s%s)",
		issuer ? issuer : "?",
		X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)),
		ca_bundle ? " and in ca_bundle " : "; ca_bundle names another",
		ca_bundle ? ca_bundle : "");
	free(issuer);
}

static int check_trust(const struct cert *cert, const char *ca_bundle, struct err *err)
{
	X509_STORE *store = ca_store_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int rc = -1;

	ERR_clear_error();
	if (!store || !ctx) {
		err_openssl(err, "verify chain");
		goto out;
	}
	if (add_bundle(store, ca_bundle, err))
		goto out;
	if (!X509_STORE_set_flags(store, X509_V_FLAG_NO_CHECK_TIME) ||
	    !X509_STORE_CTX_init(ctx, store, cert_leaf(cert), cert_chain(cert))) {
		err_openssl(err, "verify chain");
		goto out;
	}
	if (!ca_store_verify(ctx, NULL)) {
		not_trusted(ctx, ca_bundle, err);
		ERR_clear_error();
		goto out;
	}
	rc = 0;
out:
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return rc;
}

int cert_verify_chain(const struct cert *cert, const char *ca_bundle,
		      bool trusted_required, struct err *err)
{
	if (check_order(cert, err))
		return -1;
	return trusted_required ? check_trust(cert, ca_bundle, err) : 0;
}

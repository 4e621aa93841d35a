/* probe_chain.c - is what a server sends enough for a client that knows only roots? */
#include "hooks/probe_parts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/ca_store.h"

#define MAX_STEPS CERT_MAX_CHAIN

static bool issued(X509 *issuer, X509 *subject)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool did = X509_check_issued(issuer, subject) == X509_V_OK && key &&
		   X509_verify(subject, key) == 1;

	ERR_clear_error();
	return did;
}

static bool is_root(X509 *x509)
{
	bool is = X509_self_signed(x509, 1) == 1;

	ERR_clear_error();
	return is;
}

static X509 *issuer_among(STACK_OF(X509) * sent, X509 *subject)
{
	for (int i = 0; i < sk_X509_num(sent); i++) {
		X509 *candidate = sk_X509_value(sent, i);

		if (X509_cmp(candidate, subject) != 0 && issued(candidate, subject))
			return candidate;
	}
	return NULL;
}

/* Does this system's trust hold the issuer? */
static bool issuer_trusted(X509 *subject)
{
	X509_STORE *store = ca_store_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *issuer = NULL;
	bool trusted = false;

	if (store && ctx && X509_STORE_CTX_init(ctx, store, subject, NULL) == 1) {
		if (X509_STORE_CTX_get1_issuer(&issuer, ctx, subject) != 1) {
			ca_store_read_file(store, NULL);
			X509_STORE_CTX_get1_issuer(&issuer, ctx, subject);
		}
		trusted = issuer && issued(issuer, subject);
	}
	X509_free(issuer);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return trusted;
}

bool probe_chain_links(const struct probe_look *look, bool lenient)
{
	X509 *at = look->leaf, *next;
	int steps = 0;

	while (!is_root(at) && steps < MAX_STEPS &&
	       (next = issuer_among(look->sent, at))) {
		at = next;
		steps++;
	}
	return is_root(at) || (lenient && steps > 0) || issuer_trusted(at);
}

bool probe_chain_has_all(const struct probe_look *look, const struct cert *cert)
{
	STACK_OF(X509) *chain = cert_chain(cert);

	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *wanted = sk_X509_value(chain, i);
		bool found = is_root(wanted); /* a root need not be sent */

		for (int k = 0; !found && k < sk_X509_num(look->sent); k++)
			found = X509_cmp(sk_X509_value(look->sent, k), wanted) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* probe_chain.c - is what a server sends enough for a client that knows only roots? */
#include "hooks/probe_parts.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/ca_store.h"
#include "base/str.h"

#define MAX_STEPS CERT_MAX_CHAIN
#define BELOW " < "
#define NAME_MAX_BYTES 128

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

/* ---- who stands above it ----------------------------------------------------- */

/* The issuer's common name, or the whole name where it has none. Gives. */
static char *issuer_name(const X509 *x509)
{
	const X509_NAME *name = X509_get_issuer_name(x509);
	int at = X509_NAME_get_index_by_NID((X509_NAME *)name, NID_commonName, -1), len;
	unsigned char *utf8 = NULL;
	char line[NAME_MAX_BYTES], *text;

	len = at < 0 ? -1
		     : ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(
							  X509_NAME_get_entry(name, at)));
	if (len >= 0) {
		text = str_ndup((const char *)utf8,
				strnlen((const char *)utf8, (size_t)len));
		OPENSSL_free(utf8);
	} else {
		X509_NAME_oneline(name, line, sizeof(line));
		text = str_dup(line);
	}
	str_make_printable(text);
	ERR_clear_error();
	return text;
}

void probe_chain_issuers(const struct probe_look *look, char *out, size_t size)
{
	X509 *at = look->leaf;
	size_t used = 0;

	out[0] = '\0';
	for (int steps = 0; at && steps <= MAX_STEPS; steps++) {
		char *name = issuer_name(at);
		size_t need = strlen(name) + (used ? strlen(BELOW) : 0);
		bool fits = used + need < size, root = is_root(at);

		if (fits && !(root && steps)) { /* a root's issuer is told already */
			str_copy(out + used, size - used, used ? BELOW : "");
			str_copy(out + strlen(out), size - strlen(out), name);
			used += need;
		}
		free(name);
		at = root || !fits ? NULL : issuer_among(look->sent, at);
	}
}

bool probe_issuers_have(const char *issuers, const char *name)
{
	size_t len = strlen(name);

	while (issuers && *issuers) {
		const char *end = strstr(issuers, BELOW);
		size_t n = end ? (size_t)(end - issuers) : strlen(issuers);

		if (n == len && !memcmp(issuers, name, n))
			return true;
		issuers = end ? end + strlen(BELOW) : NULL;
	}
	return false;
}

const char *probe_issuers_top(const char *issuers)
{
	const char *next;

	while ((next = strstr(issuers, BELOW)))
		issuers = next + strlen(BELOW);
	return issuers;
}

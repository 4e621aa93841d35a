/* cert.c - a certificate as one object: read, held, asked. What is read out of an X509
 * stands in cert_facts.c, what is written in cert_text.c, trust in cert_chain.c. */
#include "base/cert.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/cert_facts.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/str.h"

#define PEM_MAX_BYTES ((size_t)64 * 1024)

struct cert {
	X509 *leaf;
	STACK_OF(X509) * chain; /* never NULL; without the leaf */
	int64_t not_before, not_after;
	char sha1[CERT_SHA1_HEX], sha256[CERT_SHA256_HEX];
	char *serial, *common_name, *issuer;
	const char *key_type;
	struct strlist names;
};

static void digest_hex(const X509 *x509, const EVP_MD *md, bool upper, char *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!X509_digest(x509, md, digest, &len))
		len = 0;
	hex_encode(digest, len, upper, out);
}

/* Takes `leaf` and `chain`. -1 when a date is none; the object is usable all the same and
 * reads as long expired. */
static int cert_wrap(X509 *leaf, STACK_OF(X509) * chain, struct cert **ret_cert)
{
	struct cert *cert = mem_calloc(1, sizeof(*cert));
	int rc = 0;

	cert->leaf = leaf;
	cert->chain = chain;
	if (clock_from_asn1(X509_get0_notBefore(leaf), &cert->not_before) ||
	    clock_from_asn1(X509_get0_notAfter(leaf), &cert->not_after)) {
		cert->not_before = cert->not_after = 0;
		rc = -1;
	}
	digest_hex(leaf, EVP_sha1(), true, cert->sha1);
	digest_hex(leaf, EVP_sha256(), false, cert->sha256);
	cert->serial = cert_read_serial(leaf);
	cert->common_name = cert_read_common_name(leaf);
	cert->issuer = cert_name_text(X509_get_issuer_name(leaf));
	cert->key_type = cert_read_key_type(leaf);
	cert_read_names(leaf, &cert->names);
	*ret_cert = cert;
	return rc;
}

void cert_free(struct cert *cert)
{
	if (!cert)
		return;
	X509_free(cert->leaf);
	sk_X509_pop_free(cert->chain, X509_free);
	free(cert->serial);
	free(cert->common_name);
	free(cert->issuer);
	strlist_clear(&cert->names);
	free(cert);
}

static STACK_OF(X509) * new_chain(void)
{
	STACK_OF(X509) *chain = sk_X509_new_null();

	if (!chain || !sk_X509_reserve(chain, CERT_MAX_CHAIN))
		abort();
	return chain;
}

/* Does OpenSSL say, in any of its layers, that it wanted memory? Bytes are not damaged
 * because there was none to read them into. */
static bool is_out_of_memory(void)
{
	return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE ||
	       ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
}

/* Could the leaf's key be read after all, or is there no memory to tell? A key of a kind
 * that OpenSSL does not know cannot be read at any time. */
static bool is_key_lost(const X509 *leaf)
{
	unsigned char *der = NULL;
	const unsigned char *at;
	EVP_PKEY *key = NULL;
	int len;
	bool lost;

	ERR_clear_error();
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
	at = der;
	if (len > 0)
		key = d2i_PUBKEY(NULL, &at, len);
	lost = key || is_out_of_memory();
	EVP_PKEY_free(key);
	OPENSSL_free(der);
	return lost;
}

/* OpenSSL reads on without a key or a digest that it had no memory for. */
static bool is_half_read(const struct cert *cert)
{
	bool lost = !cert->sha1[0] || !cert->sha256[0] ||
		    (!X509_get0_pubkey(cert->leaf) && is_key_lost(cert->leaf));

	ERR_clear_error();
	return lost;
}

/* The next certificate of `pem`, other blocks skipped. 1 one was read, 0 end, -1 the text
 * is damaged. A private key beside it passes through here and is wiped. */
static int next_certificate(BIO *pem, X509 **ret_x509)
{
	char *name, *header;
	unsigned char *data;
	const unsigned char *p;
	bool wanted;
	long len;

	for (;;) {
		if (!PEM_read_bio(pem, &name, &header, &data, &len)) {
			unsigned long code = ERR_peek_last_error();
			bool end = ERR_GET_REASON(code) == PEM_R_NO_START_LINE;

			if (end)
				ERR_clear_error();
			return end ? 0 : -1;
		}
		wanted = str_equal(name, PEM_STRING_X509) ||
			 str_equal(name, PEM_STRING_X509_OLD);
		p = data;
		*ret_x509 = wanted ? d2i_X509(NULL, &p, len) : NULL;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)len);
		if (wanted)
			return *ret_x509 ? 1 : -1;
	}
}

/* Appends every certificate of `pem` to `chain`. */
static int read_certificates(BIO *pem, STACK_OF(X509) * chain, struct err *err)
{
	X509 *x509 = NULL;
	int found;

	while ((found = next_certificate(pem, &x509)) == 1) {
		if (sk_X509_num(chain) == CERT_MAX_CHAIN) {
			X509_free(x509);
			return err_set(err, ERR_CONFIG,
				       "more than %d certificates in one chain",
				       CERT_MAX_CHAIN);
		}
		sk_X509_push(chain, x509);
	}
	if (found < 0) {
		bool damaged = ERR_peek_error() && !is_out_of_memory(); /* it says so */

		err_openssl(err, "certificate %d in the PEM text is damaged",
			    sk_X509_num(chain) + 1);
		err->kind = damaged ? ERR_CONFIG : ERR_IO;
		return -1;
	}
	if (sk_X509_num(chain) == 0)
		return err_set(err, ERR_CONFIG, "no PEM certificate in it");
	return 0;
}

int cert_parse(const char *pem, size_t len, struct cert **ret_cert, struct err *err)
{
	STACK_OF(X509) *chain = new_chain();
	BIO *bio = NULL;
	X509 *leaf;
	struct cert *cert = NULL;
	int failed, rc = -1;

	if (len > PEM_MAX_BYTES) {
		err_set(err, ERR_CONFIG, "larger than %zu bytes: not a certificate chain",
			PEM_MAX_BYTES);
		goto out;
	}
	ERR_clear_error(); /* the reason given below shall be ours */
	bio = BIO_new_mem_buf(len ? pem : "", (int)len);
	if (!bio) {
		err_openssl(err, "read certificate");
		goto out;
	}
	if (read_certificates(bio, chain, err))
		goto out;
	leaf = sk_X509_shift(chain);
	failed = cert_wrap(leaf, chain, &cert);
	chain = NULL;
	if (failed) {
		err_set(err, ERR_CONFIG, "the certificate's dates are not valid dates");
		goto out;
	}
	if (is_half_read(cert)) {
		err_set(err, ERR_IO, "out of memory while a certificate was read");
		goto out;
	}
	*ret_cert = cert;
	rc = 0;
	cert = NULL;
out:
	cert_free(cert);
	sk_X509_pop_free(chain, X509_free);
	BIO_free(bio);
	return rc;
}

int cert_load(const char *path, struct cert **ret_cert, struct err *err)
{
	struct buf pem;
	int rc = -1;

	buf_init_secret(&pem, PEM_MAX_BYTES); /* a key may stand beside the certificate */
	if (file_read(path, &pem, err))
		goto out;
	if (cert_parse(buf_str(&pem), pem.len, ret_cert, err)) {
		err_wrap(err, "certificate '%s'", path);
		goto out;
	}
	rc = 0;
out:
	buf_release(&pem);
	return rc;
}

struct cert *cert_from_x509(X509 *leaf, STACK_OF(X509) * chain)
{
	STACK_OF(X509) *own = new_chain();
	struct cert *cert;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *x509 = sk_X509_value(chain, i);

		if (X509_cmp(x509, leaf) == 0 || sk_X509_num(own) == CERT_MAX_CHAIN - 1)
			continue;
		X509_up_ref(x509);
		sk_X509_push(own, x509);
	}
	X509_up_ref(leaf);
	(void)cert_wrap(leaf, own, &cert); /* a date that is none reads as expired */
	return cert;
}

X509 *cert_leaf(const struct cert *cert)
{
	return cert->leaf;
}

STACK_OF(X509) * cert_chain(const struct cert *cert)
{
	return cert->chain;
}

int64_t cert_not_before(const struct cert *cert)
{
	return cert->not_before;
}

int64_t cert_not_after(const struct cert *cert)
{
	return cert->not_after;
}

bool cert_is_over(int64_t not_after, int64_t now)
{
	return now > not_after;
}

int64_t cert_over_at(int64_t not_after)
{
	return not_after < INT64_MAX ? not_after + 1 : not_after;
}

bool cert_has_expired(const struct cert *cert, int64_t now)
{
	return cert_is_over(cert->not_after, now);
}

int64_t cert_lifetime_s(const struct cert *cert)
{
	return cert->not_after - cert->not_before + 1;
}

const char *cert_sha1(const struct cert *cert)
{
	return cert->sha1;
}

const char *cert_sha256(const struct cert *cert)
{
	return cert->sha256;
}

const char *cert_serial(const struct cert *cert)
{
	return cert->serial;
}

const char *const *cert_names(const struct cert *cert)
{
	static const char *const none[] = { NULL };

	return cert->names.n ? (const char *const *)cert->names.items : none;
}

const char *cert_common_name(const struct cert *cert)
{
	return cert->common_name;
}

static bool has_name(const char *const *names, const char *name)
{
	for (; *names; names++) {
		if (str_equal_nocase(*names, name))
			return true;
	}
	return false;
}

static bool has_all(const char *const *names, const char *const *wanted)
{
	for (; *wanted; wanted++) {
		if (!has_name(names, *wanted))
			return false;
	}
	return true;
}

bool cert_names_are(const struct cert *cert, const char *const *names)
{
	return has_all(cert_names(cert), names) && has_all(names, cert_names(cert));
}

static bool covers(const char *pattern, const char *name)
{
	const char *rest = strchr(name, '.');

	if (str_equal_nocase(pattern, name))
		return true;
	return str_starts(pattern, "*.") && rest && rest != name &&
	       str_equal_nocase(pattern + 1, rest);
}

bool cert_names_cover(const struct cert *cert, const char *const *names)
{
	const char *const *own = cert_names(cert);

	for (; *names; names++) {
		size_t i = 0;

		while (own[i] && !covers(own[i], *names))
			i++;
		if (!own[i])
			return false;
	}
	return true;
}

bool cert_matches_key(const struct cert *cert, const EVP_PKEY *key)
{
	const EVP_PKEY *own = X509_get0_pubkey(cert->leaf);
	bool same = own && key && EVP_PKEY_eq(own, key) == 1;

	ERR_clear_error(); /* "different key types" is an answer */
	return same;
}

const char *cert_key_type(const struct cert *cert)
{
	return cert->key_type;
}

/* OpenSSL says UINT32_MAX when there is no such extension. */
bool cert_has_server_auth(const struct cert *cert)
{
	return X509_get_extended_key_usage(cert->leaf) & (XKU_SSL_SERVER | XKU_ANYEKU);
}

bool cert_has_client_auth(const struct cert *cert)
{
	return X509_get_extended_key_usage(cert->leaf) & (XKU_SSL_CLIENT | XKU_ANYEKU);
}

const char *cert_issuer_text(const struct cert *cert)
{
	return cert->issuer;
}

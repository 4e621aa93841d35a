/* testcert.h - keys, CAs, leaves and chains made to measure, for unit tests.
 *
 * Everything asserts: a test that cannot make its certificate stops there. Say only what
 * matters to the test, the zero of every field is a sensible default:
 *
 *     struct testcert *ca = testcert_new(&(struct testcert_spec){ .ca = true,
 *                                         .common_name = "Test Root" });
 *     struct testcert *leaf = testcert_new(&(struct testcert_spec){
 *             .issuer = ca, .names = (const char *[]){ "xu.example", NULL },
 *             .not_before_at = now - DAY, .not_after_at = now + 89 * DAY });
 *     char *pem = testcert_fullchain_pem(leaf);     // leaf and intermediates, no root
 *     testcert_write(path, pem);
 *     free(pem);
 *     testcert_free(leaf);
 *     testcert_free(ca);
 *
 * For the most frequent case there are testcert_ca() and testcert_leaf(). An issuer may
 * be freed before the certificates that it signed.
 *
 * Dates default to the real clock; tests of policy give both. Link: testcert. */
#ifndef TESTS_SUPPORT_TESTCERT_H
#define TESTS_SUPPORT_TESTCERT_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#define TESTCERT_NO_AKI "" /* for .aki_hex: leave the extension out */

struct testcert {
	EVP_PKEY *key; /* with its private part */
	X509 *x509;
	STACK_OF(X509) *
		above; /* issuers, nearest first, the self-signed root left out */
};

struct testcert_spec {
	const struct testcert *issuer; /* NULL: self-signed. Borrowed */
	bool ca;                       /* basicConstraints CA, keyUsage keyCertSign */

	/* The subject: a common name (NULL: the first of `names`; none without names; ""
	 * leaves it out), or a whole one in OpenSSL's "/DC=local/DC=corp/CN=Corp CA"
	 * form. Each part is UTF-8; a backslash quotes the next character. */
	const char *common_name;
	const char *subject;

	const char *const *names; /* DNS SANs, NULL-terminated; NULL: no extension */
	const char *const *ips;   /* IP SANs, likewise */

	int64_t not_before_at; /* 0: an hour ago */
	int64_t not_after_at;  /* 0: 90 days after not_before_at */

	const char *key_type; /* "ec-p256" (also if NULL), "ec-p384", "rsa-2048", ... */
	EVP_PKEY *key;        /* use this key instead of a new one. Borrowed */

	const char *eku; /* "serverAuth,clientAuth"; NULL: serverAuth for leaves, none
			  * for CAs; "" leaves the extension out */
	const char *key_usage;  /* "digitalSignature,keyEncipherment"; NULL: by `ca` */
	const char *serial_hex; /* up to 40 digits; NULL: random */
	const char *aki_hex;    /* NULL: the issuer's key identifier; TESTCERT_NO_AKI */

	/* Signs with this key instead of the issuer's: a chain that does not hold.
	 * Borrowed */
	EVP_PKEY *sign_with;
};

/* Makes key and certificate. Gives; release with testcert_free(). */
struct testcert *testcert_new(const struct testcert_spec *spec);

/* A self-signed CA "CN=common_name", valid for ten years around now. Gives. */
struct testcert *testcert_ca(const char *common_name);

/* A leaf for one host with these dates, key type ec-p256. Borrows `issuer`. Gives. */
struct testcert *testcert_leaf(const struct testcert *issuer, const char *host,
			       int64_t not_before_at, int64_t not_after_at);

void testcert_free(struct testcert *cert); /* NULL is fine */

/* Only a key, of a key_type as above. Gives; EVP_PKEY_free(). */
EVP_PKEY *testcert_key(const char *key_type);

/* PEM texts. All give; the caller frees. */
char *testcert_pem(const struct testcert *cert);           /* this certificate only */
char *testcert_fullchain_pem(const struct testcert *cert); /* and issuers but the root */
char *testcert_key_pem(const struct testcert *cert);       /* PKCS#8, unencrypted */
char *testcert_pem_of_key(const EVP_PKEY *key);            /* the same of a bare key */

/* The .NET thumbprint: 40 upper-case hex digits of SHA-1, for comparing. Gives. */
char *testcert_thumbprint(const struct testcert *cert);

/* A PKCS#10 request made by another key can be answered with this: certifies the
 * request's key and DNS names. `csr_der` is what ACME's finalize carries. Borrows all.
 * Gives. */
struct testcert *testcert_from_csr(const struct testcert *issuer, const void *csr_der,
				   size_t len, int64_t not_before_at,
				   int64_t not_after_at);

/* Writes `text` to `path`, replacing what is there; the mode is by umask. */
void testcert_write(const char *path, const char *text);

#endif

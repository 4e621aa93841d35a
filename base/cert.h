/* cert.h - what a certificate says about itself.
 *
 * Reports facts and decides nothing: whether a certificate is due is the business of
 * daemon/renewal.h, whether a new one is acceptable of daemon/accept.h. */
#ifndef BASE_CERT_H
#define BASE_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"

#define CERT_SHA1_HEX 41 /* 40 upper-case hex digits and a NUL: .NET's thumbprint */
#define CERT_SHA256_HEX 65
#define CERT_MAX_CHAIN 10

/* A leaf with the intermediates that came with it. Immutable once parsed. */
struct cert;

/* Parses the PEM chain in `pem` (leaf first, RFC 8555 9.1; at most CERT_MAX_CHAIN, 64
 * KiB, text around the blocks is skipped, any private key in it is ignored). Gives
 * *ret_cert; release with cert_free(). Fails   ERR_CONFIG when it holds no usable
 * certificate. */
int cert_parse(const char *pem, size_t len, struct cert **ret_cert, struct err *err);

/* cert_parse() of a file. ERR_NOT_FOUND, ERR_CONFIG, ERR_IO. */
int cert_load(const char *path, struct cert **ret_cert, struct err *err);

/* Wraps what a TLS peer presented. Borrows both (references are taken); chain may be
 * NULL and may contain the leaf. Never NULL: a date that is no date reads as 1970, which
 * is expired. */
struct cert *cert_from_x509(X509 *leaf, STACK_OF(X509) * chain);

void cert_free(struct cert *cert); /* NULL is fine */

X509 *cert_leaf(const struct cert *cert);             /* borrowed */
STACK_OF(X509) * cert_chain(const struct cert *cert); /* borrowed; without the leaf */

/* Seconds since 1970, UTC. These cannot fail: parsing checked. */
int64_t cert_not_before(const struct cert *cert);
int64_t cert_not_after(const struct cert *cert);

/* Is it over at `now`? Not in the second of notAfter, which belongs to it (RFC 5280
 * 4.1.2.5), but in the next one. All who ask whether something has expired ask here. */
bool cert_is_over(int64_t not_after, int64_t now);
bool cert_has_expired(const struct cert *cert, int64_t now); /* the same of its own */

/* The first second at which it is over: when to look again. */
int64_t cert_over_at(int64_t not_after);

/* notAfter - notBefore + 1: what CAs mean by lifetime. */
int64_t cert_lifetime_s(const struct cert *cert);

const char *cert_sha1(const struct cert *cert); /* CERT_SHA1_HEX, borrowed */
const char *
cert_sha256(const struct cert *cert); /* CERT_SHA256_HEX, lower case, borrowed */
const char *cert_serial(const struct cert *cert); /* lower-case hex, borrowed */

/* DNS names of the subjectAltName, A-labels, lower case, in the certificate's order, and
 * behind them its IP addresses as text ("192.0.2.1", "2001:db8::1"). A name with bytes
 * that no name has (a NUL, a blank) reads as "(invalid)". */
const char *const *cert_names(const struct cert *cert); /* NULL-terminated, borrowed */
const char *cert_common_name(const struct cert *cert);  /* NULL: none; borrowed */

/* Does it name exactly these hosts, in any order, ignoring case? Borrows `names`. */
bool cert_names_are(const struct cert *cert, const char *const *names);

/* Does it name at least these hosts, ignoring case? "*.example.com" stands for one label
 * (RFC 9525 6.3): it covers "a.example.com", not "example.com". Borrows `names`. */
bool cert_names_cover(const struct cert *cert, const char *const *names);

/* Is `key` (public part at least) the leaf's key? */
bool cert_matches_key(const struct cert *cert, const EVP_PKEY *key);

/* "rsa-2048", "ec-p256", "other": in the words of the configuration. Borrowed. */
const char *cert_key_type(const struct cert *cert);

/* Extended key usage: has it serverAuth / clientAuth (or no EKU extension at all)? */
bool cert_has_server_auth(const struct cert *cert);
bool cert_has_client_auth(const struct cert *cert);

/* Issuer in OpenSSL's RFC 2253 form, for messages. Borrowed. */
const char *cert_issuer_text(const struct cert *cert);

/* RFC 9773 4.1: base64url(AKI keyIdentifier) "." base64url(serial). Gives; NULL when the
 * certificate has no AKI keyIdentifier. */
char *cert_ari_id(const struct cert *cert);

/* The whole chain, leaf first, as PEM. Gives. And parts of it: */
char *cert_fullchain_pem(const struct cert *cert);
char *cert_chain_pem(const struct cert *cert); /* without the leaf; "" if none */
char *cert_leaf_pem(const struct cert *cert);

/* Do the certificates form a chain: each signed by the next, and the last one either
 * self-signed or signed by a certificate of `ca_bundle` or the system's trust? Validity
 * periods are not looked at (that is `now`'s business). `trusted_required`: ending at an
 * unknown self-signed root, or one step below an unknown issuer, is a failure too; else
 * only signatures and order count. ca_bundle may be NULL. ERR_CONFIG says what is wrong,
 * ERR_IO that it could not be told (no memory). */
int cert_verify_chain(const struct cert *cert, const char *ca_bundle,
		      bool trusted_required, struct err *err);

#endif

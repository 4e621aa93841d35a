/* jws.h - what the account key signs (RFC 7515, 7517, 7638 as RFC 8555 uses them).
 *
 * Flattened JSON serialisation only, ES256 (P-256), ES384 (keys of certificates) and
 * RS256 only; bodies are made here and never read. No secret enters a sentence. */
#ifndef ACME_JWS_H
#define ACME_JWS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

#include "acme/acme.h"
#include "base/err.h"

/* "ES256", "ES384" or "RS256"; NULL for a key that cannot sign a JWS. Borrowed. */
const char *jws_algorithm(const EVP_PKEY *key);

/* Can it be an account's (RFC 8555 6.2: every CA takes ES256 and RS256)? */
bool jws_fits_account(const EVP_PKEY *key);

/* The public key as a JWK in the canonical form of RFC 7638: required members only, in
 * lexical order, without white space. Gives; NULL when the key is of another kind. */
char *jws_jwk(const EVP_PKEY *key);

/* RFC 7638 with SHA-256, base64url. Gives; NULL when the key is of another kind. */
char *jws_thumbprint(const EVP_PKEY *key);

/* RFC 8555 8.1: token "." thumbprint. Gives; NULL when the key is of another kind. */
char *jws_key_authorization(const EVP_PKEY *key, const char *token);

/* RFC 8555 8.4: what the TXT record of dns-01 says, base64url(SHA-256(key
 * authorization)). Gives; NULL when hashing fails. */
char *jws_dns_value(const char *key_authorization);

struct jws_header {        /* protected; RFC 8555 6.2 */
	const char *kid;   /* account URL; NULL: the public key itself goes in as jwk */
	const char *nonce; /* NULL: none, as in the inner JWS of a key change */
	const char *url;
};

/* Signs `payload` ("" is POST-as-GET). Gives *ret_body, the JSON to POST. */
int jws_sign(EVP_PKEY *key, const struct jws_header *header, const char *payload,
	     char **ret_body, struct err *err);

/* RFC 8555 7.3.4: the account's JWK, MACed with the key that the CA handed out (base64 or
 * base64url). Gives *ret_json. ERR_CONFIG when issuer->eab_hmac_key is neither. Borrows.
 */
int jws_bind_external_account(const EVP_PKEY *key, const struct acme_issuer *issuer,
			      const char *new_account_url, char **ret_json,
			      struct err *err);

#endif

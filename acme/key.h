/* key.h - private keys: made, written, read. Of accounts and of certificates alike. */
#ifndef ACME_KEY_H
#define ACME_KEY_H

#include <stddef.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/err.h"

/* Makes a key of a type in the configuration's words: "rsa-2048", "rsa-3072", "rsa-4096",
 * "ec-p256", "ec-p384". Gives *ret_key (EVP_PKEY_free). */
int key_generate(const char *type, EVP_PKEY **ret_key, struct err *err);

/* Writes PKCS#8 PEM into `out`, which must be a secret buffer. */
int key_to_pem(const EVP_PKEY *key, struct buf *out, struct err *err);

/* Reads a PEM private key (PKCS#8, or the traditional forms), without a passphrase.
 * Gives *ret_key. ERR_CONFIG when it is none, ERR_IO when OpenSSL can read none at all at
 * the moment: then nothing is said about this one, and nobody may call it damaged. */
int key_from_pem(const void *pem, size_t len, EVP_PKEY **ret_key, struct err *err);

/* The configuration's word for this key's type; "other" if it has none. Borrowed. */
const char *key_type_name(const EVP_PKEY *key);

#endif

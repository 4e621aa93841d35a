/* world_keys.h - keys of this world as PEM, between the files that stand in for OpenSSL.
 */
#ifndef TESTS_SIM_WORLD_KEYS_H
#define TESTS_SIM_WORLD_KEYS_H

#include <openssl/evp.h>

/* As PEM_write_bio_PKCS8PrivateKey() without a password, for less (world_decoders.c). */
int world_write_key(BIO *bio, const EVP_PKEY *key);

#endif

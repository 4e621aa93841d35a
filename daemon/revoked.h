/* revoked.h - certificates and keys that must not come back: a list of hexadecimal
 * digests in one text with blanks between, the newest first, as job.json keeps it.
 * Pure. */
#ifndef DAEMON_REVOKED_H
#define DAEMON_REVOKED_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

/* Is it in the list? False for "". */
bool revoked_has(const char *list, const char *digest);

/* Puts it in front, once; the oldest that have no room go. */
void revoked_add(char *list, size_t size, const char *digest);

#define KEY_DIGEST_SIZE 65
/* SHA-256 of the public key (SubjectPublicKeyInfo), in hex. -1 when it has none. */
int key_digest(const EVP_PKEY *key, char out[KEY_DIGEST_SIZE]);

#endif

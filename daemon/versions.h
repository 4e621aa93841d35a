/* versions.h - the certificates of one name in the state directory:
 * certificates/<name>/versions/<n>/{key.pem,fullchain.pem}, n counting up from 1.
 *
 * A folder is made with its key before the order is; the chain joins it when the CA has
 * issued and we have accepted. Keys are 0600 and secret buffers in memory. Where sealing
 * protects (base/seal.h) the file is key.sealed, and it goes when the store has the key
 * and the certificate was seen served everywhere. A key that is in the Windows store only
 * is not here: the empty file key.store says so, and that no key file is missing. */
#ifndef DAEMON_VERSIONS_H
#define DAEMON_VERSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/cert.h"
#include "base/err.h"

struct version { /* one loaded folder */
	int64_t n;
	struct buf key_pem; /* secret; empty with key.store */
	EVP_PKEY *key;      /* NULL: it is in the store only */
	struct cert *cert;  /* NULL: only the key so far */
};

/* Numbers that exist, ascending. Gives (free). None: *ret_n 0. */
int versions_list(const char *folder, int64_t **ret, size_t *ret_n, struct err *err);

/* Loads one. ERR_NOT_FOUND, ERR_CONFIG (damaged: names the file). version_clear() after.
 */
int version_load(const char *folder, int64_t n, struct version *ret, struct err *err);
void version_clear(struct version *version);

/* The newest complete, undamaged version. ERR_NOT_FOUND when there is none. */
int version_load_newest(const char *folder, struct version *ret, struct err *err);

/* Makes folder n with this key, synced. NULL: its key is in the store only. Borrows. */
int version_create(const char *folder, int64_t n, const EVP_PKEY *key, struct err *err);

/* Puts the chain beside the key, synced. */
int version_complete(const char *folder, int64_t n, const char *fullchain_pem,
		     struct err *err);

/* The key is in the stores of all targets and not needed here any more: removes it, and
 * says so first. Idempotent; dying in between leaves a version that loads. */
int version_forget_key(const char *folder, int64_t n, struct err *err);

/* Removes the folders behind `newest` that hold no chain, but `waiting` (0: none): keys
 * of orders that came to nothing, and of runs that died before they had noted them. */
int versions_sweep(const char *folder, int64_t newest, int64_t waiting, struct err *err);

/* Removes every version but those from `oldest_kept` on. */
int versions_prune(const char *folder, int64_t oldest_kept, struct err *err);

#endif

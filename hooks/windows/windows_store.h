/* windows_store.h - the Windows certificate store as a kind of store, and the proof that
 * an entry's key works. */
#ifndef HOOKS_WINDOWS_STORE_H
#define HOOKS_WINDOWS_STORE_H

#include "base/err.h"
#include "hooks/store_kind.h"

/* The word by which another process of ours is asked: prove-key LOCATION\NAME SHA1. Every
 * program that deploys into a Windows store must know it. */
#define WINDOWS_PROVE_WORD "prove-key"

/* Finds the entry by its thumbprint in `place` ("LocalMachine\My"), signs a digest with
 * its key and verifies it with the certificate's public key. ERR_NOT_FOUND without an
 * entry, ERR_CONFIG when it knows no key or the key does not belong to it. */
int windows_prove_key(const char *place, const char *sha1, struct err *err);

extern const struct store_kind windows_store;

#endif

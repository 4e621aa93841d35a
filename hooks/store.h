/* store.h - where certificate and key live for the application.
 *
 * STORE_DIRECTORY: `<path>.versions/<SHA-1 thumbprint>/{key,cert,chain,fullchain}.pem`,
 * and `path` is a relative symbolic link to the current version. Every folder below
 * `<path>.versions` is one that we imported (it carries our marker file); what has no
 * marker is somebody else's and is left alone.
 * STORE_FILES: nothing to import; the files themselves are changes.
 * The Windows certificate store: an entry, and a key container that belongs to it alone.
 * What we imported is what we have a record of (store->records). The store points at
 * nothing: tls.json, or a program, names the entry by its thumbprint.
 *
 * Importing and pointing are separate: store_import() makes a version available,
 * store_plan() says which link or files name it. */
#ifndef HOOKS_STORE_H
#define HOOKS_STORE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "base/target.h"
#include "hooks/change.h"
#include "hooks/material.h"

/* Does the store itself name the current version? Else tls.json or a program does. */
bool store_points(const struct store *store);

/* Has it versions that are imported, listed and removed? */
bool store_keeps_versions(const struct store *store);

/* Is it the same store, so that what one removes the other misses? */
bool store_is_same(const struct store *a, const struct store *b);

/* Makes the version's folder with owner, group and modes as configured (folders 0750 with
 * a group, 0700 without; key.pem store->key_mode; certificates 0644), whole and synced:
 * written under a temporary name, then renamed. One that exists and is right is kept,
 * in a damaged one of ours what is wrong is replaced. STORE_FILES and STORE_NONE:
 * nothing. Windows: the key into a new container (or into the one of an earlier entry
 * with the same key), the entry beside it, intermediates where they lack. Without a key
 * the entry or its container must be there: else ERR_CONFIG says that the key is lost. */
int store_import(const struct store *store, const struct material *material,
		 struct err *err);

/* Reads the version back from disk and proves it: certificate and key parse, belong
 * together, a digest signed with the key verifies; owner, group and mode are as
 * configured. For STORE_FILES: the planned files can be written. Windows: another process
 * finds the entry and signs with its key. */
int store_prove(const struct store *store, const struct material *material,
		struct err *err);

/* Windows: gives the accounts that need it read access to the key: store->access, else
 * the one that the service runs as; what the key of `old_sha1` (may be NULL or "") grants
 * is carried over. Read back and evaluated: success means that they have it. Else
 * nothing. */
int store_grant(const struct store *store, const struct service *service,
		const struct material *material, const char *old_sha1, struct err *err);

/* The look alone: may those accounts read the key? ERR_DENIED names who may not. */
int store_check_access(const struct store *store, const struct service *service,
		       const char *sha1, struct err *err);

/* Windows: is the entry there, and does its key sign (in this process)? Else nothing. */
int store_signs(const struct store *store, const char *sha1, struct err *err);

/* Windows: is the key of a certificate that we imported still in its container, although
 * its entry may be gone? Then store_import() needs no other. Elsewhere: no. */
bool store_has_key(const struct store *store, const struct cert *cert);

/* Appends the changes that make `material` the current one. ERR_CONFIG with the way out
 * when `path` is there and is not our link ("'/etc/x' is a folder that certrenewd did not
 * make: move it away or choose another path"). */
int store_plan(const struct store *store, const struct material *material,
	       struct change_list *list, struct err *err);

/* Removes one version with its key, synced. Gone, or not ours, is success; *ret_foreign
 * tells (may be NULL). ERR_REFUSED for the version that the link names now, and for an
 * entry that something else on this machine uses; the sentence says what. */
int store_remove(const struct store *store, const char *sha1, bool *ret_foreign,
		 struct err *err);

/* Hides a version that is not ours from who looks for certificates, where the store knows
 * such a thing, and nothing that we know of uses it. *ret_archived: it is hidden. */
int store_archive(const struct store *store, const char *sha1, bool *ret_archived,
		  struct err *err);

/* Makes an entry ours that another program has put there and whose work we take over: it
 * may be retired with its key then. Directory and files: nothing. ERR_NOT_FOUND when the
 * entry, or its key, is not there. */
int store_adopt(const struct store *store, const char *sha1, struct err *err);

/* Removes what runs that died have left beside the versions, keys among it; synced.
 * store_import() does it too. */
int store_sweep(const struct store *store, struct err *err);

/* Thumbprints of the versions that we imported, oldest first. No store gives none. */
int store_list(const struct store *store, struct strlist *ret_sha1, struct err *err);

/* Thumbprint of the version that link or files name now: gives *ret_sha1, NULL when there
 * is none. Fails when what is there cannot be read as a certificate. */
int store_current(const struct store *store, char **ret_sha1, struct err *err);

/* Gives the certificate with this thumbprint. ERR_NOT_FOUND when the store has it not,
 * ERR_CONFIG when it keeps no certificates. */
int store_find(const struct store *store, const char *sha1, struct cert **ret,
	       struct err *err);

/* Could we write here, and are the accounts known that need the key? For preflight:
 * changes nothing. */
int store_check(const struct store *store, const struct service *service,
		struct err *err);

#endif

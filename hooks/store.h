/* store.h - where certificate and key live for the application: a directory of PEM.
 *
 * STORE_DIRECTORY: `<path>.versions/<SHA-1 thumbprint>/{key,cert,chain,fullchain}.pem`,
 * and `path` is a relative symbolic link to the current version. Every folder below
 * `<path>.versions` is one that we imported (it carries our marker file); what has no
 * marker is somebody else's and is left alone.
 * STORE_FILES: nothing to import; the files themselves are changes.
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

/* Makes the version's folder with owner, group and modes as configured (folders 0750 with
 * a group, 0700 without; key.pem store->key_mode; certificates 0644), whole and synced:
 * written under a temporary name, then renamed. One that exists and is right is kept,
 * a damaged one of ours is replaced. STORE_FILES and STORE_NONE: nothing. */
int store_import(const struct store *store, const struct material *material,
		 struct err *err);

/* Reads the version back from disk and proves it: certificate and key parse, belong
 * together, a digest signed with the key verifies; owner, group and mode are as
 * configured. For STORE_FILES: the planned files can be written. */
int store_prove(const struct store *store, const struct material *material,
		struct err *err);

/* Appends the changes that make `material` the current one. ERR_CONFIG with the way out
 * when `path` is there and is not our link ("'/etc/x' is a folder that certrenewd did not
 * make: move it away or choose another path"). */
int store_plan(const struct store *store, const struct material *material,
	       struct change_list *list, struct err *err);

/* Removes one version with its key, synced. Gone, or not ours, is success; *ret_foreign
 * tells (may be NULL). Refuses the version that the link names now. */
int store_remove(const struct store *store, const char *sha1, bool *ret_foreign,
		 struct err *err);

/* Removes what runs that died have left beside the versions, keys among it; synced.
 * store_import() does it too. */
int store_sweep(const struct store *store, struct err *err);

/* Thumbprints of the versions that we imported, oldest first. No store gives none. */
int store_list(const struct store *store, struct strlist *ret_sha1, struct err *err);

/* Thumbprint of the version that link or files name now: gives *ret_sha1, NULL when there
 * is none. Fails when what is there cannot be read as a certificate. */
int store_current(const struct store *store, char **ret_sha1, struct err *err);

/* Could we write here? For preflight: changes nothing. */
int store_check(const struct store *store, struct err *err);

#endif

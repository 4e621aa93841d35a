/* store_parts.h - what the store's own files share: names, and the bytes that belong
 * there. For store*.c only; everybody else uses hooks/store.h. */
#ifndef HOOKS_STORE_PARTS_H
#define HOOKS_STORE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cert.h"
#include "base/err.h"
#include "base/files.h"
#include "base/target.h"
#include "hooks/change.h"
#include "hooks/material.h"

/* In the order in which they are written: who sees the certificate finds the key. */
enum store_part { PART_KEY, PART_CERT, PART_CHAIN, PART_FULLCHAIN, PARTS };

#define STORE_CERT_MODE 0644

/* "key.pem", ... Borrowed. */
const char *store_part_name(enum store_part part);

/* The key is a secret, the rest is public. */
enum file_audience store_part_audience(enum store_part part);

/* Starts `ret` (a secret buffer for the key) and fills it with the part's PEM. The caller
 * releases it. */
void store_part_bytes(enum store_part part, const struct material *material,
		      struct buf *ret);

/* store->key_mode, or its default: 0640 with a group, 0600 without. */
uint32_t store_key_mode(const struct store *store);

/* `<path>.versions`, and a version's folder in it. Give. */
char *store_container(const struct store *store);
char *store_version(const struct store *store, const char *sha1);

/* What the link says for a version, relative to its folder:
 * "shop.versions/77AF...". Gives. */
char *store_link_target(const struct store *store, const char *sha1);

/* Is it a version's name: 40 upper-case hex digits? */
bool store_is_version_name(const char *name);

/* Does this folder carry our marker? Fails where that cannot be seen: somebody who acts
 * on "it is not ours" must not do so because of a disk that failed for a moment. */
int store_is_ours(const char *folder, bool *ret_ours, struct err *err);

/* The number that a version got when it was imported; 0 when its marker is unreadable. */
int64_t store_sequence(const char *folder);

/* Writes the marker. */
int store_mark(const char *folder, int64_t sequence, struct err *err);

/* What the name `store->path` is. Gives *ret_sha1: the version that our link names, NULL
 * when there is nothing. ERR_CONFIG with the way out when it is somebody else's. */
int store_link_read(const struct store *store, char **ret_sha1, struct err *err);

/* Is this file of a version right, and may those read it who shall? ERR_NOT_FOUND,
 * ERR_IO. */
int store_prove_part(const struct store *store, const char *folder, enum store_part part,
		     const struct material *material, struct err *err);

/* Is the folder whole: every part there, right, and accessible as configured, and does
 * the key sign? */
int store_prove_folder(const struct store *store, const char *folder,
		       const struct material *material, struct err *err);

/* store_prove() of the directory store. */
int store_directory_prove(const struct store *store, const struct material *material,
			  struct err *err);

#endif

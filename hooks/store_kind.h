/* store_kind.h - what a kind of store can do: one row for each, chosen by the target's
 * store type (twin files store_kinds.c). Private to hooks/; everybody else uses
 * hooks/store.h, where each of these is described under its name.
 *
 * A member that is NULL: there is nothing to do, and that is success. */
#ifndef HOOKS_STORE_KIND_H
#define HOOKS_STORE_KIND_H

#include <stdbool.h>

#include "base/cert.h"
#include "base/err.h"
#include "base/str.h"
#include "base/target.h"
#include "hooks/change.h"
#include "hooks/material.h"

struct store_kind {
	bool points; /* the store itself says which version is the current one */
	int (*import)(const struct store *store, const struct material *material,
		      struct err *err);
	int (*prove)(const struct store *store, const struct material *material,
		     struct err *err);
	int (*plan)(const struct store *store, const struct material *material,
		    struct change_list *list, struct err *err);
	int (*remove)(const struct store *store, const char *sha1, bool *ret_foreign,
		      struct err *err);
	int (*archive)(const struct store *store, const char *sha1, bool *ret_archived,
		       struct err *err);
	int (*adopt)(const struct store *store, const char *sha1, struct err *err);
	int (*sweep)(const struct store *store, struct err *err);
	int (*list)(const struct store *store, struct strlist *ret_sha1, struct err *err);
	int (*current)(const struct store *store, char **ret_sha1, struct err *err);
	int (*find)(const struct store *store, const char *sha1, struct cert **ret,
		    struct err *err);
	int (*signs)(const struct store *store, const char *sha1, struct err *err);
	bool (*has_key)(const struct store *store, const struct cert *cert);
	int (*check)(const struct store *store, struct err *err);
	int (*check_accounts)(const struct store *store, const struct service *service,
			      struct err *err);
	int (*grant)(const struct store *store, const struct service *service,
		     const char *sha1, const char *old_sha1, struct err *err);
	int (*check_access)(const struct store *store, const struct service *service,
			    const char *sha1, struct err *err);
};

/* The row of the store's type. Borrowed, never NULL. */
const struct store_kind *store_kind_of(const struct store *store);

extern const struct store_kind store_none, store_directory, store_files;

#endif

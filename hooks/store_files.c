/* store_files.c - applications with fixed file names: nothing is imported, each file is a
 * change of its own, undone by its saved bytes. */
#include <stdlib.h>

#include "base/str.h"
#include "hooks/store_kind.h"
#include "hooks/store_parts.h"

static const char *part_path(const struct store *store, enum store_part part)
{
	switch (part) {
	case PART_KEY:
		return store->key;
	case PART_CERT:
		return store->cert;
	case PART_CHAIN:
		return store->chain;
	case PART_FULLCHAIN:
		return store->fullchain;
	case PARTS:
		break;
	}
	return NULL;
}

static int files_plan(const struct store *store, const struct material *material,
		      struct change_list *list, struct err *err)
{
	(void)err;
	for (int i = 0; i < PARTS; i++) {
		enum store_part part = (enum store_part)i;
		const char *path = part_path(store, part);
		struct change *change;

		if (!path)
			continue;
		change = change_add(list, CHANGE_FILE, path, store_part_audience(part));
		buf_release(&change->content);
		store_part_bytes(part, material, &change->content);
		change->owner = str_dup(store->owner);
		change->group = str_dup(store->group);
		if (part == PART_KEY)
			change->mode = store_key_mode(store);
	}
	return 0;
}

static int files_current(const struct store *store, char **ret_sha1, struct err *err)
{
	const char *path = store->fullchain ? store->fullchain : store->cert;
	struct cert *cert = NULL;

	*ret_sha1 = NULL;
	if (!path)
		return 0;
	if (cert_load(path, &cert, err))
		return err->kind == ERR_NOT_FOUND ? 0 : -1;
	*ret_sha1 = str_dup(cert_sha1(cert));
	cert_free(cert);
	return 0;
}

static int files_check(const struct store *store, struct err *err)
{
	for (int part = 0; part < PARTS; part++) {
		const char *path = part_path(store, (enum store_part)part);

		if (path && file_check_replaceable(path, err))
			return -1;
	}
	return 0;
}

/* The files can be written: all that there is to prove before they are. */
static int files_prove(const struct store *store, const struct material *material,
		       struct err *err)
{
	(void)material;
	return files_check(store, err);
}

static int files_find(const struct store *store, const char *sha1, struct cert **ret,
		      struct err *err)
{
	const char *path = store->cert ? store->cert : store->fullchain;

	(void)sha1;
	if (!path)
		return err_set(err, ERR_CONFIG, "the store keeps no certificate");
	return cert_load(path, ret, err);
}

const struct store_kind store_files = {
	.points = true,
	.prove = files_prove,
	.plan = files_plan,
	.current = files_current,
	.find = files_find,
	.check = files_check,
};

/* observe_store.c - does a store still have what we brought into it?  Looks only: unlike
 * store_prove() it writes no trial file, so that looking wakes up nobody who watches the
 * folders. */
#include "hooks/observe.h"

#include <stdlib.h>

#include "base/str.h"
#include "hooks/access.h"
#include "base/files.h"
#include "hooks/change.h"
#include "hooks/store.h"

/* What a failed proof means, by how it failed. */
static enum store_look look_of(const struct err *why)
{
	switch (why->kind) {
	case ERR_NOT_FOUND:
		return STORE_LOOK_LOST;
	case ERR_DENIED:
		return STORE_LOOK_ACCESS;
	case ERR_TRANSIENT:
	case ERR_CANCELLED:
		return STORE_LOOK_UNKNOWN;
	default:
		return STORE_LOOK_DAMAGED;
	}
}

/* Which version does the link, or do the files, name? */
static enum store_look look_at_pointer(const struct store *store, const char *sha1,
				       struct err *why)
{
	enum store_look look = STORE_LOOK_RIGHT;
	char *current = NULL;
	struct err err;

	if (store_current(store, &current, &err)) {
		*why = err;
		/* Not found: it leads nowhere. Else it is somebody else's work. */
		return err.kind == ERR_NOT_FOUND ? STORE_LOOK_LOST : STORE_LOOK_UNKNOWN;
	}
	if (!current) {
		err_set(why, ERR_NOT_FOUND, "nothing names the certificate");
		look = STORE_LOOK_LOST;
	} else if (!str_equal_nocase(current, sha1)) {
		err_set(why, ERR_CONFIG, "%s", current);
		look = STORE_LOOK_OTHER;
	}
	free(current);
	return look;
}

static enum store_look look_at_folder(const struct store *store,
				      const struct material *material, struct err *why)
{
	enum store_look pointer = look_at_pointer(store, cert_sha1(material->cert), why);
	struct err err;

	if (pointer == STORE_LOOK_OTHER)
		return pointer;
	if (store_prove(store, material, &err)) {
		*why = err;
		return look_of(&err);
	}
	return pointer;
}

/* Fixed names: each file has its bytes, its owner and its mode. */
static enum store_look look_at_files(const struct store *store,
				     const struct material *material, struct err *why)
{
	enum store_look look = look_at_pointer(store, cert_sha1(material->cert), why);
	struct change_list list = { 0 };
	struct err err;

	if (look == STORE_LOOK_LOST || look == STORE_LOOK_OTHER)
		return look;
	if (store_plan(store, material, &list, &err)) {
		*why = err;
		return STORE_LOOK_UNKNOWN;
	}
	look = STORE_LOOK_RIGHT;
	for (size_t i = 0; i < list.n && look == STORE_LOOK_RIGHT; i++) {
		if (change_is_applied(&list.items[i]))
			continue;
		err_set(why, ERR_CONFIG, "'%s' is not as it was written",
			list.items[i].path);
		look = STORE_LOOK_DAMAGED;
	}
	change_list_clear(&list);
	return look;
}

/* An entry that something else names: is it there, does its key sign, who may read it? */
static enum store_look look_at_entry(const struct target *target, const char *sha1,
				     struct err *why)
{
	struct err err;

	if (store_signs(&target->store, sha1, &err)) {
		*why = err;
		return look_of(&err);
	}
	if (store_check_access(&target->store, &target->service, sha1, &err)) {
		*why = err;
		return err.kind == ERR_DENIED ? STORE_LOOK_ACCESS : STORE_LOOK_UNKNOWN;
	}
	return STORE_LOOK_RIGHT;
}

enum store_look observe_store(const struct target *target,
			      const struct material *material, struct err *why)
{
	switch (target->store.type) {
	case STORE_DIRECTORY:
		return look_at_folder(&target->store, material, why);
	case STORE_FILES:
		return look_at_files(&target->store, material, why);
	case STORE_WINDOWS:
		return look_at_entry(target, cert_sha1(material->cert), why);
	case STORE_NONE:
		break;
	}
	return STORE_LOOK_NONE;
}

/* Those who were given it; the system's own accounts have it anyway. */
static char *accounts_of(const struct target *target)
{
	const char *const *account = target->store.access;
	char *text = NULL;

	if (!account || !*account)
		return str_printf("administrators, and the account of '%s'",
				  target->service.name ? target->service.name
						       : target->name);
	text = str_dup("administrators");
	for (; *account; account++) {
		char *longer = str_printf("%s, '%s'", text, *account);

		free(text);
		text = longer;
	}
	return text;
}

char *observe_readers(const struct target *target)
{
	char *path, *text;

	switch (target->store.type) {
	case STORE_DIRECTORY:
		path = path_join(target->store.path, "key.pem");
		text = access_describe(path);
		free(path);
		return text;
	case STORE_FILES:
		return target->store.key ? access_describe(target->store.key) : NULL;
	case STORE_WINDOWS:
		return accounts_of(target);
	case STORE_NONE:
		break;
	}
	return NULL;
}

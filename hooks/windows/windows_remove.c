/* windows_remove.c - an entry goes, and its container with it; or what a run that died
 * has left.
 *
 * What happens if we die here? Entry, container, record, in this order: while there is
 * something, the record names it, and the next sweep ends what was begun. */
#include "hooks/windows/windows_store_parts.h"

#include <stdlib.h>

/* Does another record of ours name this container? A crash may have kept its entry from
 * coming. */
static int recorded_elsewhere(const struct store *store, const char *sha1,
			      const struct key_place *place, bool *ret, struct err *err)
{
	struct strlist have = { 0 };
	int rc = record_list(store, &have, err);

	*ret = false;
	for (size_t i = 0; !rc && !*ret && i < have.n; i++) {
		struct record record = { 0 };

		if (str_equal_nocase(have.items[i], sha1))
			continue;
		rc = record_read(store, have.items[i], &record, err);
		*ret = !rc && key_place_is_same(&record.place, place);
		record_clear(&record);
	}
	strlist_clear(&have);
	return rc;
}

/* The container, unless another entry lives off it; then the record. */
static int remove_key(const struct store *store, const char *sha1,
		      const struct record *record, struct err *err)
{
	char *other = NULL;
	bool recorded;
	int rc = -1;

	if (entry_others_with(&record->place, store, sha1, &other, err) ||
	    recorded_elsewhere(store, sha1, &record->place, &recorded, err))
		goto out;
	if (!other && !recorded && key_delete(&record->place, err))
		goto out;
	rc = record_remove(store, sha1, err);
out:
	free(other);
	return rc;
}

static int refuse_used(const char *sha1, struct err *err)
{
	char *user;

	if (bindings_using(sha1, &user, err))
		return -1;
	if (!user)
		return 0;
	err_set(err, ERR_REFUSED, "%s is left where it is: %s uses it", sha1, user);
	free(user);
	return -1;
}

static int remove_entry(const struct store *store, HCERTSTORE opened, const char *sha1,
			bool *ret_foreign, struct err *err)
{
	struct record record = { 0 };
	PCCERT_CONTEXT entry;
	int rc = -1;

	if (record_read(store, sha1, &record, err)) {
		if (err->kind != ERR_NOT_FOUND)
			return -1;
		entry = entry_find(opened, sha1);
		*ret_foreign = entry != NULL;
		if (entry)
			CertFreeCertificateContext(entry);
		return 0;
	}
	if (refuse_used(sha1, err) || entry_delete(opened, sha1, err) ||
	    remove_key(store, sha1, &record, err))
		goto out;
	*ret_foreign = false;
	rc = 0;
out:
	record_clear(&record);
	return rc;
}

int windows_remove(const struct store *store, const char *sha1, bool *ret_foreign,
		   struct err *err)
{
	HCERTSTORE opened;
	int rc;

	if (entry_store_open(store->location, store->name, ENTRY_WRITE, &opened, err))
		return -1;
	rc = remove_entry(store, opened, sha1, ret_foreign, err);
	(void)CertCloseStore(opened, 0);
	return rc;
}

int windows_archive(const struct store *store, const char *sha1, bool *ret_archived,
		    struct err *err)
{
	HCERTSTORE opened;
	int rc;

	*ret_archived = false;
	if (refuse_used(sha1, err))
		return -1;
	if (entry_store_open(store->location, store->name, ENTRY_WRITE, &opened, err))
		return -1;
	rc = entry_archive(opened, sha1, err);
	*ret_archived = rc == 0;
	(void)CertCloseStore(opened, 0);
	return rc;
}

static int sweep_one(const struct store *store, HCERTSTORE opened, const char *sha1,
		     struct err *err)
{
	PCCERT_CONTEXT entry = entry_find(opened, sha1);
	struct record record = { 0 };
	int rc = 0;

	if (entry)
		CertFreeCertificateContext(entry);
	else if (record_read(store, sha1, &record, err))
		rc = -1;
	else
		rc = remove_key(store, sha1, &record, err);
	record_clear(&record);
	return rc;
}

int windows_sweep(const struct store *store, struct err *err)
{
	struct strlist have = { 0 };
	HCERTSTORE opened = NULL;
	int rc = -1;

	if (record_list(store, &have, err) ||
	    entry_store_open(store->location, store->name, ENTRY_WRITE, &opened, err))
		goto out;
	for (size_t i = 0; i < have.n; i++)
		if (sweep_one(store, opened, have.items[i], err))
			goto out;
	rc = 0;
out:
	strlist_clear(&have);
	if (opened)
		(void)CertCloseStore(opened, 0);
	return rc ? err_wrap(err, "sweep '%s\\%s'", store->location, store->name) : 0;
}

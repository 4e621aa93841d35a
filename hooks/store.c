/* store.c - hands each request to the kind of store that it is for. What a kind does
 * stands in store_directory.c, store_files.c and the system's folder. */
#include "hooks/store.h"

#include "base/files.h"
#include "hooks/store_kind.h"

const struct store_kind store_none = { .points = false };

bool store_points(const struct store *store)
{
	return store_kind_of(store)->points;
}

bool store_keeps_versions(const struct store *store)
{
	return store_kind_of(store)->list != NULL;
}

bool store_is_same(const struct store *a, const struct store *b)
{
	return a->type == b->type && a->type != STORE_NONE &&
	       str_equal(a->path, b->path) && str_equal(a->key, b->key) &&
	       str_equal(a->fullchain, b->fullchain) &&
	       str_equal_nocase(a->location ? a->location : "",
				b->location ? b->location : "") &&
	       str_equal_nocase(a->name ? a->name : "", b->name ? b->name : "");
}

int store_import(const struct store *store, const struct material *material,
		 struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->import ? kind->import(store, material, err) : 0;
}

int store_prove(const struct store *store, const struct material *material,
		struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->prove ? kind->prove(store, material, err) : 0;
}

int store_grant(const struct store *store, const struct service *service,
		const struct material *material, const char *old_sha1, struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->grant ? kind->grant(store, service, cert_sha1(material->cert),
					 old_sha1, err)
			   : 0;
}

int store_check_access(const struct store *store, const struct service *service,
		       const char *sha1, struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->check_access ? kind->check_access(store, service, sha1, err) : 0;
}

int store_signs(const struct store *store, const char *sha1, struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->signs ? kind->signs(store, sha1, err) : 0;
}

bool store_has_key(const struct store *store, const struct cert *cert)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->has_key && kind->has_key(store, cert);
}

int store_plan(const struct store *store, const struct material *material,
	       struct change_list *list, struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->plan ? kind->plan(store, material, list, err) : 0;
}

int store_remove(const struct store *store, const char *sha1, bool *ret_foreign,
		 struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);
	bool foreign = false;

	if (kind->remove && kind->remove(store, sha1, &foreign, err))
		return -1;
	if (ret_foreign)
		*ret_foreign = foreign;
	return 0;
}

int store_archive(const struct store *store, const char *sha1, bool *ret_archived,
		  struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	*ret_archived = false;
	return kind->archive ? kind->archive(store, sha1, ret_archived, err) : 0;
}

int store_adopt(const struct store *store, const char *sha1, struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->adopt ? kind->adopt(store, sha1, err) : 0;
}

int store_sweep(const struct store *store, struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->sweep ? kind->sweep(store, err) : 0;
}

int store_list(const struct store *store, struct strlist *ret_sha1, struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	return kind->list ? kind->list(store, ret_sha1, err) : 0;
}

int store_current(const struct store *store, char **ret_sha1, struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	*ret_sha1 = NULL;
	return kind->current ? kind->current(store, ret_sha1, err) : 0;
}

int store_find(const struct store *store, const char *sha1, struct cert **ret,
	       struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);
	struct cert *cert = NULL;

	if (!kind->find)
		return err_set(err, ERR_CONFIG, "the store keeps no certificate");
	if (kind->find(store, sha1, &cert, err))
		return -1;
	if (!str_equal_nocase(cert_sha1(cert), sha1)) {
		cert_free(cert);
		return err_set(err, ERR_NOT_FOUND, "%s is not in the store", sha1);
	}
	*ret = cert;
	return 0;
}

int store_check(const struct store *store, const struct service *service, struct err *err)
{
	const struct store_kind *kind = store_kind_of(store);

	if (kind->check && kind->check(store, err))
		return -1;
	if (file_check_accounts(store->owner, store->group, err))
		return -1;
	return kind->check_accounts ? kind->check_accounts(store, service, err) : 0;
}

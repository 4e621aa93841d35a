/* windows_store.c - the Windows certificate store as a kind of store: the row, and what
 * only looks. Importing stands in windows_import.c, removing in windows_remove.c, who may
 * read a key in windows_access.c. */
#include "hooks/windows/windows_store_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/process.h"
#include "hooks/windows/windows_store.h"

#define PROVE_TIMEOUT_S 60

/* ---- the proof ----------------------------------------------------------- */

static int prove_in(HCERTSTORE store, const char *place, const char *sha1,
		    struct err *err)
{
	PCCERT_CONTEXT entry = entry_find(store, sha1);
	struct key_place key = { 0 };
	struct cert *cert = NULL;
	int rc = -1;

	if (!entry)
		return err_set(err, ERR_NOT_FOUND, "'%s' has no entry %s", place, sha1);
	if (entry_cert(entry, &cert, err) || entry_key_place(entry, &key, err) ||
	    key_proves(&key, cert, err))
		goto out;
	rc = 0;
out:
	key_place_clear(&key);
	cert_free(cert);
	CertFreeCertificateContext(entry);
	return rc ? err_wrap(err, "'%s' %s", place, sha1) : 0;
}

int windows_prove_key(const char *place, const char *sha1, struct err *err)
{
	const char *separator = strchr(place, '\\');
	HCERTSTORE store;
	char *location;
	int rc;

	if (!separator || !separator[1])
		return err_set(err, ERR_CONFIG, "'%s' is no store: LocalMachine\\My",
			       place);
	location = str_ndup(place, (size_t)(separator - place));
	rc = entry_store_open(location, separator + 1, ENTRY_READ, &store, err);
	free(location);
	if (rc)
		return -1;
	rc = prove_in(store, place, sha1, err);
	(void)CertCloseStore(store, 0);
	return rc;
}

static int windows_signs(const struct store *store, const char *sha1, struct err *err)
{
	char *place = str_printf("%s\\%s", store->location, store->name);
	int rc = windows_prove_key(place, sha1, err);

	free(place);
	return rc;
}

/* In a process that has imported nothing: what it finds, the application finds. */
static int windows_prove(const struct store *store, const struct material *material,
			 struct err *err)
{
	char *place = str_printf("%s\\%s", store->location, store->name);
	char *program = process_self_path();
	const char *argv[] = { program, WINDOWS_PROVE_WORD, place,
			       cert_sha1(material->cert), NULL };
	const struct process_spec spec = { .argv = argv, .timeout_s = PROVE_TIMEOUT_S };
	int rc;

	rc = program ? process_run_ok(&spec, err)
		     : err_set(err, ERR_IO, "the path of this program is not known");
	if (rc)
		err_wrap(err, "prove the key of %s", cert_sha1(material->cert));
	free(program);
	free(place);
	return rc;
}

/* ---- looking ------------------------------------------------------------- */

static int windows_list(const struct store *store, struct strlist *ret, struct err *err)
{
	struct strlist have = { 0 };
	HCERTSTORE opened = NULL;
	int rc = -1;

	if (record_list(store, &have, err) ||
	    entry_store_open(store->location, store->name, ENTRY_READ, &opened, err))
		goto out;
	for (size_t i = 0; i < have.n; i++) {
		PCCERT_CONTEXT entry = entry_find(opened, have.items[i]);

		if (entry)
			strlist_add(ret, have.items[i]);
		if (entry)
			CertFreeCertificateContext(entry);
	}
	rc = 0;
out:
	strlist_clear(&have);
	if (opened)
		(void)CertCloseStore(opened, 0);
	return rc;
}

static int windows_find(const struct store *store, const char *sha1, struct cert **ret,
			struct err *err)
{
	PCCERT_CONTEXT entry;
	HCERTSTORE opened;
	int rc;

	if (entry_store_open(store->location, store->name, ENTRY_READ, &opened, err))
		return -1;
	entry = entry_find(opened, sha1);
	rc = entry ? entry_cert(entry, ret, err)
		   : err_set(err, ERR_NOT_FOUND, "'%s\\%s' has no entry %s",
			     store->location, store->name, sha1);
	if (entry)
		CertFreeCertificateContext(entry);
	(void)CertCloseStore(opened, 0);
	return rc;
}

static int windows_check(const struct store *store, struct err *err)
{
	HCERTSTORE opened;
	char *probe;
	int rc;

	if (entry_store_open(store->location, store->name, ENTRY_WRITE, &opened, err))
		return -1;
	(void)CertCloseStore(opened, 0);
	probe = path_join(store->records, "check.json");
	rc = file_check_replaceable(probe, err);
	free(probe);
	return rc;
}

const struct store_kind windows_store = {
	.points = false,
	.import = windows_import,
	.prove = windows_prove,
	.remove = windows_remove,
	.archive = windows_archive,
	.adopt = windows_adopt,
	.sweep = windows_sweep,
	.list = windows_list,
	.find = windows_find,
	.signs = windows_signs,
	.has_key = windows_has_key,
	.check = windows_check,
	.check_accounts = windows_check_accounts,
	.grant = windows_grant,
	.check_access = windows_check_access,
};

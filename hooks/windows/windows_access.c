/* windows_access.c - who may read a key: the application's account must, whoever could
 * read the key before may go on. Judged by walking the entries of the list that is read
 * back, not by believing that setting it worked. */
#include "hooks/windows/windows_store_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sddl.h>

#include "base/windows/scm.h"
#include "base/windows/security.h"

#define READ_KEY FILE_GENERIC_READ

/* ---- whose access -------------------------------------------------------- */

/* Appends the accounts' names. No service and none named: nobody needs it. */
static int find_accounts(const struct store *store, const struct service *service,
			 struct strlist *ret, struct err *err)
{
	char *account;

	for (size_t i = 0; store->access && store->access[i]; i++)
		strlist_add(ret, store->access[i]);
	if (ret->n || service->kind != SERVICE_WINDOWS)
		return 0;
	if (scm_account(service, &account, err))
		return err_wrap(err, "find who needs the key; name the account by "
				     "`access:` in the store if need be");
	strlist_add(ret, account);
	free(account);
	return 0;
}

int windows_check_accounts(const struct store *store, const struct service *service,
			   struct err *err)
{
	struct strlist accounts = { 0 };
	int rc = find_accounts(store, service, &accounts, err);

	for (size_t i = 0; !rc && i < accounts.n; i++) {
		PSID sid = NULL;

		rc = sid_from_account(accounts.items[i], &sid, err);
		free(sid);
	}
	strlist_clear(&accounts);
	return rc;
}

/* ---- lists --------------------------------------------------------------- */

struct list { /* a key's access list; the list lies in the descriptor */
	PSECURITY_DESCRIPTOR descriptor;
	PACL acl; /* NULL: everybody may everything */
};

static void list_release(struct list *list)
{
	free(list->descriptor);
	*list = (struct list){ 0 };
}

static int list_read(const struct key_place *place, struct list *ret, struct err *err)
{
	BOOL present = FALSE, by_default;

	if (key_security_get(place, &ret->descriptor, err))
		return -1;
	if (!GetSecurityDescriptorDacl(ret->descriptor, &present, &ret->acl,
				       &by_default)) {
		err_os(err, "read who may use the key in container '%s'",
		       place->container);
		list_release(ret);
		return -1;
	}
	if (!present)
		ret->acl = NULL;
	return 0;
}

static int list_write(const struct key_place *place, PACL acl, struct err *err)
{
	SECURITY_DESCRIPTOR absolute;
	PSECURITY_DESCRIPTOR relative = NULL;
	DWORD n = 0;
	int rc = -1;

	if (!InitializeSecurityDescriptor(&absolute, SECURITY_DESCRIPTOR_REVISION) ||
	    !SetSecurityDescriptorDacl(&absolute, TRUE, acl, FALSE)) {
		err_os(err, "make an access list");
		goto out;
	}
	(void)MakeSelfRelativeSD(&absolute, NULL, &n);
	relative = mem_calloc(1, n + 1);
	if (!MakeSelfRelativeSD(&absolute, relative, &n)) {
		err_os(err, "make an access list");
		goto out;
	}
	rc = key_security_set(place, relative, err);
out:
	free(relative);
	return rc;
}

/* Replaces *acl, which is ours, by one with this entry too. */
static int add_right(PACL *acl, PSID sid, DWORD rights, struct err *err)
{
	PACL more;

	if (acl_with(*acl, sid, rights, file_mapping(), &more, err))
		return -1;
	free(*acl);
	*acl = more;
	return 0;
}

/* A copy to add to; SYSTEM and Administrators where there was no list. Gives. */
static int list_begin(const struct list *list, PACL *ret, struct err *err)
{
	static const char *const always[] = { "S-1-5-18", "S-1-5-32-544" };
	int rc = 0;

	*ret = NULL;
	if (list->acl) {
		*ret = mem_calloc(1, list->acl->AclSize);
		memcpy(*ret, list->acl, list->acl->AclSize);
		return 0;
	}
	for (size_t i = 0; !rc && i < 2; i++) {
		PSID sid = NULL;

		rc = sid_from_account(always[i], &sid, err);
		if (!rc)
			rc = add_right(ret, sid, FILE_ALL_ACCESS, err);
		free(sid);
	}
	return rc;
}

/* ---- giving -------------------------------------------------------------- */

/* Whoever the predecessor's key lets in. */
static int carry_over(const struct key_place *old, PACL *acl, struct err *err)
{
	struct list list = { 0 };
	int rc = 0;

	if (list_read(old, &list, err))
		return -1;
	for (DWORD i = 0; !rc && list.acl && i < list.acl->AceCount; i++) {
		ACCESS_ALLOWED_ACE *ace;
		void *at = NULL;

		if (!GetAce(list.acl, i, &at))
			continue;
		ace = at;
		if (ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
		    !(ace->Header.AceFlags & INHERIT_ONLY_ACE))
			rc = add_right(acl, &ace->SidStart, ace->Mask, err);
	}
	list_release(&list);
	return rc;
}

static int add_accounts(const struct strlist *accounts, PACL *acl, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < accounts->n; i++) {
		PSID sid = NULL;

		rc = sid_from_account(accounts->items[i], &sid, err);
		if (!rc)
			rc = add_right(acl, sid, READ_KEY, err);
		free(sid);
	}
	return rc;
}

static int grant(const struct key_place *place, const struct key_place *old,
		 const struct strlist *accounts, struct err *err)
{
	struct list list = { 0 };
	struct err ignored;
	PACL acl = NULL;
	int rc = -1;

	if (list_read(place, &list, err) || list_begin(&list, &acl, err))
		goto out;
	/* A predecessor whose key is lost has nothing to carry over. */
	if (old->container && !key_place_is_same(old, place))
		(void)carry_over(old, &acl, &ignored);
	if (add_accounts(accounts, &acl, err) || list_write(place, acl, err))
		goto out;
	rc = 0;
out:
	free(acl);
	list_release(&list);
	return rc;
}

/* Where the entry's key is. Gives *ret. */
static int place_of(const struct store *store, const char *sha1, struct key_place *ret,
		    struct err *err)
{
	PCCERT_CONTEXT entry;
	HCERTSTORE opened;
	int rc;

	if (entry_store_open(store->location, store->name, ENTRY_READ, &opened, err))
		return -1;
	entry = entry_find(opened, sha1);
	rc = entry ? entry_key_place(entry, ret, err)
		   : err_set(err, ERR_NOT_FOUND, "'%s\\%s' has no entry %s",
			     store->location, store->name, sha1);
	if (entry)
		CertFreeCertificateContext(entry);
	(void)CertCloseStore(opened, 0);
	return rc;
}

/* ---- the look ------------------------------------------------------------ */

static int check_one(const struct list *list, const char *account, const char *sha1,
		     struct err *err)
{
	PSID sid;
	bool may;

	if (sid_from_account(account, &sid, err))
		return -1;
	may = acl_grants(list->acl, sid, READ_KEY, file_mapping());
	free(sid);
	return may ? 0
		   : err_set(err, ERR_DENIED,
			     "'%s' may not read the private key of %s: its access list "
			     "does not let it",
			     account, sha1);
}

static int check_accounts_at(const struct key_place *place,
			     const struct strlist *accounts, const char *sha1,
			     struct err *err)
{
	struct list list = { 0 };
	int rc = list_read(place, &list, err);

	for (size_t i = 0; !rc && i < accounts->n; i++)
		rc = check_one(&list, accounts->items[i], sha1, err);
	list_release(&list);
	return rc;
}

int windows_check_access(const struct store *store, const struct service *service,
			 const char *sha1, struct err *err)
{
	struct strlist accounts = { 0 };
	struct key_place place = { 0 };
	int rc = -1;

	if (find_accounts(store, service, &accounts, err) ||
	    place_of(store, sha1, &place, err) ||
	    check_accounts_at(&place, &accounts, sha1, err))
		goto out;
	rc = 0;
out:
	key_place_clear(&place);
	strlist_clear(&accounts);
	return rc;
}

int windows_grant(const struct store *store, const struct service *service,
		  const char *sha1, const char *old_sha1, struct err *err)
{
	struct key_place place = { 0 }, old = { 0 };
	struct strlist accounts = { 0 };
	struct err ignored;
	int rc = -1;

	if (find_accounts(store, service, &accounts, err) ||
	    place_of(store, sha1, &place, err))
		goto out;
	if (old_sha1 && old_sha1[0])
		(void)place_of(store, old_sha1, &old, &ignored);
	if (grant(&place, &old, &accounts, err) ||
	    check_accounts_at(&place, &accounts, sha1, err))
		goto out;
	rc = 0;
out:
	key_place_clear(&place);
	key_place_clear(&old);
	strlist_clear(&accounts);
	return rc ? err_wrap(err, "give access to the key") : 0;
}

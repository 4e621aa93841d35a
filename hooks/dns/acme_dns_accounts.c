/* acme_dns_accounts.c - the file of accounts. */
#include "hooks/dns/acme_dns_accounts.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define MAX_FILE_BYTES ((size_t)4 * 1024 * 1024)
#define MAX_MEMBER_BYTES 255

void acme_dns_account_clear(struct acme_dns_account *account)
{
	free(account->fulldomain);
	free(account->subdomain);
	free(account->username);
	str_free_secret(account->password);
	*account = (struct acme_dns_account){ 0 };
}

static bool prints(const char *text)
{
	size_t len = strlen(text);

	if (!len || len > MAX_MEMBER_BYTES)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7F)
			return false;
	return true;
}

/* Gives the text of a member, in any case of its name; NULL after an error. */
static char *member(const cJSON *json, const char *name, struct err *err)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, name));

	if (text && prints(text))
		return str_dup(text);
	err_set(err, ERR_REFUSED, "the account has no '%s'%s", name,
		text ? " that can be used" : "");
	return NULL;
}

int acme_dns_account_read(const cJSON *json, struct acme_dns_account *ret,
			  struct err *err)
{
	struct acme_dns_account account = { 0 };

	account.fulldomain = member(json, "fulldomain", err);
	if (account.fulldomain)
		account.subdomain = member(json, "subdomain", err);
	if (account.subdomain)
		account.username = member(json, "username", err);
	if (account.username)
		account.password = member(json, "password", err);
	if (!account.password) {
		acme_dns_account_clear(&account);
		return -1;
	}
	*ret = account;
	return 0;
}

int acme_dns_account_find(const char *path, const char *domain,
			  struct acme_dns_account *ret, struct err *err)
{
	const cJSON *entry;
	cJSON *file;
	int rc = -1;

	if (json_read_file(path, MAX_FILE_BYTES, &file, err))
		return -1;
	entry = cJSON_GetObjectItemCaseSensitive(file, domain);
	if (!entry)
		err_set(err, ERR_NOT_FOUND, "there is no account of '%s' in '%s'", domain,
			path);
	else
		rc = acme_dns_account_read(entry, ret, err);
	if (rc && entry) {
		err->kind = ERR_CONFIG;
		err_wrap(err, "'%s' in '%s'", domain, path);
	}
	cJSON_Delete(file);
	return rc;
}

int acme_dns_account_save(const char *path, const char *domain, const cJSON *json,
			  struct err *err)
{
	cJSON *file = NULL;
	int rc;

	if (json_read_file(path, MAX_FILE_BYTES, &file, err)) {
		if (err->kind != ERR_NOT_FOUND)
			return -1;
		file = cJSON_CreateObject();
	}
	cJSON_DeleteItemFromObjectCaseSensitive(file, domain);
	cJSON_AddItemToObject(file, domain, cJSON_Duplicate(json, true));
	rc = json_write_file(path, file, err);
	cJSON_Delete(file);
	return rc;
}

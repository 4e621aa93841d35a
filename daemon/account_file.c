#include "daemon/account_file.h"

#include <stdlib.h>

#include "acme/key.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "daemon/state_file.h"

#define KEY_MAX_BYTES (32 * 1024)

char *account_folder(const struct config *config, const struct issuer_config *issuer)
{
	return str_printf("%s/accounts/%s", config->state_dir, issuer->name);
}

char *account_path(const struct config *config, const struct issuer_config *issuer,
		   const char *file)
{
	return str_printf("%s/accounts/%s/%s", config->state_dir, issuer->name, file);
}

/* Gives a name that is not taken: twice in a second is possible. */
static char *name_aside(const char *path)
{
	long long now = clock_wall();
	char *aside = str_printf("%s.old-%lld", path, now);
	struct file_facts facts;
	struct err ignored;

	for (unsigned n = 2; n < 100; n++) {
		if (file_inspect(aside, &facts, &ignored) || facts.type == FILE_ABSENT)
			break;
		free(aside);
		aside = str_printf("%s.old-%lld-%u", path, now, n);
	}
	return aside;
}

int account_set_aside(const char *path, const char *why, struct strlist *notes,
		      struct err *err)
{
	char *aside = name_aside(path);
	char *note;
	int rc = file_rename(path, aside, err);

	if (!rc && notes) {
		note = str_printf("%s; it was set aside as '%s'", why, aside);
		strlist_add(notes, note);
		free(note);
	}
	free(aside);
	return rc;
}

int account_key_write(const char *path, const EVP_PKEY *key, struct err *err)
{
	struct buf pem;
	int rc = -1;

	buf_init_secret(&pem, KEY_MAX_BYTES);
	if (!key_to_pem(key, &pem, err))
		rc = file_replace(path, pem.data, pem.len, FILE_SECRET, err);
	buf_release(&pem);
	return rc;
}

int account_key_read(const char *path, EVP_PKEY **ret_key, struct err *err)
{
	struct buf pem;
	int rc;

	buf_init_secret(&pem, KEY_MAX_BYTES);
	rc = file_read(path, &pem, err);
	if (!rc)
		rc = key_from_pem(pem.data, pem.len, ret_key, err);
	buf_release(&pem);
	return rc;
}

/* A damaged file is a hint lost: it is begun anew with what is known now. One that cannot
 * be read at the moment is not. */
static int read_or_begin(const char *file, cJSON **ret_json, struct err *err)
{
	if (!json_read_file(file, ACCOUNT_MAX_BYTES, ret_json, err))
		return 0;
	if (err->kind != ERR_NOT_FOUND && err->kind != ERR_CONFIG)
		return -1;
	*ret_json = cJSON_CreateObject();
	return 0;
}

int account_change(const struct config *config, const struct issuer_config *issuer,
		   const struct account_fact *facts, size_t n, struct err *err)
{
	char *file = account_path(config, issuer, ACCOUNT_JSON);
	char *lock_path = account_path(config, issuer, "account.lock");
	struct file_lock *lock = NULL;
	cJSON *json = NULL;
	int rc = -1;

	if (state_file_lock(lock_path, &lock, err) || read_or_begin(file, &json, err))
		goto out;
	for (size_t i = 0; i < n; i++) {
		cJSON_DeleteItemFromObjectCaseSensitive(json, facts[i].name);
		if (facts[i].value)
			json_set_string(json, facts[i].name, facts[i].value);
	}
	rc = json_write_file(file, json, err);
out:
	file_lock_release(lock);
	cJSON_Delete(json);
	free(lock_path);
	free(file);
	return rc;
}

#include "daemon/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "acme/key.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "daemon/state_file.h"

#define KEY_MAX_BYTES (32 * 1024)
#define ACCOUNT_MAX_BYTES (64 * 1024)

static char *account_folder(const struct config *config,
			    const struct issuer_config *issuer)
{
	return str_printf("%s/accounts/%s", config->state_dir, issuer->name);
}

/* Moves `path` out of the way under a name that says when; what was there is evidence. */
static int set_aside(const char *path, const char *why, struct strlist *notes,
		     struct err *err)
{
	char *aside = str_printf("%s.old-%lld", path, (long long)clock_wall());
	char *note;
	int rc = file_rename(path, aside, err);

	if (!rc) {
		note = str_printf("%s; it was set aside as '%s'", why, aside);
		strlist_add(notes, note);
		free(note);
	}
	free(aside);
	return rc;
}

static int write_key(const char *path, const EVP_PKEY *key, struct err *err)
{
	struct buf pem;
	int rc = -1;

	buf_init_secret(&pem, KEY_MAX_BYTES);
	if (!key_to_pem(key, &pem, err))
		rc = file_replace(path, pem.data, pem.len, FILE_SECRET, err);
	buf_release(&pem);
	return rc;
}

static int make_key(const char *path, const char *type, struct err *err)
{
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (!key_generate(type, &key, err))
		rc = write_key(path, key, err);
	EVP_PKEY_free(key);
	return rc;
}

static int read_key(const char *path, EVP_PKEY **ret_key, struct err *err)
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

/* An account of another directory must not be used here. */
static int leave_foreign_account(const char *folder, const struct issuer_config *issuer,
				 struct strlist *notes, struct err *err)
{
	char *file = path_join(folder, "account.json");
	char *why = NULL;
	cJSON *json = NULL;
	const char *directory;
	struct err ignored;
	int rc = 0;

	if (json_read_file(file, ACCOUNT_MAX_BYTES, &json, &ignored)) {
		if (ignored.kind == ERR_CONFIG) {
			why = str_printf("account file of issuer '%s' is damaged (%s)",
					 issuer->name, ignored.text);
			rc = set_aside(file, why, notes, err);
		}
		goto out; /* the key is the account; its URL can be asked for */
	}
	directory = json_string(json, "directory");
	if (directory && strcmp(directory, issuer->directory) != 0) {
		why = str_printf("the account of issuer '%s' belongs to %s", issuer->name,
				 directory);
		rc = set_aside(folder, why, notes, err);
	}
out:
	cJSON_Delete(json);
	free(why);
	free(file);
	return rc;
}

/* With a new key it is another account: the old one's URL goes aside with its key. */
static int replace_key(const char *folder, const struct issuer_config *issuer,
		       struct strlist *notes, struct err *err)
{
	char *key_path = path_join(folder, "key.pem");
	char *file = path_join(folder, "account.json");
	char *why = str_printf("account key of issuer '%s' is damaged (%s)", issuer->name,
			       err->text);
	int rc = set_aside(key_path, why, notes, err);
	struct err gone;

	if (!rc && set_aside(file, "with the URL of its account", notes, &gone) &&
	    gone.kind != ERR_NOT_FOUND) {
		*err = gone;
		rc = -1;
	}
	free(why);
	free(file);
	free(key_path);
	return rc;
}

static int prepare_one(const struct config *config, const struct issuer_config *issuer,
		       struct strlist *notes, struct err *err)
{
	char *folder = account_folder(config, issuer);
	char *key_path = path_join(folder, "key.pem");
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (leave_foreign_account(folder, issuer, notes, err) ||
	    dir_make(folder, FILE_SECRET, err))
		goto out;
	if (read_key(key_path, &key, err)) {
		if (err->kind == ERR_CONFIG) {
			if (replace_key(folder, issuer, notes, err))
				goto out;
		} else if (err->kind != ERR_NOT_FOUND) {
			goto out;
		}
		if (make_key(key_path, issuer->account_key, err))
			goto out;
	}
	rc = 0;
out:
	if (rc)
		err_wrap(err, "account of issuer '%s'", issuer->name);
	EVP_PKEY_free(key);
	free(key_path);
	free(folder);
	return rc;
}

int accounts_prepare(const struct config *config, struct strlist *notes, struct err *err)
{
	for (size_t i = 0; i < config->n_issuers; i++)
		if (config->issuers[i].type == ISSUER_ACME &&
		    prepare_one(config, &config->issuers[i], notes, err))
			return -1;
	return 0;
}

int account_load(const struct config *config, const struct issuer_config *issuer,
		 EVP_PKEY **ret_key, char **ret_url, struct err *err)
{
	char *folder = account_folder(config, issuer);
	char *key_path = path_join(folder, "key.pem");
	char *file = path_join(folder, "account.json");
	cJSON *json = NULL;
	struct err ignored;
	int rc = -1;

	if (read_key(key_path, ret_key, err)) {
		err_wrap(err, "account key of issuer '%s'", issuer->name);
		goto out;
	}
	*ret_url = NULL;
	if (!json_read_file(file, ACCOUNT_MAX_BYTES, &json, &ignored))
		*ret_url = str_dup(json_string(json, "url"));
	rc = 0;
out:
	cJSON_Delete(json);
	free(file);
	free(key_path);
	free(folder);
	return rc;
}

int account_remember(const struct config *config, const struct issuer_config *issuer,
		     const char *url, struct err *err)
{
	char *folder = account_folder(config, issuer);
	char *file = path_join(folder, "account.json");
	char *lock_path = path_join(folder, "account.lock");
	struct file_lock *lock = NULL;
	cJSON *json = cJSON_CreateObject();
	char now[CLOCK_TEXT_MAX];
	int rc = -1;

	clock_format_rfc3339(clock_wall(), now);
	json_set_string(json, "directory", issuer->directory);
	json_set_string(json, "url", url);
	json_set_string(json, "known_since", now);
	/* Every worker that finds no account yet asks for it, at the same moment. */
	if (!state_file_lock(lock_path, &lock, err))
		rc = json_write_file(file, json, err);
	file_lock_release(lock);
	cJSON_Delete(json);
	free(lock_path);
	free(file);
	free(folder);
	return rc;
}

int account_adopt(const struct config *config, const struct issuer_config *issuer,
		  const EVP_PKEY *key, const char *url, struct err *err)
{
	char *folder = account_folder(config, issuer);
	char *path = path_join(folder, "key.pem");
	struct file_facts facts;
	int rc = -1;

	if (dir_make(folder, FILE_SECRET, err) || file_inspect(path, &facts, err))
		goto out;
	if (facts.type != FILE_ABSENT) {
		err_set(err, ERR_REFUSED, "issuer '%s' has an account already",
			issuer->name);
		goto out;
	}
	if (write_key(path, key, err) ||
	    (url && account_remember(config, issuer, url, err)))
		goto out;
	rc = 0;
out:
	free(path);
	free(folder);
	return rc;
}

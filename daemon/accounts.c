#include "daemon/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "acme/key.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "daemon/account_file.h"

static int make_key(const char *path, const char *type, struct err *err)
{
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (!key_generate(type, &key, err))
		rc = account_key_write(path, key, err);
	EVP_PKEY_free(key);
	return rc;
}

/* An account of another directory must not be used here. */
static int leave_foreign_account(const char *folder, const struct issuer_config *issuer,
				 struct strlist *notes, struct err *err)
{
	char *file = path_join(folder, ACCOUNT_JSON);
	char *why = NULL;
	cJSON *json = NULL;
	const char *directory;
	struct err ignored;
	int rc = 0;

	if (json_read_file(file, ACCOUNT_MAX_BYTES, &json, &ignored)) {
		if (ignored.kind == ERR_CONFIG) {
			why = str_printf("account file of issuer '%s' is damaged (%s)",
					 issuer->name, ignored.text);
			rc = account_set_aside(file, why, notes, err);
		}
		goto out; /* the key is the account; its URL can be asked for */
	}
	directory = json_string(json, "directory");
	if (directory && strcmp(directory, issuer->directory) != 0) {
		why = str_printf("the account of issuer '%s' belongs to %s", issuer->name,
				 directory);
		rc = account_set_aside(folder, why, notes, err);
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
	char *key_path = path_join(folder, ACCOUNT_KEY);
	char *file = path_join(folder, ACCOUNT_JSON);
	char *why = str_printf("account key of issuer '%s' is damaged (%s)", issuer->name,
			       err->text);
	int rc = account_set_aside(key_path, why, notes, err);
	struct err gone;

	if (!rc && account_set_aside(file, "with the URL of its account", notes, &gone) &&
	    gone.kind != ERR_NOT_FOUND) {
		*err = gone;
		rc = -1;
	}
	free(why);
	free(file);
	free(key_path);
	return rc;
}

/* Half a file cannot be: somebody else wrote it. The key beside it is asked for instead.
 */
static int leave_damaged_new_key(const char *folder, const struct issuer_config *issuer,
				 struct strlist *notes, struct err *err)
{
	char *path = path_join(folder, ACCOUNT_NEW_KEY);
	EVP_PKEY *key = NULL;
	char *why;
	int rc = 0;

	if (account_key_read(path, &key, err)) {
		rc = err->kind == ERR_NOT_FOUND ? 0 : -1;
		if (err->kind == ERR_CONFIG) {
			why = str_printf("new account key of issuer '%s' is damaged (%s)",
					 issuer->name, err->text);
			rc = account_set_aside(path, why, notes, err);
			free(why);
		}
	}
	EVP_PKEY_free(key);
	free(path);
	return rc;
}

static int prepare_one(const struct config *config, const struct issuer_config *issuer,
		       struct strlist *notes, struct err *err)
{
	char *folder = account_folder(config, issuer);
	char *key_path = path_join(folder, ACCOUNT_KEY);
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (leave_foreign_account(folder, issuer, notes, err) ||
	    dir_make(folder, FILE_SECRET, err) ||
	    leave_damaged_new_key(folder, issuer, notes, err))
		goto out;
	if (account_key_read(key_path, &key, err)) {
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

int account_prepare(const struct config *config, const struct issuer_config *issuer,
		    struct strlist *notes, struct err *err)
{
	return prepare_one(config, issuer, notes, err);
}

int accounts_prepare(const struct config *config, struct strlist *notes, struct err *err)
{
	for (size_t i = 0; i < config->n_issuers; i++)
		if (config->issuers[i].type == ISSUER_ACME &&
		    prepare_one(config, &config->issuers[i], notes, err))
			return -1;
	return 0;
}

/* What account.json says; nothing of it is needed to go on. */
static void read_facts(const char *file, struct account *account)
{
	cJSON *json = NULL;
	struct err ignored;

	if (!json_read_file(file, ACCOUNT_MAX_BYTES, &json, &ignored)) {
		account->url = str_dup(json_string(json, "url"));
		account->contact = str_dup(json_string(json, "contact"));
		account->deactivated_at = str_dup(json_string(json, "deactivated_at"));
	}
	cJSON_Delete(json);
}

int account_read(const struct config *config, const struct issuer_config *issuer,
		 struct account *ret, struct err *err)
{
	char *path = account_path(config, issuer, ACCOUNT_KEY);
	char *new_path = account_path(config, issuer, ACCOUNT_NEW_KEY);
	char *file = account_path(config, issuer, ACCOUNT_JSON);
	struct account account = { 0 };
	int rc = -1;

	if (account_key_read(path, &account.key, err)) {
		err_wrap(err, "account key of issuer '%s'", issuer->name);
		goto out;
	}
	if (account_key_read(new_path, &account.new_key, err) &&
	    err->kind != ERR_NOT_FOUND) {
		err_wrap(err, "new account key of issuer '%s'", issuer->name);
		goto out;
	}
	read_facts(file, &account);
	*ret = account;
	account = (struct account){ 0 };
	rc = 0;
out:
	account_clear(&account);
	free(file);
	free(new_path);
	free(path);
	return rc;
}

void account_clear(struct account *account)
{
	EVP_PKEY_free(account->key);
	EVP_PKEY_free(account->new_key);
	free(account->url);
	free(account->contact);
	free(account->deactivated_at);
	memset(account, 0, sizeof(*account));
}

int account_remember(const struct config *config, const struct issuer_config *issuer,
		     const char *url, struct err *err)
{
	char now[CLOCK_TEXT_MAX];
	const struct account_fact facts[] = {
		{ "directory", issuer->directory },
		{ "url", url },
		{ "known_since", now },
	};

	clock_format_rfc3339(clock_wall(), now);
	return account_change(config, issuer, facts, sizeof(facts) / sizeof(*facts), err);
}

int account_renew(const struct config *config, const struct issuer_config *issuer,
		  struct strlist *notes, struct err *err)
{
	static const char *const files[] = { ACCOUNT_KEY, ACCOUNT_JSON };
	char *why = str_printf("the account of issuer '%s' was deactivated",
			       issuer->name);
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(files) / sizeof(*files); i++) {
		char *path = account_path(config, issuer, files[i]);

		rc = account_set_aside(path, why, notes, err);
		free(path);
	}
	free(why);
	return rc ? rc : prepare_one(config, issuer, notes, err);
}

/* Puts the key there, or sees that it is there: an import that died is repeated. */
static int put_key(const char *path, const EVP_PKEY *key, const char *issuer,
		   struct err *err)
{
	struct file_facts facts;
	EVP_PKEY *ours = NULL;
	bool same;

	if (file_inspect(path, &facts, err))
		return -1;
	if (facts.type == FILE_ABSENT)
		return account_key_write(path, key, err);
	same = !account_key_read(path, &ours, err) && EVP_PKEY_eq(ours, key) == 1;
	EVP_PKEY_free(ours);
	return same ? 0
		    : err_set(err, ERR_REFUSED, "issuer '%s' has an account already",
			      issuer);
}

int account_adopt(const struct config *config, const struct issuer_config *issuer,
		  const EVP_PKEY *key, const char *url, struct err *err)
{
	char *folder = account_folder(config, issuer);
	char *path = path_join(folder, ACCOUNT_KEY);
	int rc = -1;

	if (dir_make(folder, FILE_SECRET, err) || put_key(path, key, issuer->name, err) ||
	    (url && account_remember(config, issuer, url, err)))
		goto out;
	rc = 0;
out:
	free(path);
	free(folder);
	return rc;
}

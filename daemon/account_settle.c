#include "daemon/account_settle.h"

#include <stdlib.h>

#include "acme/key.h"
#include "base/files.h"
#include "daemon/account_file.h"
#include "daemon/account_session.h"
#include "daemon/log.h"

static int ask(const struct acme_issuer *facts, EVP_PKEY *key,
	       const struct cancel *cancel, bool *ret_known, struct err *err)
{
	struct acme_session *session = NULL;
	int rc = -1;

	if (!acme_session_new(facts, key, NULL, cancel, &session, err))
		rc = acme_account_find(session, ret_known, err);
	acme_session_free(session);
	return rc;
}

/* The new key takes the old one's place. Dying between the two leaves it twice. */
static int promote(const struct config *config, const struct issuer_config *issuer,
		   const EVP_PKEY *new_key, struct err *err)
{
	char *path = account_path(config, issuer, ACCOUNT_KEY);
	char *new_path = account_path(config, issuer, ACCOUNT_NEW_KEY);
	int rc = -1;

	if (!account_key_write(path, new_key, err))
		rc = file_remove(new_path, err);
	free(new_path);
	free(path);
	return rc;
}

/* Never deleted: a request that timed out may be carried out after we have asked. */
static int drop_new(const struct config *config, const struct issuer_config *issuer,
		    struct err *err)
{
	char *new_path = account_path(config, issuer, ACCOUNT_NEW_KEY);
	int rc = account_set_aside(new_path, "", NULL, err);

	free(new_path);
	return rc;
}

static int settle(const struct config *config, const struct issuer_config *issuer,
		  const struct acme_issuer *facts, const struct cancel *cancel,
		  struct account *account, bool *ret_new, struct err *err)
{
	bool new_known = false, old_known = false;
	EVP_PKEY *old;

	if (ask(facts, account->new_key, cancel, &new_known, err) ||
	    (!new_known && ask(facts, account->key, cancel, &old_known, err)))
		return err_wrap(err, "find out which of its two account keys counts");
	if (new_known ? promote(config, issuer, account->new_key, err)
		      : drop_new(config, issuer, err))
		return err_wrap(err, "keep the account key that counts");
	log_line(LOG_LEVEL_INFO, NULL, NULL,
		 "issuer '%s': a change of the account's key that was interrupted is "
		 "settled: %s",
		 issuer->name,
		 new_known   ? "the CA knows the new key"
		 : old_known ? "the CA knows the old key; the new one was set aside"
			     : "the CA knows neither key; the new one was set aside");
	old = account->key;
	if (new_known)
		account->key = account->new_key;
	EVP_PKEY_free(new_known ? old : account->new_key);
	account->new_key = NULL;
	*ret_new = new_known;
	return 0;
}

int account_settle(const struct config *config, const struct issuer_config *issuer,
		   const struct acme_issuer *facts, const struct cancel *cancel,
		   struct account *account, struct err *err)
{
	bool is_new;

	return settle(config, issuer, facts, cancel, account, &is_new, err);
}

/* The request failed: does the CA have the new key all the same? 0: it has. */
static int look_what_became_of_it(const struct config *config,
				  const struct issuer_config *issuer,
				  const struct cancel *cancel, struct err *err)
{
	const struct acme_issuer facts = account_issuer(issuer);
	struct account account = { 0 };
	struct err asked;
	bool is_new = false;
	int rc;

	if (account_read(config, issuer, &account, &asked) ||
	    settle(config, issuer, &facts, cancel, &account, &is_new, &asked))
		rc = err_wrap(err,
			      "it is not known which of two account keys counts; both "
			      "are kept, and the CA is asked at the next use (%s)",
			      asked.text);
	else
		rc = is_new ? 0 : -1;
	account_clear(&account);
	return rc;
}

int account_change_key(const struct config *config, const struct issuer_config *issuer,
		       struct acme_session *session, const struct cancel *cancel,
		       struct err *err)
{
	char *new_path = account_path(config, issuer, ACCOUNT_NEW_KEY);
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (key_generate(issuer->account_key, &key, err) ||
	    account_key_write(new_path, key, err))
		goto out;
	if (acme_account_change_key(session, key, err))
		rc = look_what_became_of_it(config, issuer, cancel, err);
	else
		rc = promote(config, issuer, key, err);
out:
	EVP_PKEY_free(key);
	free(new_path);
	return rc;
}

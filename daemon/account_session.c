#include "daemon/account_session.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/account_file.h"
#include "daemon/account_settle.h"
#include "daemon/accounts.h"
#include "daemon/log.h"

struct acme_issuer account_issuer(const struct issuer_config *issuer)
{
	static const enum acme_eab_algorithm algorithms[] = {
		[EAB_HS256] = ACME_EAB_HS256,
		[EAB_HS384] = ACME_EAB_HS384,
		[EAB_HS512] = ACME_EAB_HS512,
	};

	return (struct acme_issuer){
		.directory_url = issuer->directory,
		.ca_bundle = issuer->ca_bundle,
		.proxy = issuer->proxy,
		.contact = issuer->contact,
		.agree_to_terms = issuer->agree_to_terms,
		.eab_key_id = issuer->eab_key_id,
		.eab_hmac_key = issuer->eab_hmac_key.bytes,
		.eab_algorithm = algorithms[issuer->eab_algorithm],
		.request_timeout_s = issuer->request_timeout_s,
		.order_timeout_s = issuer->order_timeout_s,
	};
}

char *account_contacts(const struct issuer_config *issuer)
{
	char *joined = str_dup(""), *more;

	for (size_t i = 0; issuer->contact && issuer->contact[i]; i++) {
		more = str_printf("%s%s%s", joined, i ? ", " : "", issuer->contact[i]);
		free(joined);
		joined = more;
	}
	return joined;
}

/* Loads the account and makes a session of the key that counts; `settles`: finds out
 * which one that is, where it is not known. */
static int begin(struct account_session *session, const struct config *config,
		 const struct issuer_config *issuer, const struct cancel *cancel,
		 bool settles, struct account *account, struct err *err)
{
	session->facts = account_issuer(issuer);
	if (account_read(config, issuer, account, err))
		return -1;
	if (account->deactivated_at)
		return err_set(err, ERR_CONFIG,
			       "its account was deactivated at %s: `certrenewd account "
			       "register %s` makes a new one",
			       account->deactivated_at, issuer->name);
	if (settles && account->new_key &&
	    account_settle(config, issuer, &session->facts, cancel, account, err))
		return -1;
	return acme_session_new(&session->facts, account->key, account->url, cancel,
				&session->session, err);
}

static int register_account(struct account_session *session, const struct config *config,
			    const struct issuer_config *issuer, struct account *account,
			    struct err *err)
{
	char *contact = account_contacts(issuer);
	const struct account_fact facts[] = { { "contact", contact } };
	int rc = -1;

	if (acme_register(session->session, &account->url, err)) {
		err_wrap(err, "register an account");
		goto out;
	}
	if (account_remember(config, issuer, account->url, err))
		goto out;
	/* An account that was there before may have others: they are sent below. */
	if (!contact[0] || account->contact)
		rc = 0;
	else
		rc = account_change(config, issuer, facts, 1, err);
out:
	free(contact);
	return rc;
}

/* No reason not to order: the next session sends them. */
static void send_contact(struct account_session *session, const struct config *config,
			 const struct issuer_config *issuer,
			 const struct account *account)
{
	char *contact = account_contacts(issuer);
	const struct account_fact facts[] = { { "contact", contact } };
	struct err err;

	if (!contact[0] || str_equal(contact, account->contact))
		goto out;
	if (acme_account_set_contact(session->session, issuer->contact, &err) ||
	    account_change(config, issuer, facts, 1, &err))
		log_line(LOG_LEVEL_WARNING, NULL, NULL,
			 "issuer '%s': the account's contacts could not be changed: %s",
			 issuer->name, err.text);
	else
		log_line(LOG_LEVEL_INFO, NULL, NULL,
			 "issuer '%s': the account's contacts are %s now", issuer->name,
			 contact);
out:
	free(contact);
}

int account_session_open(struct account_session *ret, const struct config *config,
			 const struct issuer_config *issuer, const struct cancel *cancel,
			 struct err *err)
{
	struct account account = { 0 };
	bool fresh;
	int rc = -1;

	if (begin(ret, config, issuer, cancel, true, &account, err))
		goto out;
	fresh = !account.url;
	if (fresh && register_account(ret, config, issuer, &account, err))
		goto out;
	if (!fresh || account.contact)
		send_contact(ret, config, issuer, &account);
	free(ret->known_url);
	ret->known_url = str_dup(account.url);
	rc = 0;
out:
	if (rc)
		account_session_close(ret);
	account_clear(&account);
	return rc;
}

static int open_for(bool change, struct account_session *ret, const struct config *config,
		    const struct issuer_config *issuer, const struct cancel *cancel,
		    bool *ret_known, struct err *err)
{
	struct account account = { 0 };
	int rc = -1;

	if (begin(ret, config, issuer, cancel, change, &account, err))
		goto out;
	*ret_known = account.url != NULL;
	if (!account.url && acme_account_find(ret->session, ret_known, err))
		goto out;
	ret->known_url = str_dup(account.url);
	rc = 0;
out:
	if (rc)
		account_session_close(ret);
	account_clear(&account);
	return rc;
}

int account_session_take(struct account_session *ret, const struct config *config,
			 const struct issuer_config *issuer, const struct cancel *cancel,
			 bool *ret_known, struct err *err)
{
	return open_for(true, ret, config, issuer, cancel, ret_known, err);
}

int account_session_look(struct account_session *ret, const struct config *config,
			 const struct issuer_config *issuer, const struct cancel *cancel,
			 bool *ret_known, struct err *err)
{
	return open_for(false, ret, config, issuer, cancel, ret_known, err);
}

int account_session_remember(struct account_session *session, const struct config *config,
			     const struct issuer_config *issuer, struct err *err)
{
	const char *url = session->session ? acme_session_account_url(session->session)
					   : NULL;

	if (!url || str_equal(url, session->known_url))
		return 0;
	if (account_remember(config, issuer, url, err))
		return -1;
	free(session->known_url);
	session->known_url = str_dup(url);
	return 0;
}

void account_session_close(struct account_session *session)
{
	if (!session)
		return;
	acme_session_free(session->session);
	free(session->known_url);
	session->session = NULL;
	session->known_url = NULL;
}

#include "daemon/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "daemon/accounts.h"

struct entry {
	struct acme_issuer facts; /* what the session borrows */
	const struct issuer_config *issuer;
	struct acme_session *session;
	char *known_url; /* as account.json has it; NULL none */
};

struct sessions {
	const struct cancel *cancel;
	const struct config *config; /* whose issuers the entries are */
	unsigned long generation;    /* of that configuration; 0: none yet */
	struct entry *entries;
	size_t n;
};

struct sessions *sessions_new(const struct cancel *cancel)
{
	struct sessions *sessions = mem_calloc(1, sizeof(*sessions));

	sessions->cancel = cancel;
	return sessions;
}

static void drop_all(struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->n; i++) {
		acme_session_free(sessions->entries[i].session);
		free(sessions->entries[i].known_url);
	}
	free(sessions->entries);
	sessions->entries = NULL;
	sessions->n = 0;
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	drop_all(sessions);
	free(sessions);
}

static struct acme_issuer facts_of(const struct issuer_config *issuer)
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

static struct entry *find_entry(struct sessions *sessions,
				const struct issuer_config *issuer)
{
	for (size_t i = 0; i < sessions->n; i++)
		if (sessions->entries[i].issuer == issuer)
			return &sessions->entries[i];
	return NULL;
}

/* All entries are laid out at once: the sessions borrow their addresses. */
void sessions_use(struct sessions *sessions, const struct config *config,
		  unsigned long generation)
{
	if (sessions->generation == generation)
		return;
	drop_all(sessions);
	sessions->config = config;
	sessions->generation = generation;
	sessions->entries = mem_calloc(config->n_issuers, sizeof(*sessions->entries));
	sessions->n = config->n_issuers;
	for (size_t i = 0; i < sessions->n; i++) {
		sessions->entries[i].issuer = &config->issuers[i];
		sessions->entries[i].facts = facts_of(&config->issuers[i]);
	}
}

static int open_session(struct sessions *sessions, struct entry *entry, struct err *err)
{
	EVP_PKEY *key = NULL;
	char *url = NULL;
	int rc = -1;

	if (account_load(sessions->config, entry->issuer, &key, &url, err))
		goto out;
	if (acme_session_new(&entry->facts, key, url, sessions->cancel, &entry->session,
			     err))
		goto out;
	if (!url && acme_register(entry->session, &url, err)) {
		acme_session_free(entry->session);
		entry->session = NULL;
		err_wrap(err, "register an account");
		goto out;
	}
	free(entry->known_url);
	entry->known_url = str_dup(url);
	rc = account_remember(sessions->config, entry->issuer, url, err);
out:
	free(url);
	EVP_PKEY_free(key);
	return rc;
}

void sessions_cool(struct sessions *sessions)
{
	drop_all(sessions);
	sessions->generation = 0;
}

int sessions_get(struct sessions *sessions, const struct issuer_config *issuer,
		 struct acme_session **ret_session, struct err *err)
{
	struct entry *entry = find_entry(sessions, issuer);

	if (!entry)
		return err_set(err, ERR_BUG, "issuer '%s' is not in this configuration",
			       issuer->name);
	if (!entry->session && open_session(sessions, entry, err))
		return -1;
	*ret_session = entry->session;
	return 0;
}

int sessions_remember(struct sessions *sessions, const struct issuer_config *issuer,
		      struct err *err)
{
	struct entry *entry = find_entry(sessions, issuer);
	const char *url;

	if (!entry || !entry->session)
		return 0;
	url = acme_session_account_url(entry->session);
	if (!url || str_equal(url, entry->known_url))
		return 0;
	if (account_remember(sessions->config, issuer, url, err))
		return -1;
	free(entry->known_url);
	entry->known_url = str_dup(url);
	return 0;
}

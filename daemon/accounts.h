/* accounts.h - our accounts at the issuers, on disk:
 * accounts/<issuer>/{key.pem,account.json}; key.new.pem beside them while a key rollover
 * is under way (account_settle.h).
 *
 * The key is durable before any request uses it; the URL is a hint that the CA can always
 * tell again (RFC 8555 7.3.1). An account belongs to one directory URL: when the
 * configuration points an issuer's name elsewhere (staging, production), the old account
 * is set aside and a new one made; the two are never mixed. */
#ifndef DAEMON_ACCOUNTS_H
#define DAEMON_ACCOUNTS_H

#include <openssl/evp.h>

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

/* Makes sure that every issuer has an account key on disk. Called by the thread that owns
 * the state, before workers use the accounts. `notes` gets a sentence for each account
 * that was set aside or repaired. */
int accounts_prepare(const struct config *config, struct strlist *notes, struct err *err);

/* The same for one, also for one that no configuration has (a CA's staging directory). */
int account_prepare(const struct config *config, const struct issuer_config *issuer,
		    struct strlist *notes, struct err *err);

struct account { /* as it is on disk */
	EVP_PKEY *key;
	EVP_PKEY *new_key;    /* a rollover whose end is not known; NULL: none */
	char *url;            /* NULL: the CA has not told yet */
	char *contact;        /* last sent, joined by ", "; NULL: nothing ever was */
	char *deactivated_at; /* RFC 3339; NULL: it was not */
};
/* Reads it. Gives; account_clear() after. ERR_NOT_FOUND without a key. */
int account_read(const struct config *config, const struct issuer_config *issuer,
		 struct account *ret, struct err *err);
void account_clear(struct account *account);

/* Remembers the URL that the CA gave, durable. */
int account_remember(const struct config *config, const struct issuer_config *issuer,
		     const char *url, struct err *err);

/* Sets a deactivated account aside and makes a new key; the next session registers it. */
int account_renew(const struct config *config, const struct issuer_config *issuer,
		  struct strlist *notes, struct err *err);

/* Makes an account of another client ours: key and URL (NULL: not known) are put where
 * accounts_prepare() would make new ones. ERR_REFUSED when the issuer has one already,
 * with another key. Borrows the key; the caller holds the state lock. */
int account_adopt(const struct config *config, const struct issuer_config *issuer,
		  const EVP_PKEY *key, const char *url, struct err *err);

#endif

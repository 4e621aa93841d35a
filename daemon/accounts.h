/* accounts.h - our accounts at the issuers, on disk:
 * accounts/<issuer>/{key.pem,account.json}.
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

/* Loads key and URL. Gives *ret_key and *ret_url (NULL when the CA has not told yet). */
int account_load(const struct config *config, const struct issuer_config *issuer,
		 EVP_PKEY **ret_key, char **ret_url, struct err *err);

/* Remembers the URL that the CA gave, durable. */
int account_remember(const struct config *config, const struct issuer_config *issuer,
		     const char *url, struct err *err);

/* Makes an account of another client ours: key and URL (NULL: not known) are put where
 * accounts_prepare() would make new ones. ERR_REFUSED when the issuer has one already.
 * Borrows the key; the caller holds the state lock. */
int account_adopt(const struct config *config, const struct issuer_config *issuer,
		  const EVP_PKEY *key, const char *url, struct err *err);

#endif

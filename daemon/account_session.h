/* account_session.h - a session with a CA by our account there, opened the one way that
 * all of us do: a key rollover whose end is not known is settled first, an account that
 * was deactivated is not silently made anew, one that was never made is registered, and
 * contacts that the configuration has changed are sent.
 *
 * Blocking. One session belongs to one thread; who changes the account meanwhile is kept
 * away by account_gate.h. */
#ifndef DAEMON_ACCOUNT_SESSION_H
#define DAEMON_ACCOUNT_SESSION_H

#include <stdbool.h>

#include "acme/acme.h"
#include "base/err.h"
#include "config/config.h"

struct cancel;

struct account_session {
	struct acme_issuer facts; /* what the session borrows: it stays where it is */
	struct acme_session *session;
	char *known_url; /* as account.json has it; NULL none */
};

/* What acme/ wants to know of an issuer. Borrows its strings. */
struct acme_issuer account_issuer(const struct issuer_config *issuer);

/* Opens it, and registers an account where there is none. Fills *ret in place; release
 * with account_session_close(), also after a failure. ERR_CONFIG where the account was
 * deactivated, with the way out. */
int account_session_open(struct account_session *ret, const struct config *config,
			 const struct issuer_config *issuer, const struct cancel *cancel,
			 struct err *err);

/* Opens it for a change of the account: nothing is registered and no contact is sent.
 * *ret_known: has the CA an account with our key? (Where account.json has its URL the CA
 * is not asked.) */
int account_session_take(struct account_session *ret, const struct config *config,
			 const struct issuer_config *issuer, const struct cancel *cancel,
			 bool *ret_known, struct err *err);

/* The same for a look, beside whoever changes the account meanwhile: a key rollover is
 * not settled, and nothing on disk changes. */
int account_session_look(struct account_session *ret, const struct config *config,
			 const struct issuer_config *issuer, const struct cancel *cancel,
			 bool *ret_known, struct err *err);

/* Writes down the account's URL if it has changed since (the CA had lost the account and
 * the session registered again). */
int account_session_remember(struct account_session *session, const struct config *config,
			     const struct issuer_config *issuer, struct err *err);

void account_session_close(struct account_session *session); /* NULL is fine */

#endif

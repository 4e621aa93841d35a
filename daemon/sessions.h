/* sessions.h - a worker's warm sessions with its CAs: one kept connection, directory,
 * account and nonces per issuer. Belongs to one worker; dropped when the configuration
 * changes, and when an account does (account_gate.h). */
#ifndef DAEMON_SESSIONS_H
#define DAEMON_SESSIONS_H

#include "acme/acme.h"
#include "base/err.h"
#include "config/config.h"

struct account_gate;
struct cancel;
struct sessions;

/* Gives an empty set. Keeps `cancel`: set once, when the process ends; and `gate` (NULL:
 * nobody else uses the accounts). */
struct sessions *sessions_new(const struct cancel *cancel, struct account_gate *gate);
void sessions_free(struct sessions *sessions); /* NULL is fine */

/* Tells which configuration the next calls are about; another `generation` than last time
 * drops every session. Keeps `config` until then. */
void sessions_use(struct sessions *sessions, const struct config *config,
		  unsigned long generation);

/* Drops every session: after a while without work they are memory and open connections
 * for nothing. The next sessions_use() begins anew. */
void sessions_cool(struct sessions *sessions);

/* The session with `issuer` (of that configuration), made and registered if need be.
 * Borrowed from the set. From then until sessions_rest() no account is changed: in
 * between stands what speaks to CAs, and nothing that waits for people or services. */
int sessions_get(struct sessions *sessions, const struct issuer_config *issuer,
		 struct acme_session **ret_session, struct err *err);

/* Nothing is under way at any CA: accounts may change. Sessions that were got before are
 * not used any more. */
void sessions_rest(struct sessions *sessions); /* NULL is fine */

/* Writes down the account's URL if the CA changed it meanwhile (it had lost the account
 * and we registered again). */
int sessions_remember(struct sessions *sessions, const struct issuer_config *issuer,
		      struct err *err);

#endif

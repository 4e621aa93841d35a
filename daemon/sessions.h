/* sessions.h - a worker's warm sessions with its CAs: one kept connection, directory,
 * account and nonces per issuer. Belongs to one worker; dropped when the configuration
 * changes. */
#ifndef DAEMON_SESSIONS_H
#define DAEMON_SESSIONS_H

#include "acme/acme.h"
#include "base/err.h"
#include "config/config.h"

struct cancel;
struct sessions;

/* Gives an empty set. Keeps `cancel`: set once, when the process ends. */
struct sessions *sessions_new(const struct cancel *cancel);
void sessions_free(struct sessions *sessions); /* NULL is fine */

/* Tells which configuration the next calls are about; another `generation` than last time
 * drops every session. Keeps `config` until then. */
void sessions_use(struct sessions *sessions, const struct config *config,
		  unsigned long generation);

/* Drops every session: after a while without work they are memory and open connections
 * for nothing. The next sessions_use() begins anew. */
void sessions_cool(struct sessions *sessions);

/* The session with `issuer` (of that configuration), made and registered if need be.
 * Borrowed from the set. */
int sessions_get(struct sessions *sessions, const struct issuer_config *issuer,
		 struct acme_session **ret_session, struct err *err);

/* Writes down the account's URL if the CA changed it meanwhile (it had lost the account
 * and we registered again). */
int sessions_remember(struct sessions *sessions, const struct issuer_config *issuer,
		      struct err *err);

#endif

/* persist.h - the record of dns-persist-01, which stays: is it there, for how long, and
 * what would have to be published. For daemon/prove_persist.c and daemon/persist_watch.c.
 */
#ifndef DAEMON_PERSIST_H
#define DAEMON_PERSIST_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/pass.h"

enum persist_step { /* how near the end is */
		    PERSIST_WELL,
		    PERSIST_SOON,   /* 30 days */
		    PERSIST_NEAR,   /* 10 days */
		    PERSIST_MISSING /* ended, or not there */
};

struct persist_question {       /* borrowed */
	const char *identifier; /* a wildcard needs policy=wildcard */
	const char *account_url;
	const char *const *issuer_domains; /* of the CA: any of them will do */
};

/* How near is the end? `until` CLOCK_NEVER: there is none. Pure. */
enum persist_step persist_step(int64_t until, int64_t now);

/* Looks for a record that lets the account in. Sets *ret_until (CLOCK_NEVER: it does not
 * end). ERR_CONFIG with the whole record to publish when there is none or it has ended;
 * ERR_TRANSIENT, ERR_REFUSED when the DNS does not tell. */
int persist_look(struct pass *pass, const struct persist_question *question,
		 int64_t *ret_until, struct err *err);

/* persist_watch.c: once a day, where it is used: the end that draws near becomes an
 * event, each step once. */
void pass_watch_persist(struct pass *pass);

#endif

/* expired.h - the expired ladder: what to do when time has run out.  Pure.
 *
 * The issuers in turn, the back-off, every valid certificate at hand tried three times,
 * the newest first; then, where the target says `when_expired: http`, plain HTTP. Never
 * on an unconfirmed clock, never on a target that an operator has taken over, never on a
 * service that its administrator has stopped; and one that did not come up in plain HTTP
 * waits for its own back-off, because each try restarts it twice.
 *
 * Revoked is not expired: most clients do not look, and plain HTTP protects nobody. The
 * issuers are asked at once, nothing falls back until the certificate has run out. */
#ifndef DAEMON_EXPIRED_H
#define DAEMON_EXPIRED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/target.h"
#include "hooks/mode.h"

/* How often a certificate at hand is tried before the next rung. */
#define EXPIRED_DEPLOYS 3

struct expired_facts {
	bool present;             /* there is a deployed certificate */
	int64_t not_after;        /* of what is deployed */
	unsigned renewals_failed; /* whole rounds through the issuers since it expired */
	bool fresh_at_hand;       /* the newest certificate is valid, not deployed */
	unsigned deploys_failed;  /* tries of that one */
	bool older_at_hand; /* an older one is valid still, not tried so often yet */
	bool clock_trusted;
	bool stopped;              /* the service is, by its administrator */
	int64_t fallback_again_at; /* plain HTTP did not come up: not before then; 0 */
	enum when_expired when_expired;
	enum target_mode mode;
};

enum expired_step {
	LADDER_NONE,     /* not expired, or nothing to do */
	LADDER_RENEW,    /* go on trying to renew */
	LADDER_DEPLOY,   /* go on trying to deploy what is at hand */
	LADDER_OLDER,    /* try an older one */
	LADDER_FALLBACK, /* plain HTTP now */
	LADDER_NO_CLOCK, /* would fall back, but the clock is not confirmed */
	LADDER_STOPPED,  /* would fall back, but nothing runs that could speak */
	LADDER_LATER,    /* would fall back, but did in vain a moment ago */
};

struct expired_verdict {
	enum expired_step step;
	const char *why; /* in words, borrowed */
};

/* Which rung we are on, and why. */
struct expired_verdict expired_decide(const struct expired_facts *facts, int64_t now);

#endif

/* expired.h - the expired ladder: what to do when time has run out.  Pure.
 *
 * The issuers in turn, the back-off, every valid certificate at hand tried three times;
 * then, where the target says `when_expired: http`, plain HTTP. Never on an unconfirmed
 * clock, never on a target that an operator has taken over. */
#ifndef DAEMON_EXPIRED_H
#define DAEMON_EXPIRED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/target.h"
#include "hooks/mode.h"

struct expired_facts {
	bool present;             /* there is a deployed certificate */
	int64_t not_after;        /* of what is deployed */
	unsigned renewals_failed; /* whole rounds through the issuers since it expired */
	bool fresh_at_hand;       /* a valid certificate waits to be deployed */
	unsigned deploys_failed;  /* tries of that one */
	bool clock_trusted;
	enum when_expired when_expired;
	enum target_mode mode;
};

enum expired_step {
	LADDER_NONE,     /* not expired, or nothing to do */
	LADDER_RENEW,    /* go on trying to renew */
	LADDER_DEPLOY,   /* go on trying to deploy what is at hand */
	LADDER_FALLBACK, /* plain HTTP now */
	LADDER_NO_CLOCK, /* would fall back, but the clock is not confirmed */
};

struct expired_verdict {
	enum expired_step step;
	const char *why; /* in words, borrowed */
};

/* Which rung we are on, and why. */
struct expired_verdict expired_decide(const struct expired_facts *facts, int64_t now);

#endif

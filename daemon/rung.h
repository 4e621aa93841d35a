/* rung.h - where a target stands on the expired ladder, in facts and in words: for the
 * pass that climbs it, and for `explain` and `status`. Pure. */
#ifndef DAEMON_RUNG_H
#define DAEMON_RUNG_H

#include "base/buf.h"
#include "base/target.h"
#include "daemon/expired.h"
#include "daemon/job.h"
#include "hooks/deploy.h"

struct rung_known { /* borrowed; of one target */
	const struct target *target;
	const struct target_state *state;
	const struct job *job;
	const struct cert *current; /* the newest certificate; NULL: none */
	bool deployed;              /* it is what this target serves */
	int64_t until;              /* what is served expires then; 0: nothing known */
	bool older_at_hand, stopped, clock_trusted;
	int64_t now;
};

/* The ladder's facts, from what is known. */
struct expired_facts rung_facts(const struct rung_known *known);

/* "the issuers are asked again, failed 2 times: ...; next try ...": what has been tried
 * on this rung and when it is tried again. */
void rung_words(const struct rung_known *known, const struct expired_verdict *verdict,
		struct buf *out);

/* The word of a step for machines: "none", "renew", "fallback", ... Borrowed. */
const char *rung_name(enum expired_step step);

#endif

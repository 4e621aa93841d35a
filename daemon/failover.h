/* failover.h - one issuer could not: is the next one asked now?  Pure.
 *
 * An outage is nobody's decision and passes without us: the next issuer is asked at once.
 * A refusal is: somebody has to look at it, and the same names are asked for again by the
 * back-off until `failover_after` refusals in a row; who has no time left goes on at
 * once. A rate limit counts as an outage when waiting for it would use up the time. */
#ifndef DAEMON_FAILOVER_H
#define DAEMON_FAILOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct failover_facts {
	const struct err *err; /* what it failed with; borrowed */
	bool at_ca;            /* an ACME CA; whatever else has nothing to reconsider */
	bool skipped;          /* we did not ask it at all: CAA forbids it, the breaker */
	bool limited;          /* a rate limit, as we know it, has to pass first */
	bool challenged;       /* it looked, and did not see our answer */
	unsigned refusals;     /* of this issuer in a row, before this failure */
	int64_t failover_after;          /* of the certificate */
	int64_t lifetime_s, remaining_s; /* of the certificate in hand; 0: none */
};

struct failover_verdict {
	bool next;    /* ask the next issuer now */
	bool refusal; /* counts as one */
	int64_t more; /* refusals until the next one is asked; 0 with `next` */
};

/* The rules above, in this order: who was not asked, an outage, a refusal. */
struct failover_verdict failover_decide(const struct failover_facts *facts);

#endif

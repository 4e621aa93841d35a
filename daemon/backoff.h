/* backoff.h - how long to wait after a failure.  Pure.
 *
 * 1 minute doubling to 1 day, jittered by +-20 %, both scaled down for short lifetimes
 * (first = lifetime / 30, cap = lifetime / 6, never under 1 s), and never so long that
 * fewer than six attempts (three for lifetimes under 7 days) fit into what remains of the
 * certificate. That rule alone would end in a hail of attempts just before notAfter,
 * which the CA answers with a limit: it does not bring them closer than cap / 24 (one
 * hour). A longer Retry-After of the CA wins over all of it. */
#ifndef DAEMON_BACKOFF_H
#define DAEMON_BACKOFF_H

#include <stdint.h>

struct backoff_facts {
	unsigned failures;      /* in a row, at least 1 */
	int64_t lifetime_s;     /* of the certificate; 0: unknown, counts as 90 days */
	int64_t remaining_s;    /* until notAfter; <= 0: expired or none */
	uint32_t retry_after_s; /* the CA's; 0 none */
};

/* Seconds to wait. `random` is uniform in [0, 1). */
int64_t backoff_next(const struct backoff_facts *facts, double random);

/* How many attempts fit into `remaining_s` if every one fails from now on, at most 99:
 * what an alert says remains. 0 when nothing remains. */
unsigned backoff_attempts_left(const struct backoff_facts *facts);

#endif

/* breaker.h - the circuit breaker on issued certificates: what keeps a bug of ours, or a
 * hostile advice, from burning the CA's limits.
 *
 * Counts per exact name set and issuer, on disk, before finalize is sent: at most
 * max(2, 3 x expected) in 24 h and max(4, 2 x expected) in 7 d, expected = window /
 * (lifetime - what renew.at leaves). The decision is pure; the file is below. */
#ifndef DAEMON_BREAKER_H
#define DAEMON_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct breaker_verdict {
	bool allowed;
	int64_t retry_at; /* when it would be, if not */
	char text[160];   /* the rule: "2 certificates in 24 h, at most 2 are allowed" */
};

/* `issued`: instants, any order. `interval_s`: lifetime - what renew.at leaves, the time
 * between two planned renewals (0 unknown: counts as 30 days). */
struct breaker_verdict breaker_decide(const int64_t *issued, size_t n, int64_t interval_s,
				      int64_t now);

/* The file <state_dir>/breaker.json. The key is derived from the sorted names and the
 * issuer's name. Entries older than 8 days are dropped when writing. All functions set a
 * damaged file aside and begin anew: they succeed, and err->kind is ERR_CONFIG with the
 * sentence to report (else ERR_NONE). */
int breaker_read(const char *state_dir, const char *const *names, const char *issuer,
		 int64_t **ret_issued, size_t *ret_n, struct err *err); /* gives (free) */

/* Adds one issuance, durable when this returns. Thread-safe among our workers (they wait
 * for each other at <state_dir>/breaker.lock). */
int breaker_count(const char *state_dir, const char *const *names, const char *issuer,
		  int64_t now, struct err *err);

/* Forgets what was counted more than a day ahead of `now`, of all names: on a clock that
 * was wrong. To be called while the clock is trusted, before that day comes and it counts
 * as if it had happened then. A damaged file as above. */
int breaker_after_clock_moved(const char *state_dir, int64_t now, struct err *err);

#endif

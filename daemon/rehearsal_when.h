/* rehearsal_when.h - when is the next renewal of a certificate to be rehearsed?  Pure.
 *
 * Every week (`rehearse: {every:}`), spread by the certificate's name; a day before the
 * renewal and a day before its maintenance window opens, where the targets have windows;
 * a day after a rehearsal that failed. A renewal that went well is the best rehearsal:
 * the week begins with it, and within the hour after it nothing is rehearsed. What is
 * renewed every few days is proven by that, and never rehearsed.
 *
 * A renewal that is about to begin is not kept waiting by its own rehearsal. */
#ifndef DAEMON_REHEARSAL_WHEN_H
#define DAEMON_REHEARSAL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* Shorter lives than this are renewed as often as they could be rehearsed. */
#define REHEARSAL_LIFETIME_MIN_S (14 * INT64_C(86400))

struct rehearsal_facts {    /* instants; 0 where there is none yet */
	const char *name;   /* of the certificate; borrowed */
	int64_t every_s;    /* 0: never */
	int64_t lifetime_s; /* of the one in hand */
	int64_t at;         /* the last whole rehearsal ... */
	bool well;          /* ... and whether it went well */
	int64_t next_at;    /* when the next one was planned, as remembered */
	int64_t not_before; /* one was put off until then */
	int64_t renewed_at; /* the last renewal */
	int64_t renew_at;   /* the next one; CLOCK_NEVER: nobody knows */
	int64_t window_at;  /* when the window opens in which it is brought in;
			       CLOCK_NEVER: no target has one */
	bool waiting;       /* the certificate is at hand, and waits for that window */
};

enum rehearsal_reason {
	REHEARSE_NEVER,
	REHEARSE_FIRST,
	REHEARSE_REGULARLY,
	REHEARSE_AGAIN, /* the last one failed */
	REHEARSE_BEFORE_RENEWAL,
	REHEARSE_BEFORE_WINDOW,
};

struct rehearsal_verdict {
	int64_t at; /* CLOCK_NEVER: not at all; up to `now`: it is due */
	enum rehearsal_reason reason;
};

/* The moment, and which rule says so. Without a rehearsal, a plan or a renewal so far it
 * is within a day of `now`: to be remembered as next_at. */
struct rehearsal_verdict rehearsal_decide(const struct rehearsal_facts *facts,
					  int64_t now);

/* "regularly", "before the maintenance window", ... Borrowed. */
const char *rehearsal_reason_text(enum rehearsal_reason reason);

/* May an order be made at the directory for trials, when the last one was at
 * `ordered_at` (0: never)? Once a week, and not before the CA said (0: it did not). */
bool rehearsal_may_order(int64_t ordered_at, int64_t not_before, int64_t now);

/* After a rehearsal of a spare issuer, well or not: 30 days less up to 2, or a day less
 * up to 2 hours; before the first: within a day. `dice` 0..1. */
int64_t rehearsal_next(bool ever, bool well, int64_t now, double dice);

#endif

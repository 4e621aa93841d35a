/* window.h - when an application may be restarted: its maintenance windows, and when
 * waiting for one is over.  Pure: the zone comes in as a function.
 *
 * The order of a certificate never waits, its deployment does. Two things end the wait
 * before the window begins. An operator who says so (`deploy`, `renew --force`): not seen
 * here. And safety: what is served must not run out while we wait, so that at the latest
 * a margin before its end (a tenth of its lifetime, at most a day) it is deployed,
 * window or not. What has run out already is deployed at once.
 *
 * Windows are of the machine's zone. Where the clock goes forward over a window's
 * beginning or end, the window keeps its length; where it goes back, the second of the
 * two equal hours counts. No window is ever lost. */
#ifndef DAEMON_WINDOW_H
#define DAEMON_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/target.h"

/* Seconds east of UTC at the instant `at`. */
typedef int window_zone(int64_t at);

/* The zone of this machine. */
int window_local_zone(int64_t at);

/* `now` when a window is open or there is none at all, else when the next one begins;
 * CLOCK_NEVER when no day ever comes (windows without a day). Borrows. */
int64_t window_next(const struct window *windows, size_t n, int64_t now,
		    window_zone *zone);

struct window_facts { /* of one target; borrowed */
	const struct window *windows;
	size_t n;
	int64_t served_until; /* notAfter of what is served; 0: not known */
	int64_t lifetime_s;   /* of a certificate of this kind; 0: not known */
	bool unprotected;     /* it speaks plain HTTP: nothing to wait for */
};

struct window_verdict {
	int64_t at;   /* when it may be deployed, never before `now`; `now`: at once */
	bool outside; /* for safety's sake, not because a window is open */
};

/* When may the target be deployed? */
struct window_verdict window_decide(const struct window_facts *facts, int64_t now,
				    window_zone *zone);

#endif

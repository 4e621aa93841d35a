/* clock_trust.h - may we believe the wall clock enough to delete or to fall back?  Pure.
 *
 * Confirmed: a Date over verified TLS agreed within 5 minutes at most 7 days ago, and
 * wall and monotonic clock have not diverged by more than 5 minutes since. After a reboot
 * the last confirmed instant is a floor: an earlier wall clock is not believed, a later
 * one needs a new confirmation only after the 7 days. */
#ifndef DAEMON_CLOCK_TRUST_H
#define DAEMON_CLOCK_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct clock_reading { /* one look at the clocks */
	int64_t wall;
	int64_t mono_ms;
	char boot_id[64];
};

struct clock_trust {               /* kept in <state_dir>/clock.json */
	bool ever;                 /* a Date has been seen that agreed */
	int64_t confirmed_at;      /* wall clock when it agreed */
	int64_t confirmed_mono_ms; /* monotonic clock then */
	char boot_id[64];          /* of that boot */
	bool disagreed;            /* the newest Date did not agree ... */
	int64_t off_by_s;          /* ... by this much (wall - Date) */
};

struct clock_reading clock_reading_now(void); /* the one impure function here */

/* Takes in a Date that arrived at monotonic `date_mono_ms`. */
void clock_trust_observe(struct clock_trust *trust, int64_t date, int64_t date_mono_ms,
			 const struct clock_reading *now);

/* Is it confirmed now? `why` (may be NULL) gets the reason in words either way:
 * "the clock is 31536000 s ahead of the CA's", "never confirmed by a CA or a webhook". */
bool clock_trusted(const struct clock_trust *trust, const struct clock_reading *now,
		   char why[160]);

/* <state_dir>/clock.json; a missing or damaged file reads as never confirmed. A damaged
 * one is set aside: err->kind is ERR_CONFIG with the sentence to report (else ERR_NONE).
 */
int clock_trust_read(const char *state_dir, struct clock_trust *ret, struct err *err);
int clock_trust_write(const char *state_dir, const struct clock_trust *trust,
		      struct err *err);

#endif

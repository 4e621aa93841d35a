/* fallback_parts.h - what the files of the fallback share: one way down to plain HTTP.
 * Internal to hooks/fallback*.c; hooks/fallback.h is the interface. */
#ifndef HOOKS_FALLBACK_PARTS_H
#define HOOKS_FALLBACK_PARTS_H

#include "hooks/fallback.h"
#include "hooks/transaction.h"

struct fall { /* one way down; the target is the deployment's only one */
	struct deployment deployment;
	struct deploy_outcome outcome;
	struct member *member;
	struct group group;
	const struct fallback_wish *wish; /* borrowed; never NULL */
};

/* fallback_copy.c: adds tls.json (the first), settings and listener.json to the journal
 * in memory, each with a copy. The journal that names them is the caller's to write. */
int fall_copy_all(struct fall *fall, struct err *err);

/* fallback_copy.c: limits plain HTTP to this machine where listener.json can. Done
 * already, or an operator's own by now: left. */
int fall_close_listener(struct fall *fall, struct err *err);

/* fallback_copy.c: notes, in the journal in memory, what the product has made of its
 * settings: what differs from that on the way back is somebody's edit. */
void fall_note_reset(struct fall *fall);

/* fallback_back.c: puts back what the way down has changed so far, starts the service if
 * it was touched, takes the guard off, and forgets the fallback. Every step is repeated
 * by the next call when it fails or dies, but after_fallback is not run again once it has
 * come to its end. */
int fall_put_back(struct fall *fall, const char *why, struct err *err);

/* fallback_back.c: has anything but the guard been changed, or may it have been? */
bool fall_has_touched(const struct fall *fall);

/* Says it as a note of the target, and for the wish's list. */
void fall_say(struct fall *fall, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif

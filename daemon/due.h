/* due.h - a moment at which something is to be done, planned by the wall clock, that is
 * not lost when somebody sets that clock: what was planned for tomorrow while it was ten
 * years ahead comes tomorrow all the same.  Pure. */
#ifndef DAEMON_DUE_H
#define DAEMON_DUE_H

#include <stdbool.h>
#include <stdint.h>

struct due {                /* all zero: at once */
	int64_t at;         /* wall clock; CLOCK_NEVER: not planned */
	int64_t by_mono_ms; /* or when so much time has passed, whatever the wall says */
};

/* Plans for the instant `at`, as the clocks stand now. */
struct due due_at(int64_t at, int64_t now, int64_t mono_ms);

/* Is it time? */
bool due_is(const struct due *due, int64_t now, int64_t mono_ms);

/* Milliseconds until it is, 0 when it is; CLOCK_NEVER. */
int64_t due_in_ms(const struct due *due, int64_t now, int64_t mono_ms);

#endif

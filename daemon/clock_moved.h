/* clock_moved.h - what was remembered while the clock was ahead.  Pure.
 *
 * A machine that begins a day in the year 2036 and is set right an hour later has written
 * down that it failed in 2036 and tries again in 2036. No instant of the past lies ahead
 * of us: where one does, it is from such a clock, and what was planned beside it is moved
 * along, so that a back-off and a CA's Retry-After keep their length. What the circuit
 * breaker decided by such a clock it decides again by this one. */
#ifndef DAEMON_CLOCK_MOVED_H
#define DAEMON_CLOCK_MOVED_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/job.h"

/* Sets right what lies ahead of `now`. Returns whether anything did. */
bool job_after_clock_moved(struct job *job, int64_t now);

#endif

/* poll.h - how long to wait before looking at an order again. Pure: no clock, no network.
 */
#ifndef ACME_POLL_H
#define ACME_POLL_H

#include <stdint.h>

/* `attempt` counts from 0: 3 ms, then doubling up to 10 s, so that the wait is never
 * much longer than what has been waited already. The CA's Retry-After (-1: none given, 0
 * is none) wins over that. Never past `deadline_ms`: what remains is the last wait, and
 * at the deadline the answer is -1, give up. Instants are monotonic milliseconds. */
int64_t poll_delay_ms(unsigned attempt, int64_t retry_after_s, int64_t now_ms,
		      int64_t deadline_ms);

#endif

/* cancel.h - "please stop": set by the loop, seen by a worker.
 *
 * One of the two things that threads share and change (the other is the http-01 token
 * table). Whatever blocks looks at it at least once a second: curl's progress callback,
 * clock_sleep_ms(), process_run(), handshakes. */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct cancel;

/* Gives a flag that is not set; release with cancel_free() when no thread can look. */
struct cancel *cancel_new(void);
void cancel_free(struct cancel *cancel);

/* The same, also set when `either` is, or what `other` itself was asked (kept; NULL is
 * fine), and when `timeout_ms` are over. */
struct cancel *cancel_new_bounded(const struct cancel *either, const struct cancel *other,
				  int64_t timeout_ms);

/* Sets the flag, from any thread. It cannot be unset. */
void cancel_request(struct cancel *cancel);

/* Is it set? NULL is never set. */
bool cancel_requested(const struct cancel *cancel);

/* 0, or -1 with ERR_CANCELLED "stopped on request", or "stopped, because it took too
 * long". */
int cancel_check(const struct cancel *cancel, struct err *err);

#endif

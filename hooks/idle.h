/* idle.h - waiting until an application does nothing that a restart would break off.
 *
 * Xtract Universal and Board Connector tell their runs at /logs/extractions. Asked over
 * TLS; what is at the other end is known by its leaf: it must be one that this deployment
 * has seen or brings, whether expired or of a private CA. An answer that says nothing (no
 * permission, no such page, another program) is no reason to wait. Internal to hooks/. */
#ifndef HOOKS_IDLE_H
#define HOOKS_IDLE_H

#include <stddef.h>

#include "base/err.h"
#include "hooks/transaction.h"

enum idle_state { IDLE_FREE, IDLE_BUSY, IDLE_UNKNOWN };

/* What an HTTP answer says. Scanned, not parsed: the vendor's own sample lacks its last
 * brace. `why` (of `size` bytes) says why it is unknown. Pure. */
enum idle_state idle_judge(const char *answer, size_t len, char *why, size_t size);

/* Waits until no run is under way, at most wait_idle.at_most_s; then goes on, with a note
 * to the member's outcome. Nothing to do without a URL. Fails with ERR_CANCELLED only. */
int idle_wait(struct member *member, struct err *err);

#endif

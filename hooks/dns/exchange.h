/* exchange.h - one DNS message to a server and its answer, by TCP (RFC 7766).
 *
 * For updates. By TCP alone: nothing is cut off, an answer cannot be forged from beside
 * the way, and an update whose answer was lost is known to be lost; every server that
 * takes updates speaks it, as RFC 7766 5 demands. Questions go by hooks/resolver.h. */
#ifndef HOOKS_DNS_EXCHANGE_H
#define HOOKS_DNS_EXCHANGE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct cancel;

/* Sends `message` to `server` ("ns.example.com:53", "[2001:db8::53]:53"), one of its
 * addresses after the other until one answers, and replaces what is in `answer` by the
 * answer. ERR_TRANSIENT when none comes within `timeout_s`, ERR_CONFIG when `server` is
 * none, ERR_CANCELLED within a second. */
int dns_exchange(const char *server, const struct buf *message, int64_t timeout_s,
		 const struct cancel *cancel, struct buf *answer, struct err *err);

#endif

/* chains.h - the chains that a CA offers for one certificate (RFC 8555 7.4.2), and which
 * of them is taken. */
#ifndef ACME_CHAINS_H
#define ACME_CHAINS_H

#include <stdbool.h>

#include "acme/order.h"
#include "base/cert.h"
#include "base/http_client.h"

/* The common name of whoever issued the last certificate of the chain; the whole name
 * where it has none. Gives. */
char *chain_top(const struct cert *cert);

/* Has the chain an issuer of that common name, the last one's included? Exact. */
bool chain_is_from(const struct cert *cert, const char *name);

/* `response` is the default chain (parsed: `cert`): puts the one that request->chain asks
 * for, or the default, into result->pem, and the tops of those that were looked at into
 * result->chains. A chain that cannot be had is passed over; that none fits is a note.
 * Fails   when cancelled, or nothing can be kept. */
int chains_choose(struct order_run *run, const struct http_response *response,
		  const struct cert *cert, struct err *err);

#endif

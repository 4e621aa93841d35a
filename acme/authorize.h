/* authorize.h - proving control of the names (RFC 8555 7.5). */
#ifndef ACME_AUTHORIZE_H
#define ACME_AUTHORIZE_H

#include "acme/order.h"

/* Brings a 'pending' order to 'ready' (or whatever follows): every authorization is read,
 * valid ones are skipped, every answer is made visible before the first challenge is
 * posted, each is posted once; then the order is polled. What was presented is taken away
 * again in any case. On failure the authorizations that are still pending are
 * deactivated, best effort; not when cancelled. An order that is not pending is left as
 * it is. */
int authorize(struct order_run *run, struct err *err);

#endif

/* requests.h - what the control channel may ask, for requests*.c only. */
#ifndef DAEMON_REQUESTS_H
#define DAEMON_REQUESTS_H

#include "daemon/loop.h"

/* requests_account.c: {"command": "account", "verb", "issuer", "force"}. Work on an
 * account, by a worker of its own, when no order is under way. */
void request_account(struct loop *loop, struct control_client *client,
		     const cJSON *request);

#endif

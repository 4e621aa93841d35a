/* service.h - the service manager: see, restart and start an application's service.
 *
 * systemd over D-Bus (posix/), the SCM (windows/), or a program of the operator's
 * (struct service of kind SERVICE_COMMAND, shared). Knows nothing of certificates. */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/target.h"

struct cancel;

enum service_state {
	SERVICE_IS_UNKNOWN, /* a command without `status:` cannot be asked */
	SERVICE_IS_MISSING,
	SERVICE_IS_STOPPED, /* somebody stopped it: it is not started by us */
	SERVICE_IS_FAILED,  /* it ended by itself, or would not start */
	SERVICE_IS_STARTING,
	SERVICE_IS_RUNNING,
};

/* The state's name for messages and JSON: "running". Borrowed. */
const char *service_state_name(enum service_state state);

/* What the service manager says now. A missing service is no error. Fails when the
 * manager itself does not answer. SERVICE_NONE is SERVICE_IS_UNKNOWN. */
int service_inspect(const struct service *service, enum service_state *ret,
		    struct err *err);

/* Does `service->action` (restart or reload) and returns once it runs. On failure the
 * sentence carries the unit's own last words and result:
 * "restart 'xc.service': exit-code (status 1): refusing to start: no certificate ...".
 * ERR_TRANSIENT when it does not come up within service->timeout_s ("is still
 * 'activating' after 60 s"), ERR_NOT_FOUND without a unit, ERR_CANCELLED. */
int service_apply(const struct service *service, const struct cancel *cancel,
		  struct err *err);

/* Starts it (a full start or restart, whatever `action` says) and waits as above: the way
 * back when a restart has left it down. For SERVICE_COMMAND this is the command again. */
int service_start(const struct service *service, const struct cancel *cancel,
		  struct err *err);

/* Is it there, and may we do `service->action` with it? Asked of the service manager,
 * nothing is done. ERR_NOT_FOUND "the service 'x' does not exist", ERR_DENIED with the
 * account that we run as and what would let it. Of a command: whether its program is
 * there. */
int service_check(const struct service *service, struct err *err);

/* A name for people: "xc.service", "the command '/usr/bin/x'", "none". Gives. */
char *service_describe(const struct service *service);

/* Are these the same service (so that targets can share one restart)? */
bool service_same(const struct service *a, const struct service *b);

#endif

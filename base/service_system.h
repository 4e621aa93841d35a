/* service_system.h - one service of the system's own service manager: systemd in posix/
 * (in its place a sentence where we are built without it), the SCM in windows/. Private
 * to service.c. */
#ifndef BASE_SERVICE_SYSTEM_H
#define BASE_SERVICE_SYSTEM_H

#include <stdint.h>

#include "base/err.h"
#include "base/service.h"

enum unit_verb {
	UNIT_RESTART, /* starts it, too, when it is down */
	UNIT_RELOAD,
};

/* What the service manager says about the unit now. */
int unit_inspect(const struct service *service, enum service_state *ret, struct err *err);

/* Would the service manager let us do that? The unit exists. ERR_DENIED. */
int unit_check_rights(const struct service *service, enum unit_verb verb,
		      struct err *err);

/* Does it and waits until the unit runs, at most `timeout_s`, and for a second does not
 * fall over. The errors are those of service_apply(). */
int unit_act(const struct service *service, enum unit_verb verb, int64_t timeout_s,
	     const struct cancel *cancel, struct err *err);

#endif

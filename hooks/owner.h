/* owner.h - who keeps a shared configuration folder.
 *
 * Two servers may share the folder of one installation, two certrenewd may run on one
 * machine. What one writes the other would undo, so before the first byte an owner file
 * is made beside tls.json: tls.json.certrenewd, JSON, with host, machine
 * (daemon/machine.h), instance (an id in our state directory), state directory,
 * certificate and time. It is made exclusively, whole in one step: of two that begin at
 * once one is first, and a crash leaves it or nothing. Ours is refreshed by each
 * deployment; another's is never stolen, however old it is. Its name does not end in
 * .json: the product takes it for no setting. Only a tls.json is kept so: stores and
 * `files:` are one machine's own.
 *
 * Ours is what has our instance and host; our instance on our machine, whatever its name
 * is by now; and what our host wrote from our state directory, if its instance was lost
 * or damaged there, unless another machine bears that name. So we neither lock ourselves
 * out nor take a clone's (another name on another machine), a second certrenewd's
 * (another state directory) or a namesake's for ours. */
#ifndef HOOKS_OWNER_H
#define HOOKS_OWNER_H

#include <stdbool.h>

#include "base/err.h"

#define OWNER_SUFFIX ".certrenewd"

struct owner { /* who we are; borrowed */
	const char *host;
	const char *machine;  /* of daemon/machine.h; NULL or "": not known */
	const char *instance; /* 32 hex digits */
	const char *state_dir;
	const char *certificate; /* the name, for people */
};

/* Is the folder of `tls_json` ours or nobody's? Looks only. ERR_CONFIG names who keeps
 * it, since when, and the way out. `tls_json` NULL: there is none, 0. */
int owner_check(const struct owner *owner, const char *tls_json, struct err *err);

/* Makes or refreshes our owner file, synced. Another's is refused as above, unless
 * `take_over`: the operator said so. */
int owner_take(const struct owner *owner, const char *tls_json, bool take_over,
	       struct err *err);

#endif

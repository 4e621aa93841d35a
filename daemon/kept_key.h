/* kept_key.h - where the leaf key of the certificate at hand is kept: sealed on our disk
 * until the Windows stores of all targets have it and were seen serving, there alone
 * from then on. */
#ifndef DAEMON_KEPT_KEY_H
#define DAEMON_KEPT_KEY_H

#include <stdbool.h>

#include "config/config.h"
#include "daemon/job.h"
#include "daemon/versions.h"

/* May a key go from our disk once it is served? Only where disk and store are not the
 * same thing, every target keeps it in a store of its own, and the next request needs a
 * new one. `sealed`: what lies on disk is sealed (seal_protects()). Pure. */
bool kept_key_may_go(const struct certificate_config *certificate, bool sealed);

/* Has a store lost the only key of this version (loaded; cert not NULL)? What others put
 * there is theirs to put again, and a store that cannot be looked at now has lost
 * nothing. Looks at the stores. */
bool kept_key_is_lost(const struct config *config,
		      const struct certificate_config *certificate, const struct job *job,
		      const struct version *version);

#endif

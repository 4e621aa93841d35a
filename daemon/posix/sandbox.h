/* sandbox.h - the unit's sandbox and the configuration: what the service must be allowed
 * beyond its own folders. The unit is read-only and without the right to other accounts'
 * files; what a configuration needs besides goes into a drop-in of the unit, and of the
 * watcher's, whose memory lies in the state directory. */

#ifndef DAEMON_POSIX_SANDBOX_H
#define DAEMON_POSIX_SANDBOX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

enum sandbox_unit {
	SANDBOX_DAEMON,  /* certrenewd.service */
	SANDBOX_WATCHER, /* certrenewd-watch.service: the state directory alone */
};

/* Appends the drop-in for this configuration to *ret: ReadWritePaths= for every existing
 * folder that is written, the right to other accounts' files where one of them or a
 * folder above it is not root's, ProtectHome=no where one lies in a home. Only a remark
 * where the unit needs nothing.
 * ERR_NOT_FOUND names the folder that has to be made first, because otherwise one of the
 * system's own would have to be opened. */
int sandbox_drop_in(const struct config *config, enum sandbox_unit unit, struct buf *ret,
		    struct err *err);

/* Adds a sentence for each folder of the configuration that lies on a read-only mount:
 * nothing can be deployed there. */
void sandbox_closed(const struct config *config, struct strlist *ret);

#endif

/* conflict.h - what two certificates have in common in their applications.  Pure.
 *
 * Two that touch one service, or one file beside it, are never worked on at the same
 * moment; two that share a service can share its restart (companions.h). */
#ifndef DAEMON_CONFLICT_H
#define DAEMON_CONFLICT_H

#include <stdbool.h>

#include "config/config.h"

/* Is there a service that a target of each is restarted by? */
bool conflict_of_services(const struct certificate_config *a,
			  const struct certificate_config *b);

/* That, or a file or folder of an application that both write. */
bool conflict_between(const struct certificate_config *a,
		      const struct certificate_config *b);

#endif

/* watch_look.h - looking at what a target serves and has on disk, for watch.c. Reads
 * only; what to think of it is daemon/watch.h. */
#ifndef DAEMON_WATCH_LOOK_H
#define DAEMON_WATCH_LOOK_H

#include "base/target.h"
#include "daemon/watch.h"

struct cancel;

struct look {
	const char *const *hosts; /* borrowed */
	const struct cancel *cancel;
	int64_t now;
};

/* Adds what the target's store holds: the certificate that tls.json names, or the newest
 * with the hosts. Nothing for a target without a store. */
void look_at_store(const struct look *look, const struct target *target,
		   struct sightings *list);

/* Adds what each endpoint of the target serves. */
void look_at_endpoints(const struct look *look, const struct target *target,
		       struct sightings *list);

#endif

/* drift.h - does a target still look as we left it?  Pure: a view in, a finding out. */
#ifndef DAEMON_DRIFT_H
#define DAEMON_DRIFT_H

#include <stdbool.h>

#include "base/cert.h"
#include "hooks/observe.h"

struct drift_finding {
	bool drifted;
	bool taken_over; /* an operator's own decision: leave it until `deploy NAME` */
	char what[512];  /* for people */
};

/* Compares what `target` shows with the certificate that we brought in. `certificate` is
 * its name in the configuration. Endpoints count only where the view has them. */
struct drift_finding drift_judge(const struct target *target, const char *certificate,
				 const struct target_view *view, const struct cert *ours);

#endif

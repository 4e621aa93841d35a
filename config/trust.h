/* trust.h - nobody else may write what we run, read or believe. */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include "config/problems.h"

struct reading;

/* Complains at `place` when somebody but root and this account could write `path` or one
 * of its parents; warns when there is no such file. Does nothing without check_trust. */
void trust_require(struct reading *reading, struct place place, const char *path);

/* The same for what may be absent, as the state directory before the first start. */
void trust_require_if_there(struct reading *reading, struct place place,
			    const char *path);

/* The same for the state directory. Whoever watches tells although the disk fails that it
 * is on: he uses nothing that lies there then (daemon/system.h). */
void trust_require_state_dir(struct reading *reading, struct place place,
			     const char *path);

#endif

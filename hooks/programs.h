/* programs.h - the operator's programs around a deployment: steps when files are
 * switched, the guards of a fallback. Internal to hooks/. */
#ifndef HOOKS_PROGRAMS_H
#define HOOKS_PROGRAMS_H

#include "base/err.h"
#include "base/target.h"
#include "hooks/deploy.h"

/* Runs it to its end (nothing to do without argv). It finds CERTRENEWD_TARGET, and with a
 * material CERTRENEWD_THUMBPRINT and CERTRENEWD_STORE, in its environment. A failure
 * carries the end of what it printed. */
int program_run(const struct program *program, const struct deployment *deployment,
		const struct target *target, struct err *err);

#endif

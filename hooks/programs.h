/* programs.h - the operator's programs around a deployment: steps when files are
 * switched, the guards of a fallback. Internal to hooks/. */
#ifndef HOOKS_PROGRAMS_H
#define HOOKS_PROGRAMS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/target.h"
#include "hooks/deploy.h"

/* Runs it to its end (nothing to do without argv). It finds CERTRENEWD_TARGET, and with a
 * material CERTRENEWD_THUMBPRINT and CERTRENEWD_STORE, in its environment. A failure
 * carries the end of what it printed. */
int program_run(const struct program *program, const struct deployment *deployment,
		const struct target *target, struct err *err);

/* The guard around plain HTTP: the operator's before_fallback and after_fallback, or with
 * target->firewall_guard the rule "certrenewd: plain HTTP of <target>", which blocks the
 * port of target->http. Both are idempotent; nothing to do without a guard. */
bool guard_exists(const struct target *target);
int guard_on(const struct deployment *deployment, const struct target *target,
	     struct err *err);
int guard_off(const struct deployment *deployment, const struct target *target,
	      struct err *err);

#endif

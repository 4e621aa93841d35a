/* trial.h - what a deployment into a target will need, tried beforehand as far as nothing
 * changes that the application could see: the service and our right to act on it, the
 * accounts that are to read the key, writing where files will be written, and room.
 *
 * Beside deploy_preflight(), which looks before every order: this one writes (a file of
 * ours, gone at once), and asks more. For rehearsals. */
#ifndef HOOKS_TRIAL_H
#define HOOKS_TRIAL_H

#include <stddef.h>

#include "base/disk.h"
#include "base/err.h"
#include "base/str.h"
#include "base/target.h"

struct target_trial {      /* one row a check */
	const char *check; /* a word: "service" */
	const char *well;  /* what it means when it went well */
	bool stops;        /* the rows after one that failed would say the same again */
	/* Has the target such a thing? */
	bool (*concerns)(const struct target *target);
	int (*run)(const struct target *target, struct err *err);
};

/* The rows, in the order of a deployment. Borrowed. */
const struct target_trial *target_trials(size_t *ret_n);

/* Adds the paths at which a deployment makes or replaces files: tls.json, the store's,
 * and those that its programs are said to change. */
void target_places(const struct target *target, struct strlist *paths);

#endif

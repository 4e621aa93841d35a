/* options.h - the command line, taken apart.  Pure. */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct options {
	const char *config;      /* borrowed from argv; NULL: not given */
	const char *command;     /* NULL: none given */
	const char *const *args; /* what follows the command, options taken out; n_args */
	int n_args;
	const char *path;   /* --path; NULL: not given */
	const char *reason; /* --reason; NULL: not given */
	bool json, force, dry_run, undo, help, version, service, with_key, take_over;
};

/* Takes argv apart; options may stand anywhere, "--" ends them. Sorts argv in place so
 * that the arguments stand together. ERR_CONFIG for an unknown option or a missing value.
 */
int options_parse(int argc, char **argv, struct options *ret, struct err *err);

#endif

/* cmd_prove_key.c - prove-key: the process that a deployment starts to see whether an
 * entry's key signs; for administrators too. */
#include "daemon/windows/commands.h"

#include <stdio.h>

#include "hooks/windows/windows_store.h"

enum exit_code command_prove_key(const struct options *options)
{
	struct err err;

	if (windows_prove_key(options->args[0], options->args[1], &err))
		return command_fail(&err);
	printf("the key of %s signs\n", options->args[1]);
	return EXIT_CODE_DONE;
}

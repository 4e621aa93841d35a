/* cmd_sandbox.c - sandbox: the drop-in of our unit, or of the watcher's, that opens what
 * the configuration names. Prints; the operator looks at it and puts it where it belongs.
 */
#include "daemon/posix/commands.h"

#include <stdio.h>

#include "daemon/posix/sandbox.h"

enum exit_code command_sandbox(const struct options *options)
{
	bool watcher = options->n_args > 0;
	const struct config *config;
	enum exit_code code = EXIT_CODE_DONE;
	struct err err;
	struct buf text;

	if (watcher && !str_equal(options->args[0], "watch")) {
		fprintf(stderr,
			"certrenewd: sandbox '%s': the only other unit is 'watch'\n",
			options->args[0]);
		return EXIT_CODE_USAGE;
	}
	if (command_load_config(options, &config))
		return EXIT_CODE_USAGE;
	buf_init(&text, 16 * 1024 * 1024);
	if (sandbox_drop_in(config, watcher ? SANDBOX_WATCHER : SANDBOX_DAEMON, &text,
			    &err))
		code = command_fail(&err);
	else
		(void)fputs(buf_str(&text), stdout);
	buf_release(&text);
	config_free(config);
	return code;
}

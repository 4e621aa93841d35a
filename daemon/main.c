/* main.c - takes the command line apart, finds the command's row, runs it. */
#include <stdio.h>
#include <stdlib.h>

#include "config/system.h"
#include "daemon/commands.h"
#include "daemon/system.h"

static enum exit_code usage_error(const char *sentence, const char *detail)
{
	fprintf(stderr, "certrenewd: %s%s; see certrenewd --help\n", sentence, detail);
	return EXIT_CODE_USAGE;
}

static enum exit_code run(const struct options *options)
{
	const struct command *command;

	if (options->version) {
		puts("certrenewd " CERTRENEWD_VERSION);
		return EXIT_CODE_DONE;
	}
	if (options->help || (options->command && options->command[0] == '\0')) {
		commands_print_help();
		return EXIT_CODE_DONE;
	}
	if (!options->command)
		return usage_error("a command is missing", "");
	command = command_find(options->command);
	if (!command)
		return usage_error("unknown command: ", options->command);
	if (options->n_args < command->min_args ||
	    (command->max_args >= 0 && options->n_args > command->max_args))
		return usage_error("usage: certrenewd ", command->usage);
	return command->run(options);
}

int main(int argc, char **argv)
{
	char *config = NULL;
	struct options options;
	enum exit_code code;
	unsigned console;
	struct err err;

	system_harden();
	console = system_console_begin();
	argv = system_arguments(&argc, argv);
	if (options_parse(argc, argv, &options, &err)) {
		code = command_fail(&err);
	} else {
		if (!options.config)
			options.config = config = system_default_config();
		code = run(&options);
	}
	free(config);
	system_console_end(console);
	return code;
}

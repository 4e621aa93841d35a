/* commands.h - the words after `certrenewd`: one row a command, one file a family. */
#ifndef DAEMON_COMMANDS_H
#define DAEMON_COMMANDS_H

#include <cjson/cJSON.h>

#include "base/err.h"
#include "config/config.h"
#include "daemon/exit_code.h"
#include "daemon/options.h"

/* Runs one command and prints; returns the exit code. */
typedef enum exit_code command_run(const struct options *options);

struct command {
	const char *word, *usage, *help;
	int min_args, max_args; /* -1: any number */
	command_run *run;
};

/* NULL for an unknown word. */
const struct command *command_find(const char *word);

/* The list of all of them, on standard output. */
void commands_print_help(void);

/* ---- the commands, by file: cmd_config.c, cmd_run.c, cmd_report.c, cmd_work.c,
 * cmd_watch.c, cmd_account.c, cmd_import.c. Each is documented by its row in commands.c.
 * ---- */
command_run command_check_config, command_show_config, command_run_daemon, command_status,
	command_explain, command_renew, command_deploy, command_rollback,
	command_fallback, command_account, command_reload, command_import, command_revoke,
	command_rehearse, command_publish, command_watch;

/* ---- shared by them ------------------------------------------------------ */

/* Loads the configuration or prints every error. */
int command_load_config(const struct options *options, const struct config **ret_config);

/* Prints "certrenewd: <sentence>" on standard error; the code for its kind. */
enum exit_code command_fail(const struct err *err);

/* Asks the daemon; prints progress as it comes. Gives *ret_last. ERR_NOT_FOUND when none
 * runs: then the command does the work itself. ERR_TRANSIENT "process 123 … does not
 * answer …" when it hangs. */
int command_ask_daemon(const struct options *options, const struct config *config,
		       const cJSON *request, cJSON **ret_last, struct err *err);

/* Prints the object on a line of its own. Takes it. */
void command_print_json(cJSON *object);

/* Makes {"command": word, "name": name, "target": target}; NULL texts are left out.
 * Gives. */
cJSON *command_request(const char *word, const char *name, const char *target);

#endif

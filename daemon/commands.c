#include "daemon/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "config/system.h"
#include "daemon/control.h"
#include "daemon/heartbeat.h"
#include "daemon/progress.h"
#include "daemon/system_commands.h"

#define USAGE_WIDTH 26

static const struct command commands[] = {
	{ "run", "run", "keep every certificate alive, in the foreground", 0, 0,
	  command_run_daemon },
	{ "check-config", "check-config", "say what is wrong with the configuration", 0,
	  0, command_check_config },
	{ "show-config", "show-config", "print the configuration with its defaults", 0, 0,
	  command_show_config },
	{ "status", "status [NAME] [--json]", "how every certificate stands", 0, 1,
	  command_status },
	{ "explain", "explain NAME", "every rule that decides about it, with its date", 1,
	  1, command_explain },
	{ "renew", "renew NAME... [--force]",
	  "renew what is due; --force: what is not, too", 1, -1, command_renew },
	{ "deploy", "deploy NAME [TARGET] [--take-over]",
	  "bring the certificate at hand into its targets; --take-over: although "
	  "another server keeps their folder",
	  1, 2, command_deploy },
	{ "rollback", "rollback NAME [TARGET]", "undo the last deployment", 1, 2,
	  command_rollback },
	{ "fallback", "fallback NAME on|off", "plain HTTP now, and the way back", 2, 2,
	  command_fallback },
	{ "revoke", "revoke NAME [--reason WORD] [--with-key] [--force]",
	  "have the CA take it back, and renew it with a new key", 1, 1, command_revoke },
	{ "rehearse", "rehearse [NAME...]",
	  "a full trial at the CA's staging directory that touches nothing", 0, -1,
	  command_rehearse },
	{ "publish", "publish NAME", "what its challenges need in the DNS", 1, 1,
	  command_publish },
	{ "account", "account show|register|update|rotate-key|deactivate [ISSUER]",
	  "our account at each issuer", 1, 2, command_account },
	{ "import", "import win-acme [--path DIR] [--dry-run] [--undo]",
	  "take over win-acme's renewals; --undo: its task is switched on again", 1, 1,
	  command_import },
	{ "watch", "watch [--json] [--dry-run]",
	  "is the daemon dead or stuck, is what is served wrong; tells it itself", 0, 0,
	  command_watch },
	{ "reload", "reload", "make the daemon read its configuration again", 0, 0,
	  command_reload },
};

static const struct command *find_in(const struct command *list, size_t n,
				     const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].word, word))
			return &list[i];
	return NULL;
}

const struct command *command_find(const char *word)
{
	const struct command *found = find_in(commands,
					      sizeof(commands) / sizeof(*commands), word);
	size_t n;
	const struct command *more = commands_of_system(&n);

	return found ? found : find_in(more, n, word);
}

static void print_rows(const struct command *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool fits = strlen(list[i].usage) <= USAGE_WIDTH;

		printf("  %-*s%s", USAGE_WIDTH, list[i].usage, fits ? " " : "\n");
		printf("%*s%s\n", fits ? 0 : USAGE_WIDTH + 3, "", list[i].help);
	}
}

void commands_print_help(void)
{
	char *config = system_default_config();
	const struct command *more;
	size_t n;

	puts("certrenewd " CERTRENEWD_VERSION
	     ": keeps certificates alive in the applications that use them\n\n"
	     "usage: certrenewd [--config FILE] COMMAND\n");
	print_rows(commands, sizeof(commands) / sizeof(*commands));
	more = commands_of_system(&n);
	print_rows(more, n);
	printf("\n--config FILE (default %s)  --json  --version  --help\n", config);
	puts("exit codes: 0 done, 1 failed, 2 configuration or usage, 3 not due or "
	     "nothing to "
	     "do,\n            4 a daemon is needed and none runs, 5 not allowed");
	free(config);
}

int command_load_config(const struct options *options, const struct config **ret_config)
{
	struct config_report report = { 0 };
	int rc = config_load(options->config, true, ret_config, &report);

	for (size_t i = 0; i < report.errors.n; i++)
		fprintf(stderr, "%s\n", report.errors.items[i]);
	config_report_clear(&report);
	return rc;
}

enum exit_code command_fail(const struct err *err)
{
	fprintf(stderr, "certrenewd: %s\n", err->text);
	switch (err->kind) {
	case ERR_DENIED:
		return EXIT_CODE_DENIED;
	case ERR_CONFIG:
		return EXIT_CODE_USAGE;
	default:
		return EXIT_CODE_FAILED;
	}
}

static void on_line(void *ctx, const cJSON *line)
{
	const struct options *options = ctx;
	char *printed;

	if (options->json) {
		printed = json_print(line);
		puts(printed);
		free(printed);
		return;
	}
	progress_print(json_string(line, "step"), json_string(line, "target"),
		       json_string(line, "text"));
}

void command_print_json(cJSON *object)
{
	char *printed = json_print(object);

	puts(printed);
	free(printed);
	cJSON_Delete(object);
}

/* The daemon hangs: who it is, and since when, as far as its heartbeat says. */
static void tell_who_hangs(const char *state_dir, bool asks_only, struct err *err)
{
	const char *rest = asks_only
				   ? ""
				   : "; nothing was begun for this command, and nothing "
				     "will be: read the daemon's log, then restart it";
	struct heartbeat beat = { 0 };
	const struct err why = *err;
	char at[CLOCK_TEXT_MAX];

	if (heartbeat_read(state_dir, &beat, err) || beat.stopped) {
		err_set(err, ERR_TRANSIENT, "the daemon does not answer (%s)%s", why.text,
			rest);
	} else {
		clock_format_people(beat.beat_at, at);
		err_set(err, ERR_TRANSIENT,
			"process %lld does not answer (%s), its last sign of life was at "
			"%s%s",
			(long long)beat.pid, why.text, at, rest);
	}
	heartbeat_clear(&beat);
}

int command_ask_daemon(const struct options *options, const struct config *config,
		       const cJSON *request, cJSON **ret_last, struct err *err)
{
	char *path = control_path(config->state_dir);
	struct options copy = *options;
	int rc = control_call(path, request, on_line, &copy, ret_last, err);

	if (rc && err->kind == ERR_TRANSIENT)
		tell_who_hangs(config->state_dir, json_int(request, "within_ms", 0) > 0,
			       err);
	free(path);
	return rc;
}

cJSON *command_request(const char *word, const char *name, const char *target)
{
	cJSON *request = cJSON_CreateObject();

	json_set_string(request, "command", word);
	if (name)
		json_set_string(request, "name", name);
	if (target)
		json_set_string(request, "target", target);
	return request;
}

/* cmd_run.c - run: the daemon, in the foreground or as a service. reload: tells one that
 * runs. */
#include "daemon/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/loop.h"

enum exit_code command_run_daemon(const struct options *options)
{
	return host_run(options);
}

static void report_bad_config(struct host *host, const struct strlist *errors)
{
	char *sentence;

	for (size_t i = 0; i < errors->n; i++)
		fprintf(stderr, "%s\n", errors->items[i]);
	sentence = str_printf("%s%s", errors->n ? errors->items[0] : "",
			      errors->n > 1 ? " (and more: run certrenewd check-config)"
					    : "");
	host_start_failed(host, sentence);
	free(sentence);
}

enum exit_code daemon_run(const struct options *options, struct host *host)
{
	struct config_report report = { 0 };
	const struct config *config;
	struct err err;

	if (config_load(options->config, true, &config, &report)) {
		report_bad_config(host, &report.errors);
		config_report_clear(&report);
		return EXIT_CODE_USAGE;
	}
	loop_open_log(config, host);
	loop_log_warnings(config, &report);
	config_report_clear(&report);
	if (loop_run(config, host, &err)) {
		host_start_failed(host, err.text);
		return command_fail(&err);
	}
	return EXIT_CODE_DONE;
}

static void print_reload(const struct options *options, enum exit_code code,
			 const char *text)
{
	cJSON *object;

	if (!options->json) {
		puts(text ? text : "");
		return;
	}
	object = cJSON_CreateObject();
	json_set_int(object, "exit", code);
	json_set_string(object, "text", text);
	command_print_json(object);
}

/* A broken file is for the daemon to refuse aloud; what is left of it says where the
 * daemon is. None runs there: our own words are enough. */
static void show_daemon(const struct options *options)
{
	struct config config = { 0 };
	cJSON *request = command_request("reload", NULL, NULL), *last = NULL;
	char *state_dir = config_state_dir_named(options->config);
	struct err err;

	config.state_dir = state_dir;
	if (!command_ask_daemon(options, &config, request, &last, &err) &&
	    json_int(last, "exit", EXIT_CODE_DONE) == EXIT_CODE_USAGE)
		fprintf(stderr, "certrenewd: the daemon refuses it too: the "
				"configuration that was in force stays in force\n");
	cJSON_Delete(last);
	cJSON_Delete(request);
	free(state_dir);
}

enum exit_code command_reload(const struct options *options)
{
	const struct config *config;
	cJSON *request, *last = NULL;
	enum exit_code code;
	struct err err;

	if (command_load_config(options, &config)) {
		show_daemon(options);
		return EXIT_CODE_USAGE;
	}
	request = command_request("reload", NULL, NULL);
	if (command_ask_daemon(options, config, request, &last, &err)) {
		code = err.kind == ERR_NOT_FOUND ? EXIT_CODE_NO_DAEMON : EXIT_CODE_FAILED;
		if (err.kind == ERR_DENIED)
			code = EXIT_CODE_DENIED;
		fprintf(stderr, "certrenewd: %s\n", err.text);
	} else {
		code = (enum exit_code)json_int(last, "exit", EXIT_CODE_FAILED);
		print_reload(options, code, json_string(last, "text"));
	}
	cJSON_Delete(last);
	cJSON_Delete(request);
	config_free(config);
	return code;
}

/* cmd_report.c - status and explain: from the daemon when one runs, else from the state
 * directory itself, and so when it hangs. A daemon outlives a mistake in its file, and so
 * does its answer. */
#include "daemon/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "config/system.h"
#include "daemon/engine.h"
#include "daemon/report.h"
#include "daemon/system.h"

#define REPORT_MAX_MS 30000 /* that a daemon may take to read the same disk */

static cJSON *report_request(const struct options *options, bool explain)
{
	const char *name = options->n_args ? options->args[0] : NULL;
	cJSON *request = command_request(explain ? "explain" : "status", name, NULL);

	json_set_int(request, "within_ms", REPORT_MAX_MS);
	return request;
}

static void print_status(const struct options *options, const cJSON *status)
{
	struct buf text;
	char *printed;

	if (options->json) {
		printed = cJSON_Print(status);
		puts(printed ? printed : "{}");
		free(printed);
		return;
	}
	buf_init(&text, 16 * 1024 * 1024);
	report_print(status, system_stdout_is_terminal(), &text);
	(void)fputs(buf_str(&text), stdout);
	buf_release(&text);
}

/* One rule a line, as people read them. */
static void print_explanation(const struct options *options, const char *text)
{
	cJSON *object;

	if (!options->json) {
		(void)fputs(text, stdout);
		return;
	}
	object = cJSON_CreateObject();
	json_set_string(object, "certificate", options->args[0]);
	json_set_string(object, "text", text);
	command_print_json(object);
}

static enum exit_code print_answer(const struct options *options, const cJSON *last)
{
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(last, "status");
	const char *text = json_string(last, "text");
	enum exit_code code = (enum exit_code)json_int(last, "exit", EXIT_CODE_FAILED);

	if (code)
		fprintf(stderr, "certrenewd: %s\n", text ? text : "");
	else if (status)
		print_status(options, status);
	else
		print_explanation(options, text ? text : "");
	return code;
}

/* What a report is made of without a daemon. */
struct own_look {
	const struct config *config;
	const struct clock_trust *trust;
	struct alerts *alerts;  /* NULL: not known */
	const struct err *held; /* by whom the state directory is; NULL: nobody */
};

static void add_no_daemon(cJSON *status, const struct err *held)
{
	cJSON *daemon;

	if (!held) {
		cJSON_AddNullToObject(status, "daemon");
		return;
	}
	daemon = cJSON_AddObjectToObject(status, "daemon");
	json_set_bool(daemon, "answers", false);
	json_set_string(daemon, "why", held->text);
}

static enum exit_code print_own(const struct options *options, const struct own_look *own,
				bool explain, struct strlist *damaged)
{
	const char *name = options->n_args ? options->args[0] : NULL;
	enum exit_code code = EXIT_CODE_DONE;
	cJSON *status = NULL;
	struct buf text;
	struct err err;

	buf_init(&text, 1024 * 1024);
	if (explain ? report_explain(own->config, own->trust, name, &text, damaged, &err)
		    : report_status(own->config, own->trust, name, &status, damaged,
				    &err)) {
		(void)command_fail(&err);
		code = EXIT_CODE_USAGE;
	} else if (explain) {
		print_explanation(options, buf_str(&text));
	} else {
		add_no_daemon(status, own->held);
		if (own->alerts)
			json_set_int(status, "alerts_pending",
				     (int64_t)alerts_pending(own->alerts));
		print_status(options, status);
	}
	cJSON_Delete(status);
	buf_release(&text);
	return code;
}

/* Another process has the state directory, and gives no report; or its disk is full or
 * read-only, and can still be read. Then it is asked most. */
static enum exit_code report_unlocked(const struct options *options,
				      const struct config *config, bool explain,
				      const struct err *why)
{
	struct own_look own = { .config = config };
	struct strlist damaged = { 0 };
	struct clock_trust trust;
	enum exit_code code;
	struct err err;

	(void)command_fail(why);
	fprintf(stderr, "certrenewd: this is what is on the disk:\n");
	if (clock_trust_read(config->state_dir, &trust, &err))
		return command_fail(&err);
	own.trust = &trust;
	own.held = why->kind == ERR_TRANSIENT ? why : NULL;
	code = print_own(options, &own, explain, &damaged);
	for (size_t i = 0; i < damaged.n; i++)
		fprintf(stderr, "certrenewd: %s\n", damaged.items[i]);
	strlist_clear(&damaged);
	return code;
}

/* No daemon runs: the same report, made here under the state lock. */
static enum exit_code report_alone(const struct options *options,
				   const struct config *config, bool explain)
{
	struct own_look own = { .config = config };
	struct strlist damaged = { 0 };
	enum exit_code code;
	struct engine engine;
	struct err err;

	if (system_become_owner_of(config->state_dir, &err))
		return command_fail(&err);
	if (engine_open(&engine, config, &err))
		return err.kind == ERR_IO || err.kind == ERR_TRANSIENT
			       ? report_unlocked(options, config, explain, &err)
			       : command_fail(&err);
	own.trust = &engine.trust;
	own.alerts = engine.alerts;
	code = print_own(options, &own, explain, &damaged);
	engine_tell_damage(&engine, &damaged);
	strlist_clear(&damaged);
	engine_close(&engine);
	return code;
}

/* A daemon runs, and hangs. */
static enum exit_code report_beside(const struct options *options,
				    const struct config *config, bool explain,
				    const struct err *why)
{
	struct err err;

	if (system_become_owner_of(config->state_dir, &err))
		return command_fail(&err);
	return report_unlocked(options, config, explain, why);
}

/* The file is refused: what it says of where its daemon is may be good for this. */
static enum exit_code report_of_daemon(const struct options *options, bool explain)
{
	cJSON *request = report_request(options, explain);
	char *state_dir = config_state_dir_named(options->config);
	char *file = system_absolute_path(options->config);
	const struct config config = { .state_dir = state_dir };
	enum exit_code code = EXIT_CODE_USAGE;
	cJSON *last = NULL;
	struct err err;

	json_set_string(request, "file", file);
	if (!command_ask_daemon(options, &config, request, &last, &err)) {
		code = print_answer(options, last);
		if (code == EXIT_CODE_DONE)
			fprintf(stderr,
				"certrenewd: warning: '%s' is refused for what is said "
				"above: the daemon goes on by the configuration that it "
				"has read before, and this is its answer\n",
				file);
	} else if (err.kind == ERR_TRANSIENT) {
		(void)command_fail(&err);
	}
	cJSON_Delete(last);
	cJSON_Delete(request);
	free(file);
	free(state_dir);
	return code;
}

static enum exit_code report(const struct options *options, bool explain)
{
	const struct config *config;
	cJSON *request, *last = NULL;
	enum exit_code code;
	struct err err;

	if (command_load_config(options, &config))
		return report_of_daemon(options, explain);
	request = report_request(options, explain);
	if (!command_ask_daemon(options, config, request, &last, &err))
		code = print_answer(options, last);
	else if (err.kind == ERR_NOT_FOUND)
		code = report_alone(options, config, explain);
	else if (err.kind == ERR_TRANSIENT)
		code = report_beside(options, config, explain, &err);
	else
		code = command_fail(&err);
	cJSON_Delete(last);
	cJSON_Delete(request);
	config_free(config);
	return code;
}

enum exit_code command_status(const struct options *options)
{
	return report(options, false);
}

enum exit_code command_explain(const struct options *options)
{
	return report(options, true);
}

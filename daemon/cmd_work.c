/* cmd_work.c - renew, deploy, rollback, fallback, revoke, rehearse, publish: asks the
 * daemon when one runs, else does the work here, under the same lock and by the same
 * pipeline. */
#include "daemon/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "daemon/conflict.h"
#include "daemon/engine.h"
#include "daemon/facts.h"
#include "daemon/log.h"
#include "daemon/pass_job.h"
#include "daemon/progress.h"
#include "daemon/revoke_reason.h"
#include "daemon/sessions.h"
#include "daemon/system.h"

struct work {
	const char *word; /* over the control channel */
	enum pipeline_command command;
	const char *target; /* NULL: all */
	enum acme_revocation reason;
};

/* One certificate's turn. Those that share a service with a later one are held, so that
 * one restart serves all, and have a second turn, which finds them served. */
struct turn {
	const char *name;
	bool hold, bring_in;
	size_t held_as; /* bring_in: its first turn */
	enum exit_code code;
};

static bool shares_with_later(const struct config *config, const char *const *names,
			      int i, int n)
{
	for (int k = i + 1; k < n; k++)
		if (strcmp(names[i], names[k]) != 0 &&
		    conflict_of_services(config_certificate(config, names[i]),
					 config_certificate(config, names[k])))
			return true;
	return false;
}

/* Gives *ret_n turns. */
static struct turn *take_turns(const struct config *config, const struct work *work,
			       const char *const *names, int n, size_t *ret_n)
{
	struct turn *turns = mem_calloc(2 * (size_t)n, sizeof(*turns));
	size_t n_turns = 0;

	for (int i = 0; i < n; i++, n_turns++) {
		turns[n_turns].name = names[i];
		turns[n_turns].hold = work->command == PIPELINE_RENEW &&
				      shares_with_later(config, names, i, n);
	}
	for (size_t i = 0; i < (size_t)n; i++)
		if (turns[i].hold)
			turns[n_turns++] = (struct turn){ .name = turns[i].name,
							  .bring_in = true,
							  .held_as = i };
	*ret_n = n_turns;
	return turns;
}

/* Nothing was made in the first turn: there is nothing to bring in. */
static bool is_over(const struct turn *turns, size_t i)
{
	return turns[i].bring_in && turns[turns[i].held_as].code != EXIT_CODE_DONE;
}

static void print_note(const struct options *options, const char *name,
		       const struct deploy_note *note)
{
	cJSON *line;

	if (!options->json) {
		progress_print(note->step, note->target, note->text);
		return;
	}
	line = cJSON_CreateObject();
	json_set_string(line, "certificate", name);
	json_set_string(line, "step", note->step);
	json_set_string(line, "target", note->target);
	json_set_string(line, "text", note->text);
	command_print_json(line);
}

struct note_ctx {
	const struct options *options;
	const char *name;
};

static void on_note(void *ctx, const struct deploy_note *note)
{
	const struct note_ctx *to = ctx;

	print_note(to->options, to->name, note);
}

static void print_end(const struct options *options, const char *name,
		      enum exit_code code, const char *text, const cJSON *findings)
{
	cJSON *line;

	if (options->json) {
		line = cJSON_CreateObject();
		json_set_string(line, "certificate", name);
		json_set_int(line, "exit", code);
		json_set_string(line, "text", text);
		if (findings)
			cJSON_AddItemToObject(line, "findings",
					      cJSON_Duplicate(findings, true));
		command_print_json(line);
	} else if (code == EXIT_CODE_DONE || code == EXIT_CODE_NOTHING) {
		printf("%s\n", text);
	} else {
		fprintf(stderr, "certrenewd: %s\n", text);
	}
}

/* ---- by ourselves -------------------------------------------------------- */

static void log_delivery_failure(void *ctx, const char *sentence)
{
	(void)ctx;
	fprintf(stderr, "%s\n", sentence);
}

static enum exit_code run_pass(struct engine *engine, struct sessions *sessions,
			       const struct options *options, const struct work *work,
			       const struct turn *turn)
{
	const struct certificate_config *certificate = config_certificate(engine->config,
									  turn->name);
	struct note_ctx to = { options, certificate->name };
	char run[RUN_ID_LENGTH + 1];
	struct pipeline_outcome outcome;
	struct pipeline_input input = {
		.config = engine->config,
		.generation = engine->generation,
		.certificate = certificate,
		.command = work->command,
		.force = options->force && !turn->bring_in,
		.hold = turn->hold,
		.bring_in = turn->bring_in,
		.only = work->target,
		.revoke_reason = work->reason,
		.revoke_with_key = options->with_key,
		.take_folder = options->take_over && work->command == PIPELINE_DEPLOY,
		.trust = &engine->trust,
		.responders = &engine->responders,
		.sessions = sessions,
		.cancel = engine->cancel,
		.run = run,
		.note = on_note,
		.note_ctx = &to,
		.tell = engine_hear,
		.tell_ctx = engine,
	};
	enum exit_code code;

	random_hex(run, RUN_ID_LENGTH);
	pipeline_run(&input, &outcome);
	engine_take(engine, &outcome);
	code = outcome.exit_code;
	print_end(options, certificate->name, code, outcome.text, outcome.findings);
	pipeline_outcome_clear(&outcome);
	return code;
}

static enum exit_code work_alone(const struct options *options,
				 const struct config *config, const struct work *work,
				 struct turn *turns, size_t from, size_t n)
{
	enum exit_code code = EXIT_CODE_DONE;
	struct sessions *sessions;
	struct engine engine;
	struct err err;

	log_open(config->log_format);
	if (system_become_owner_of(config->state_dir, &err) ||
	    engine_open(&engine, config, &err))
		return command_fail(&err);
	sessions = sessions_new(engine.cancel, engine.gate);
	for (size_t i = from; i < n; i++) {
		if (is_over(turns, i))
			continue;
		turns[i].code = run_pass(&engine, sessions, options, work, &turns[i]);
		if (code == EXIT_CODE_DONE || turns[i].code == EXIT_CODE_FAILED)
			code = turns[i].code;
	}
	(void)alerts_deliver(engine.alerts, config, engine.cancel, NULL,
			     log_delivery_failure, NULL);
	sessions_free(sessions);
	engine_close(&engine);
	return code;
}

/* ---- through the daemon -------------------------------------------------- */

static int work_through_daemon(const struct options *options, const struct config *config,
			       const struct work *work, struct turn *turn,
			       struct err *err)
{
	cJSON *request = command_request(work->word, turn->name, work->target);
	cJSON *last = NULL;
	const char *text;
	int rc;

	json_set_bool(request, "force", options->force && !turn->bring_in);
	json_set_bool(request, "hold", turn->hold);
	json_set_bool(request, "bring_in", turn->bring_in);
	if (work->command == PIPELINE_DEPLOY)
		json_set_bool(request, "take_over", options->take_over);
	if (work->command == PIPELINE_REVOKE) {
		json_set_int(request, "reason", work->reason);
		json_set_bool(request, "with_key", options->with_key);
	}
	rc = command_ask_daemon(options, config, request, &last, err);
	if (!rc) {
		turn->code = (enum exit_code)json_int(last, "exit", EXIT_CODE_FAILED);
		text = json_string(last, "text");
		print_end(options, turn->name, turn->code, text ? text : "",
			  cJSON_GetObjectItemCaseSensitive(last, "findings"));
	}
	cJSON_Delete(last);
	cJSON_Delete(request);
	return rc;
}

static bool names_are_known(const struct config *config, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (!config_certificate(config, names[i])) {
			fprintf(stderr,
				"certrenewd: there is no certificate '%s' in '%s'\n",
				names[i], config->path);
			return false;
		}
	return true;
}

static bool target_is_known(const struct config *config, const char *name,
			    const char *target)
{
	const struct certificate_config *certificate = config_certificate(config, name);

	for (size_t i = 0; target && i < certificate->n_targets; i++)
		if (!strcmp(certificate->targets[i].name, target))
			return true;
	if (target)
		fprintf(stderr, "certrenewd: certificate '%s' has no target '%s'\n", name,
			target);
	return !target;
}

static enum exit_code do_work(const struct options *options, const struct work *work,
			      const char *const *names, int n)
{
	enum exit_code code = EXIT_CODE_DONE;
	const struct config *config;
	struct turn *turns;
	size_t n_turns;
	struct err err = { 0 };

	if (command_load_config(options, &config))
		return EXIT_CODE_USAGE;
	if (!names_are_known(config, names, n) ||
	    !target_is_known(config, names[0], work->target)) {
		config_free(config);
		return EXIT_CODE_USAGE;
	}
	turns = take_turns(config, work, names, n, &n_turns);
	for (size_t i = 0; i < n_turns; i++) {
		if (is_over(turns, i))
			continue;
		if (work_through_daemon(options, config, work, &turns[i], &err)) {
			code = err.kind == ERR_NOT_FOUND
				       ? work_alone(options, config, work, turns, i,
						    n_turns)
				       : command_fail(&err);
			break;
		}
		if (code == EXIT_CODE_DONE || turns[i].code == EXIT_CODE_FAILED)
			code = turns[i].code;
	}
	free(turns);
	config_free(config);
	return code;
}

/* ---- the commands -------------------------------------------------------- */

enum exit_code command_renew(const struct options *options)
{
	const struct work work = { "renew", PIPELINE_RENEW, NULL, 0 };

	return do_work(options, &work, options->args, options->n_args);
}

enum exit_code command_deploy(const struct options *options)
{
	const struct work work = { "deploy", PIPELINE_DEPLOY,
				   options->n_args > 1 ? options->args[1] : NULL, 0 };

	return do_work(options, &work, options->args, 1);
}

enum exit_code command_rollback(const struct options *options)
{
	const struct work work = { "rollback", PIPELINE_ROLLBACK,
				   options->n_args > 1 ? options->args[1] : NULL, 0 };

	return do_work(options, &work, options->args, 1);
}

enum exit_code command_fallback(const struct options *options)
{
	const struct work on = { "fallback", PIPELINE_FALLBACK, NULL, 0 };
	const struct work off = { "https", PIPELINE_HTTPS, NULL, 0 };

	if (!strcmp(options->args[1], "on"))
		return do_work(options, &on, options->args, 1);
	if (!strcmp(options->args[1], "off"))
		return do_work(options, &off, options->args, 1);
	fprintf(stderr, "certrenewd: fallback NAME on|off, not '%s'\n", options->args[1]);
	return EXIT_CODE_USAGE;
}

enum exit_code command_revoke(const struct options *options)
{
	struct work work = { "revoke", PIPELINE_REVOKE, NULL, REVOKE_UNSPECIFIED };

	if (!revoke_reason_of(options->reason, &work.reason)) {
		fprintf(stderr, "certrenewd: --reason is %s, not '%s'\n",
			revoke_reason_words(), options->reason);
		return EXIT_CODE_USAGE;
	}
	return do_work(options, &work, options->args, 1);
}

/* Those that a CA is asked for; the others have nothing to rehearse. */
static const char **with_a_ca(const struct config *config, int *ret_n)
{
	const char **names = mem_calloc(config->n_certificates + 1, sizeof(*names));

	*ret_n = 0;
	for (size_t i = 0; i < config->n_certificates; i++)
		if (facts_has_issuer(config, &config->certificates[i], ISSUER_ACME))
			names[(*ret_n)++] = config->certificates[i].name;
	return names;
}

enum exit_code command_rehearse(const struct options *options)
{
	const struct work work = { "rehearse", PIPELINE_REHEARSE, NULL, 0 };
	const struct config *config;
	enum exit_code code = EXIT_CODE_NOTHING;
	const char **names;
	int n;

	if (options->n_args)
		return do_work(options, &work, options->args, options->n_args);
	if (command_load_config(options, &config))
		return EXIT_CODE_USAGE;
	names = with_a_ca(config, &n);
	if (n)
		code = do_work(options, &work, names, n);
	else
		printf("no certificate has a CA to rehearse with\n");
	free(names);
	config_free(config);
	return code;
}

enum exit_code command_publish(const struct options *options)
{
	const struct work work = { "publish", PIPELINE_PUBLISH, NULL, 0 };

	return do_work(options, &work, options->args, 1);
}

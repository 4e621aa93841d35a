/* cmd_account.c - account: what each issuer says about our account, and what may be done
 * to it: by the daemon when one runs, else here under its lock. */
#include "daemon/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "daemon/account_session.h"
#include "daemon/account_work.h"
#include "daemon/accounts.h"
#include "daemon/engine.h"
#include "daemon/log.h"
#include "daemon/system.h"

/* ---- show ---------------------------------------------------------------- */

static void print_account(const struct options *options,
			  const struct issuer_config *issuer,
			  const struct acme_account_facts *facts)
{
	cJSON *json;

	if (!options->json) {
		printf("%s\n  directory  %s\n  account    %s\n  status     %s\n  contact "
		       "   %s\n",
		       issuer->name, issuer->directory, facts->url ? facts->url : "-",
		       facts->status, facts->contact ? facts->contact : "-");
		return;
	}
	json = cJSON_CreateObject();
	json_set_string(json, "issuer", issuer->name);
	json_set_string(json, "directory", issuer->directory);
	json_set_string(json, "url", facts->url);
	json_set_string(json, "status", facts->status);
	json_set_string(json, "contact", facts->contact);
	command_print_json(json);
}

static enum exit_code say_none(const struct issuer_config *issuer)
{
	fprintf(stderr,
		"certrenewd: there is no account at '%s' yet: the first order makes "
		"one\n",
		issuer->name);
	return EXIT_CODE_NOTHING;
}

/* Looks only: an account that was never made is not made by asking for it. */
static enum exit_code show_one(const struct options *options, const struct config *config,
			       const struct issuer_config *issuer)
{
	struct acme_account_facts facts = { 0 };
	struct account_session session = { 0 };
	enum exit_code code = EXIT_CODE_DONE;
	bool known = false;
	struct err err = { 0 };

	if (account_session_look(&session, config, issuer, NULL, &known, &err)) {
		code = err.kind == ERR_NOT_FOUND ? say_none(issuer) : EXIT_CODE_FAILED;
	} else if (!known) {
		code = say_none(issuer);
	} else if (acme_account_read(session.session, &facts, &err)) {
		code = EXIT_CODE_FAILED;
	} else {
		print_account(options, issuer, &facts);
	}
	if (code == EXIT_CODE_FAILED) {
		err_wrap(&err, "issuer '%s'", issuer->name);
		code = command_fail(&err);
	}
	acme_account_facts_clear(&facts);
	account_session_close(&session);
	return code;
}

static enum exit_code show(const struct options *options, const struct config *config,
			   const struct issuer_config *const *issuers, size_t n)
{
	enum exit_code code = EXIT_CODE_DONE, one;
	struct err err;

	if (system_become_owner_of(config->state_dir, &err))
		return command_fail(&err);
	for (size_t i = 0; i < n; i++) {
		one = show_one(options, config, issuers[i]);
		if (code == EXIT_CODE_DONE)
			code = one;
	}
	return code;
}

/* ---- the verbs that change it -------------------------------------------- */

static void print_answer(const struct options *options,
			 const struct issuer_config *issuer, enum exit_code code,
			 const char *text)
{
	cJSON *json;

	if (options->json) {
		json = cJSON_CreateObject();
		json_set_string(json, "issuer", issuer->name);
		json_set_int(json, "exit", code);
		json_set_string(json, "text", text);
		command_print_json(json);
	} else if (code == EXIT_CODE_DONE || code == EXIT_CODE_NOTHING) {
		printf("%s\n", text);
	} else {
		fprintf(stderr, "certrenewd: %s\n", text);
	}
}

static enum exit_code worse(enum exit_code so_far, enum exit_code one)
{
	return so_far == EXIT_CODE_DONE || one == EXIT_CODE_FAILED ? one : so_far;
}

static enum exit_code work_alone(const struct options *options,
				 const struct config *config, enum account_verb verb,
				 const struct issuer_config *const *issuers, size_t n)
{
	enum exit_code code = EXIT_CODE_DONE;
	struct engine engine;
	struct err err;

	log_open(config->log_format);
	if (system_become_owner_of(config->state_dir, &err) ||
	    engine_open(&engine, config, &err))
		return command_fail(&err);
	for (size_t i = 0; i < n; i++) {
		const struct account_errand errand = {
			.config = config,
			.issuer = issuers[i],
			.verb = verb,
			.force = options->force,
			.cancel = engine.cancel,
		};
		struct account_answer answer;

		account_work(&errand, &answer);
		print_answer(options, issuers[i], answer.code, answer.text);
		code = worse(code, answer.code);
	}
	engine_close(&engine);
	return code;
}

static int ask_daemon(const struct options *options, const struct config *config,
		      enum account_verb verb, const struct issuer_config *issuer,
		      enum exit_code *ret_code, struct err *err)
{
	cJSON *request = command_request("account", NULL, NULL), *last = NULL;
	const char *text;
	int rc;

	json_set_string(request, "verb", account_verb_name(verb));
	json_set_string(request, "issuer", issuer->name);
	json_set_bool(request, "force", options->force);
	rc = command_ask_daemon(options, config, request, &last, err);
	if (!rc) {
		*ret_code = (enum exit_code)json_int(last, "exit", EXIT_CODE_FAILED);
		text = json_string(last, "text");
		print_answer(options, issuer, *ret_code, text ? text : "");
	}
	cJSON_Delete(last);
	cJSON_Delete(request);
	return rc;
}

static enum exit_code change(const struct options *options, const struct config *config,
			     enum account_verb verb,
			     const struct issuer_config *const *issuers, size_t n)
{
	enum exit_code code = EXIT_CODE_DONE, one;
	struct err err;

	for (size_t i = 0; i < n; i++) {
		if (ask_daemon(options, config, verb, issuers[i], &one, &err))
			return err.kind == ERR_NOT_FOUND
				       ? work_alone(options, config, verb, issuers + i,
						    n - i)
				       : command_fail(&err);
		code = worse(code, one);
	}
	return code;
}

/* ---- the command --------------------------------------------------------- */

/* The issuers that have an account, or the one that was named. Gives the array; NULL with
 * the reason told. */
static const struct issuer_config **find_issuers(const struct config *config,
						 const char *only, size_t *ret_n)
{
	const struct issuer_config **found = mem_calloc(config->n_issuers + 1,
							sizeof(void *));
	const struct issuer_config *asked = only ? config_issuer(config, only) : NULL;

	*ret_n = 0;
	for (size_t i = 0; i < config->n_issuers; i++)
		if (config->issuers[i].type == ISSUER_ACME &&
		    (!only || asked == &config->issuers[i]))
			found[(*ret_n)++] = &config->issuers[i];
	if (*ret_n || !only)
		return found;
	fprintf(stderr, "certrenewd: there is no %s '%s' in '%s'\n",
		asked ? "account with issuer" : "issuer", only, config->path);
	free(found);
	return NULL;
}

enum exit_code command_account(const struct options *options)
{
	const char *word = options->args[0];
	const char *only = options->n_args > 1 ? options->args[1] : NULL;
	bool looks = !strcmp(word, "show");
	const struct issuer_config **issuers;
	enum account_verb verb = ACCOUNT_REGISTER;
	enum exit_code code = EXIT_CODE_USAGE;
	const struct config *config;
	size_t n;

	if (!looks && !account_verb_of(word, &verb)) {
		fprintf(stderr,
			"certrenewd: account show|register|update|rotate-key|deactivate "
			"[ISSUER], not '%s'\n",
			word);
		return EXIT_CODE_USAGE;
	}
	if (!looks && verb == ACCOUNT_DEACTIVATE && !only) {
		fprintf(stderr, "certrenewd: account deactivate needs an issuer's "
				"name\n");
		return EXIT_CODE_USAGE;
	}
	if (command_load_config(options, &config))
		return EXIT_CODE_USAGE;
	issuers = find_issuers(config, only, &n);
	if (issuers)
		code = looks ? show(options, config, issuers, n)
			     : change(options, config, verb, issuers, n);
	free(issuers);
	config_free(config);
	return code;
}

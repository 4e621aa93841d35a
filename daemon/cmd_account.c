/* cmd_account.c - account show: what each issuer says about our account. */
#include "daemon/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "daemon/accounts.h"
#include "daemon/sessions.h"
#include "daemon/system.h"
#include "base/cancel.h"

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

/* Looks only: an account that was never made is not made by asking for it. */
static enum exit_code show_one(const struct options *options, const struct config *config,
			       struct sessions *sessions,
			       const struct issuer_config *issuer)
{
	struct acme_account_facts facts = { 0 };
	struct acme_session *session;
	EVP_PKEY *key = NULL;
	char *url = NULL;
	struct err err;
	enum exit_code code = EXIT_CODE_DONE;

	if (account_load(config, issuer, &key, &url, &err) && err.kind != ERR_NOT_FOUND) {
		code = command_fail(&err);
	} else if (!url) {
		fprintf(stderr,
			"certrenewd: there is no account at '%s' yet: the first order "
			"makes one\n",
			issuer->name);
		code = EXIT_CODE_NOTHING;
	} else if (sessions_get(sessions, issuer, &session, &err) ||
		   acme_account_read(session, &facts, &err)) {
		err_wrap(&err, "issuer '%s'", issuer->name);
		code = command_fail(&err);
	} else {
		print_account(options, issuer, &facts);
	}
	acme_account_facts_clear(&facts);
	free(url);
	EVP_PKEY_free(key);
	return code;
}

enum exit_code command_account(const struct options *options)
{
	const char *only = options->n_args > 1 ? options->args[1] : NULL;
	enum exit_code code = EXIT_CODE_DONE, one;
	const struct issuer_config *asked;
	const struct config *config;
	struct sessions *sessions;
	struct err err;

	if (strcmp(options->args[0], "show") != 0) {
		fprintf(stderr, "certrenewd: account show [ISSUER], not '%s'\n",
			options->args[0]);
		return EXIT_CODE_USAGE;
	}
	if (command_load_config(options, &config))
		return EXIT_CODE_USAGE;
	asked = only ? config_issuer(config, only) : NULL;
	if (only && (!asked || asked->type != ISSUER_ACME)) {
		fprintf(stderr, "certrenewd: there is no %s '%s' in '%s'\n",
			asked ? "account with issuer" : "issuer", only, config->path);
		config_free(config);
		return EXIT_CODE_USAGE;
	}
	if (system_become_owner_of(config->state_dir, &err)) {
		config_free(config);
		return command_fail(&err);
	}
	sessions = sessions_new(NULL);
	sessions_use(sessions, config, 1);
	for (size_t i = 0; i < config->n_issuers; i++) {
		if ((only && strcmp(only, config->issuers[i].name) != 0) ||
		    config->issuers[i].type != ISSUER_ACME)
			continue;
		one = show_one(options, config, sessions, &config->issuers[i]);
		if (code == EXIT_CODE_DONE)
			code = one;
	}
	sessions_free(sessions);
	config_free(config);
	return code;
}

/* cmd_config.c - check-config and show-config: the file, without touching anything. */
#include "daemon/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "daemon/system.h"

static void add_lines(cJSON *object, const char *name, const struct strlist *lines)
{
	cJSON *list = cJSON_AddArrayToObject(object, name);

	for (size_t i = 0; i < lines->n; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(lines->items[i]));
}

static void print_check_as_json(const struct options *options,
				const struct config_report *report)
{
	cJSON *object = cJSON_CreateObject();

	json_set_string(object, "file", options->config);
	json_set_bool(object, "good", report->errors.n == 0);
	add_lines(object, "errors", &report->errors);
	add_lines(object, "warnings", &report->warnings);
	command_print_json(object);
}

static void print_check(const struct options *options, const struct config *config,
			const struct config_report *report)
{
	for (size_t i = 0; i < report->errors.n; i++)
		fprintf(stderr, "%s\n", report->errors.items[i]);
	for (size_t i = 0; i < report->warnings.n; i++)
		fprintf(stderr, "warning: %s\n", report->warnings.items[i]);
	if (config)
		printf("%s: %zu certificate%s, %zu issuer%s, %zu alert channel%s: good\n",
		       options->config, config->n_certificates,
		       config->n_certificates == 1 ? "" : "s", config->n_issuers,
		       config->n_issuers == 1 ? "" : "s", config->n_alerts,
		       config->n_alerts == 1 ? "" : "s");
	else
		fprintf(stderr, "%s: %zu error%s\n", options->config, report->errors.n,
			report->errors.n == 1 ? "" : "s");
}

/* One that is there, and that certrenewd refuses to work in. Whose it is cannot be seen
 * by everybody who may read the file. */
static int check_state_dir(const char *path, struct config_report *report)
{
	struct err err;

	if (system_become_owner_of(path, &err) || !system_check_state_dir(path, &err) ||
	    (err.kind != ERR_DENIED && err.kind != ERR_CONFIG))
		return 0;
	strlist_add(&report->errors, err.text);
	return -1;
}

enum exit_code command_check_config(const struct options *options)
{
	struct config_report report = { 0 };
	const struct config *config = NULL;
	int rc = config_load(options->config, true, &config, &report);

	if (!rc && check_state_dir(config->state_dir, &report)) {
		config_free(config);
		config = NULL;
		rc = -1;
	}
	if (options->json)
		print_check_as_json(options, &report);
	else
		print_check(options, config, &report);
	config_free(config);
	config_report_clear(&report);
	return rc ? EXIT_CODE_USAGE : EXIT_CODE_DONE;
}

enum exit_code command_show_config(const struct options *options)
{
	struct config_report report = { 0 };
	const struct config *config = NULL;
	char *text;
	int rc;

	if (options->json) {
		fprintf(stderr,
			"certrenewd: show-config prints YAML, leave --json out\n");
		return EXIT_CODE_USAGE;
	}
	rc = config_load(options->config, false, &config, &report);
	for (size_t i = 0; i < report.errors.n; i++)
		fprintf(stderr, "%s\n", report.errors.items[i]);
	config_report_clear(&report);
	if (rc)
		return EXIT_CODE_USAGE;
	text = config_show(config);
	(void)fputs(text, stdout);
	free(text);
	config_free(config);
	return EXIT_CODE_DONE;
}

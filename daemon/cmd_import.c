/* cmd_import.c - import win-acme: writes our configuration, adopts the account, remembers
 * which task to switch off once everything was seen served. Theirs is only read. */
#include "daemon/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "config/system.h"
#include "daemon/accounts.h"
#include "daemon/system.h"
#include "daemon/winacme/handover.h"
#include "daemon/winacme/winacme.h"
#include "hooks/store.h"

#define YAML_MAX_BYTES ((size_t)1024 * 1024)

static void print_all(const char *head, const struct strlist *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		fprintf(stderr, "%s%s\n", head, lines->items[i]);
}

static size_t count_taken(const struct winacme *found)
{
	size_t n = 0;

	for (size_t i = 0; i < found->n_endpoints; i++)
		for (size_t k = 0; k < found->endpoints[i].n_renewals; k++)
			n += !found->endpoints[i].renewals[k].refusals.n;
	return n;
}

/* ---- the state directory ------------------------------------------------- */

/* An account that we cannot have is a note, a disk that refuses it an error. */
static int adopt(const char *state_dir, const struct winacme_endpoint *endpoint,
		 const char *account, struct strlist *notes, struct err *err)
{
	char *name = winacme_issuer(endpoint, account), *url = NULL, *text;
	const struct config config = { .state_dir = state_dir };
	/* A guessed URL may be put right: the account must not be bound to it. */
	const struct issuer_config issuer = {
		.name = name,
		.directory = endpoint->guessed ? NULL : endpoint->directory,
	};
	EVP_PKEY *key = NULL;
	int rc = 0;

	if (winacme_account(endpoint->folder, account, &key, &url, err) ||
	    (rc = account_adopt(&config, &issuer, key, url, err)))
		text = str_printf("the account at '%s' is not taken over (%s); without "
				  "it a new one is registered with the first order",
				  name, err->text);
	else
		text = str_printf("the account at '%s' is taken over%s%s", name,
				  url ? ": " : "", url ? url : "");
	if (rc && err->kind == ERR_REFUSED)
		rc = 0;
	if (!rc)
		strlist_add(notes, text);
	EVP_PKEY_free(key);
	free(url);
	free(text);
	free(name);
	return rc;
}

static int adopt_accounts(const char *state_dir, const struct winacme *found,
			  struct strlist *notes, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < found->n_endpoints; i++) {
		const struct winacme_endpoint *endpoint = &found->endpoints[i];
		struct strlist done = { 0 };

		for (size_t k = 0; !rc && k < endpoint->n_renewals; k++) {
			const struct winacme_renewal *renewal = &endpoint->renewals[k];
			const char *account = renewal->account ? renewal->account : "";

			if (renewal->refusals.n || strlist_has(&done, account))
				continue;
			strlist_add(&done, account);
			rc = adopt(state_dir, endpoint, renewal->account, notes, err);
		}
		strlist_clear(&done);
	}
	return rc;
}

/* What is only ours: made here, under the lock that a daemon would hold. */
static int fill_state(const struct winacme *found, struct strlist *notes, struct err *err)
{
	char *state_dir = system_default_state_dir();
	char *path = path_join(state_dir, "lock");
	struct file_lock *lock = NULL;
	int rc = -1;

	if (dir_make(state_dir, FILE_SECRET, err) ||
	    system_check_state_dir(state_dir, err))
		goto out;
	if (file_lock_take(path, &lock, err)) {
		err_wrap(err, "stop the daemon first");
		goto out;
	}
	if (adopt_accounts(state_dir, found, notes, err) ||
	    handover_begin(state_dir, found, err))
		goto out;
	rc = 0;
out:
	file_lock_release(lock);
	free(path);
	free(state_dir);
	return rc;
}

/* ---- the configuration --------------------------------------------------- */

static int check_free(const char *config, struct err *err)
{
	struct file_facts facts;

	if (file_inspect(config, &facts, err))
		return -1;
	if (facts.type != FILE_ABSENT)
		return err_set(err, ERR_CONFIG,
			       "'%s' exists and is not overwritten: move it away, name "
			       "another file with --config, or look with --dry-run",
			       config);
	return 0;
}

static int write_config(const char *config, const struct buf *yaml, struct err *err)
{
	char *folder = path_parent(config);
	int rc = -1;

	if (!dir_make(folder, FILE_PUBLIC, err) &&
	    !file_replace(config, yaml->data, yaml->len, FILE_PUBLIC, err))
		rc = 0;
	free(folder);
	return rc;
}

/* What win-acme put into the Windows store was its to delete, and is ours from now on. */
static void adopt_entry(const struct config *config,
			const struct winacme_renewal *renewal)
{
	const struct certificate_config *certificate = config_certificate(config,
									  renewal->name);
	struct err err;

	for (size_t i = 0;
	     certificate && renewal->thumbprint && i < certificate->n_targets; i++)
		if (store_adopt(&certificate->targets[i].store, renewal->thumbprint,
				&err))
			fprintf(stderr,
				"note: '%s': its present certificate will be left when "
				"it is replaced: %s\n",
				renewal->name, err.text);
}

static void adopt_entries(const struct config *config, const struct winacme *found)
{
	for (size_t i = 0; i < found->n_endpoints; i++)
		for (size_t k = 0; k < found->endpoints[i].n_renewals; k++)
			if (!found->endpoints[i].renewals[k].refusals.n)
				adopt_entry(config, &found->endpoints[i].renewals[k]);
}

/* Loads what was written: the operator hears now what a daemon would say later. */
static enum exit_code check_written(const char *config, const struct winacme *found)
{
	struct config_report report = { 0 };
	const struct config *loaded = NULL;
	int rc = config_load(config, true, &loaded, &report);

	print_all("", &report.errors);
	print_all("warning: ", &report.warnings);
	config_report_clear(&report);
	if (!rc)
		adopt_entries(loaded, found);
	config_free(loaded);
	return rc ? EXIT_CODE_USAGE : EXIT_CODE_DONE;
}

static void print_next(const struct winacme *found, const char *config)
{
	printf("%zu certificate%s taken over into '%s'. Next: certrenewd check-config, "
	       "then "
	       "start the daemon. What win-acme has is untouched",
	       count_taken(found), count_taken(found) == 1 ? "" : "s", config);
	for (size_t i = 0; i < found->n_endpoints; i++)
		printf("%s'%s'", i ? ", " : "; its task ", found->endpoints[i].task);
	puts(" is switched off when all of its certificates were seen served.");
}

/* ---- the command --------------------------------------------------------- */

static enum exit_code import(const struct options *options, const struct winacme *found,
			     const struct buf *yaml, struct strlist *notes)
{
	char *config = system_absolute_path(options->config);
	enum exit_code code = EXIT_CODE_NOTHING;
	struct err err;

	if (!count_taken(found)) {
		print_all("note: ", notes);
		fprintf(stderr, "certrenewd: nothing of it can be taken over\n");
	} else if (options->dry_run) {
		fputs(buf_str(yaml), stdout);
		print_all("note: ", notes);
		code = EXIT_CODE_DONE;
	} else if (check_free(config, &err) || fill_state(found, notes, &err) ||
		   write_config(config, yaml, &err)) {
		/* The configuration comes last: until it is there, the command can be
		 * repeated. */
		code = command_fail(&err);
	} else {
		print_all("note: ", notes);
		code = check_written(config, found);
		print_next(found, config);
	}
	free(config);
	return code;
}

static enum exit_code undo(void)
{
	char *state_dir = system_default_state_dir();
	enum exit_code code = EXIT_CODE_DONE;
	struct strlist notes = { 0 };
	struct err err;

	if (handover_undo(state_dir, &notes, &err))
		code = err.kind == ERR_NOT_FOUND ? (command_fail(&err), EXIT_CODE_NOTHING)
						 : command_fail(&err);
	for (size_t i = 0; i < notes.n; i++)
		puts(notes.items[i]);
	strlist_clear(&notes);
	free(state_dir);
	return code;
}

enum exit_code command_import(const struct options *options)
{
	struct strlist notes = { 0 };
	struct winacme found;
	enum exit_code code;
	struct buf yaml;
	struct err err;

	if (strcmp(options->args[0], "win-acme") != 0) {
		fprintf(stderr, "certrenewd: import win-acme, not '%s'\n",
			options->args[0]);
		return EXIT_CODE_USAGE;
	}
	if (options->undo)
		return undo();
	if (winacme_read(options->path, &found, &err)) {
		code = command_fail(&err);
		return err.kind == ERR_NOT_FOUND ? EXIT_CODE_NOTHING : code;
	}
	buf_init(&yaml, YAML_MAX_BYTES);
	winacme_yaml(&found, &yaml, &notes);
	code = import(options, &found, &yaml, &notes);
	buf_release(&yaml);
	strlist_clear(&notes);
	winacme_clear(&found);
	return code;
}

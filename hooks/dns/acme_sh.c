/* acme_sh.c - a dns_NAME.sh script of acme.sh: its functions dns_NAME_add and dns_NAME_rm
 * are called in a shell that has read acme_sh_prelude.sh, which stands in for acme.sh.
 *
 * Such scripts run one at a time for a provider: they know no other. What they save (so
 * that a login need not be done again) is kept in a file of ours. */
#include "hooks/dns/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/str.h"
#include "hooks/dns/acme_sh_prelude.h"
#include "hooks/dns/provider_lock.h"
#include "hooks/dns/provider_program.h"

#define MAX_SAVED_BYTES ((size_t)256 * 1024)
#define MAX_SCRIPT_BYTES ((size_t)1024 * 1024)

struct script {
	const char *path;
	const char *shell; /* bash where its first line says so */
	char *name;        /* "dns_NAME" */
};

/* Gives "dns_NAME" of ".../dns_NAME.sh". */
static char *name_of(const char *path, struct err *err)
{
	const char *base = path_base(path);
	size_t len = strspn(base, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_");

	if (str_starts(base, "dns_") && str_equal(base + len, ".sh"))
		return str_ndup(base, len);
	err_set(err, ERR_CONFIG,
		"'%s' is not named as acme.sh names its scripts, dns_NAME.sh: its "
		"functions cannot be found",
		path);
	return NULL;
}

static void script_release(struct script *script)
{
	free(script->name);
}

/* Reads the script: its shell, and whether it has the functions that we call. */
static int script_init(struct script *script, const char *path, struct err *err)
{
	char *function;
	struct buf text;
	int rc = -1;

	*script = (struct script){ .path = path, .shell = "/bin/sh" };
	script->name = name_of(path, err);
	if (!script->name)
		return -1;
	function = str_printf("%s_add", script->name);
	buf_init(&text, MAX_SCRIPT_BYTES);
	if (file_read(path, &text, err)) {
		err->kind = ERR_CONFIG;
		goto out;
	}
	if (!strstr(buf_str(&text), function)) {
		err_set(err, ERR_CONFIG, "'%s' has no function '%s'", path, function);
		goto out;
	}
	text.data[strcspn(buf_str(&text), "\n")] = '\0';
	if (strstr(buf_str(&text), "bash"))
		script->shell = "/bin/bash";
	rc = 0;
out:
	buf_release(&text);
	free(function);
	if (rc)
		script_release(script);
	return rc;
}

/* Makes what the script saved ours: whole, 0600, synced. */
static int take_over(const char *saved, const char *fresh, struct err *err)
{
	struct buf text;
	int rc;

	buf_init_secret(&text, MAX_SAVED_BYTES);
	rc = file_read(fresh, &text, err);
	if (!rc)
		rc = file_replace(saved, buf_str(&text), text.len, FILE_SECRET, err);
	if (!rc)
		rc = file_remove(fresh, err);
	else if (err->kind == ERR_NOT_FOUND)
		rc = 0; /* it saved nothing */
	buf_release(&text);
	return rc ? err_wrap(err, "keep what the script saved") : 0;
}

static int call(const struct dns_work *work, const struct script *script,
		const char *verb, const struct dns_answer *answer, struct err *err)
{
	const char *saved = work->provider->accounts;
	char *function = str_printf("%s_%s", script->name, verb);
	char *fresh = str_printf("%s.new", saved);
	char *where = str_printf("CERTRENEWD_SAVED=%s", saved);
	char *domain = str_printf("CERTRENEWD_DOMAIN=%s", answer->domain);
	const char *argv[] = { script->shell,  "-c",          acme_sh_prelude,
			       "certrenewd",   script->path,  function,
			       answer->record, answer->value, NULL };
	const char *env[] = { where, domain, NULL };
	struct err later;
	int rc = file_remove(fresh, err); /* of a run that died */

	if (!rc) {
		rc = provider_program_run(work, argv, env, err);
		if (rc)
			err_wrap(err, "%s of '%s'", function, script->path);
		if (take_over(saved, fresh, rc ? &later : err))
			rc = -1;
	}
	free(domain);
	free(where);
	free(fresh);
	free(function);
	return rc;
}

static int run(const struct dns_work *work, const char *verb,
	       const struct dns_answer *answer, struct err *err)
{
	struct file_lock *lock = NULL;
	struct script script;
	int rc = -1;

	if (script_init(&script, work->provider->program.argv[0], err))
		return -1;
	if (!provider_lock(work, work->provider->accounts, &lock, err))
		rc = call(work, &script, verb, answer, err);
	file_lock_release(lock);
	script_release(&script);
	return rc;
}

static int present(const struct dns_work *work, const struct dns_answer *answer,
		   struct err *err)
{
	return run(work, "add", answer, err);
}

static int withdraw(const struct dns_work *work, const struct dns_answer *answer,
		    struct err *err)
{
	return run(work, "rm", answer, err);
}

static int check(const struct dns_work *work, const char *domain, struct err *err)
{
	struct script script;

	(void)domain;
	if (script_init(&script, work->provider->program.argv[0], err))
		return -1;
	script_release(&script);
	return 0;
}

const struct dns_provider_kind dns_acme_sh = { .present = present,
					       .withdraw = withdraw,
					       .check = check };

/* limits_file.c - accounts/<issuer>/history.json: what we asked of an issuer, and what it
 * said to be asked later. What that means: limits.c. */
#include "daemon/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "daemon/limits_json.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define WAIT_MAX_S (8 * INT64_C(86400)) /* longer than any published limit takes */

static char *folder_of(const char *state_dir, const struct issuer_config *issuer)
{
	return str_printf("%s/accounts/%s", state_dir, issuer->name);
}

static int from_json(const cJSON *file, void *into)
{
	return limits_from_json(file, into);
}

static int read_file(const char *path, struct limits_history *ret, struct err *err)
{
	static const struct state_reader reader = { FILE_MAX_BYTES, "a history",
						    from_json, NULL };

	memset(ret, 0, sizeof(*ret));
	return state_file_load(path, &reader, ret, err);
}

int limits_read(const char *state_dir, const struct issuer_config *issuer,
		struct limits_history *ret, struct err *err)
{
	char *folder = folder_of(state_dir, issuer);
	char *path = path_join(folder, "history.json");
	int rc = read_file(path, ret, err);

	if (rc)
		err_wrap(err, "read what was asked of issuer '%s'", issuer->name);
	free(path);
	free(folder);
	return rc;
}

int limits_check(const char *state_dir, const struct issuer_config *issuer,
		 const char *const *names, enum limits_order as, int64_t now,
		 struct err *err)
{
	struct limits_history history = { 0 };
	struct limits_verdict verdict;
	char when[CLOCK_TEXT_MAX];

	if (limits_read(state_dir, issuer, &history, err))
		return -1;
	verdict = limits_decide(limits_known(issuer->directory), &history, names, as,
				now);
	limits_history_clear(&history);
	if (verdict.allowed)
		return 0;
	clock_format_people(verdict.retry_at, when);
	err_set(err, ERR_TRANSIENT, "not asked before %s: %s", when, verdict.text);
	if (verdict.retry_at > now)
		err->retry_after_s = (uint32_t)(verdict.retry_at - now);
	return -1;
}

/* ---- writing -------------------------------------------------------------------- */

struct change { /* to a history; `apply` tells whether there is anything to write */
	bool (*apply)(struct limits_history *history, const struct change *change);
	const char *const *names;
	enum limits_order as;
	int64_t now, until;
	const char *text;
};

static int change_history(const char *state_dir, const struct issuer_config *issuer,
			  const struct change *change, struct err *err)
{
	char *folder = folder_of(state_dir, issuer);
	char *path = path_join(folder, "history.json");
	char *lock_path = path_join(folder, "history.lock");
	struct limits_history history = { 0 };
	struct file_lock *lock = NULL;
	cJSON *json = NULL;
	struct err read;
	int rc = -1;

	if (dir_make(folder, FILE_SECRET, err) ||
	    state_file_lock(lock_path, &lock, err) || read_file(path, &history, err))
		goto out;
	read = *err; /* whether it was set aside: told even when all goes well */
	limits_prune(&history, change->now);
	if (change->apply(&history, change)) {
		json = limits_to_json(&history);
		if (json_write_file(path, json, err))
			goto out;
	}
	*err = read;
	rc = 0;
out:
	if (rc)
		err_wrap(err, "note what was asked of issuer '%s'", issuer->name);
	file_lock_release(lock);
	cJSON_Delete(json);
	limits_history_clear(&history);
	free(lock_path);
	free(path);
	free(folder);
	return rc;
}

/* A CA without published limits has no use for a history. */
static bool is_known(const struct issuer_config *issuer, struct err *err)
{
	err->kind = ERR_NONE;
	err->text[0] = '\0';
	return limits_known(issuer->directory) != NULL;
}

static bool apply_order(struct limits_history *history, const struct change *change)
{
	limits_add_order(history, change->now);
	return true;
}

int limits_note_order(const char *state_dir, const struct issuer_config *issuer,
		      enum limits_order as, int64_t now, struct err *err)
{
	const struct change change = { .apply = apply_order, .now = now };

	if (!is_known(issuer, err) || as != LIMITS_FRESH)
		return 0;
	return change_history(state_dir, issuer, &change, err);
}

static bool apply_certificate(struct limits_history *history, const struct change *change)
{
	limits_add_certificate(history, change->names, change->as, change->now);
	limits_forgive(history, change->names);
	return true;
}

int limits_note_certificate(const char *state_dir, const struct issuer_config *issuer,
			    const char *const *names, enum limits_order as, int64_t now,
			    struct err *err)
{
	const struct change change = {
		.apply = apply_certificate, .names = names, .as = as, .now = now
	};

	if (!is_known(issuer, err))
		return 0;
	return change_history(state_dir, issuer, &change, err);
}

static bool apply_failure(struct limits_history *history, const struct change *change)
{
	for (size_t i = 0; change->names[i]; i++)
		limits_add_failure(history, change->names[i], change->now);
	return true;
}

int limits_note_failure(const char *state_dir, const struct issuer_config *issuer,
			const struct strlist *identifiers, int64_t now, struct err *err)
{
	struct change change = { .apply = apply_failure, .now = now };

	if (!is_known(issuer, err) || !identifiers->n)
		return 0;
	change.names = (const char *const *)identifiers->items;
	return change_history(state_dir, issuer, &change, err);
}

/* ---- the CA's own "not before" --------------------------------------------------- */

/* Not told again what stands there already. */
static bool apply_wait(struct limits_history *history, const struct change *change)
{
	struct strlist names = { 0 };
	bool known = false;

	for (size_t i = 0; change->names && change->names[i]; i++)
		strlist_add(&names, change->names[i]);
	strlist_sort(&names);
	for (size_t i = 0; i < history->n_waits && !known; i++) {
		const struct limits_wait *wait = &history->waits[i];
		bool same = wait->names.n == names.n;

		for (size_t k = 0; same && k < names.n; k++)
			same = str_equal_nocase(wait->names.items[k], names.items[k]);
		known = same && wait->until >= change->until;
	}
	strlist_clear(&names);
	if (!known)
		limits_add_wait(history, change->names, change->until, change->now,
				change->text);
	return !known;
}

int limits_note_refusal(const char *state_dir, const struct issuer_config *issuer,
			const char *const *names, const struct err *refusal, int64_t now,
			struct err *err)
{
	struct limits_refusal heard = limits_hear(refusal->text, names);
	int64_t wait_s = refusal->retry_after_s;
	struct change change = { .apply = apply_wait,
				 .names = heard.about_names ? names : NULL,
				 .now = now,
				 .text = heard.text };

	err->kind = ERR_NONE;
	err->text[0] = '\0';
	if (heard.until > now && heard.until - now > wait_s)
		wait_s = heard.until - now;
	if (!heard.text || refusal->kind != ERR_TRANSIENT || wait_s <= 0)
		return 0;
	change.until = now + (wait_s < WAIT_MAX_S ? wait_s : WAIT_MAX_S);
	return change_history(state_dir, issuer, &change, err);
}

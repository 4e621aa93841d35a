/* cmd_watch.c - watch: looks at the heartbeat and at what is served, tells what is wrong
 * by the configured channels, and remembers in <state_dir>/watcher what it has told. Runs
 * beside the daemon, from a timer: it must work when the daemon does not, so it takes
 * none of its locks and reads none of its files but the heartbeat. Where it cannot
 * remember (a full disk) it tells all the same: twice is better than not at all. */
#include "daemon/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "daemon/alerts.h"
#include "daemon/system.h"
#include "daemon/watcher_config.h"
#include "daemon/watcher_look.h"

#define LOOKS 3 /* something that is seen once may be a restart under way */
#define PAUSE_MS 2000

/* ---- looking ------------------------------------------------------------- */

static bool about_endpoints(const struct watcher_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		if (findings->items[i].target)
			return true;
	return false;
}

/* Gives both; the look is what the findings stand on. `refused`: complaints about the
 * file. */
static void look(const struct config *config, const struct strlist *refused,
		 struct watcher_look *ret, struct watcher_findings *findings)
{
	for (int i = 1;; i++) {
		watcher_look(config, ret);
		ret->facts.refused = refused->n ? refused->items[0] : NULL;
		watcher_decide(&ret->facts, clock_wall(), findings);
		if (i == LOOKS || !about_endpoints(findings))
			return;
		watcher_findings_clear(findings);
		watcher_look_release(ret);
		(void)clock_sleep_ms(PAUSE_MS, NULL);
	}
}

/* ---- telling ------------------------------------------------------------- */

struct teller {
	const struct config *config;
	struct alerts *alerts;
	const struct watcher_findings *findings;
	int64_t now;
	size_t undelivered;
	bool by_file; /* and not by the copy of an earlier one */
	bool forgets; /* what is told cannot be remembered, or not all of it */
};

static void complain(const char *what, const struct err *err)
{
	fprintf(stderr, "certrenewd: %s: %s\n", what, err->text);
}

/* What the disk does not take is told from memory. */
static void take(struct teller *teller, const struct event *event)
{
	struct err err;

	if (!alerts_take(teller->alerts, teller->config, event, NULL, &err))
		return;
	complain("keep an alert", &err);
	teller->forgets = true;
}

static void tell_finding(struct teller *teller, const struct finding_of_watch *found)
{
	const struct event event = {
		.kind = found->kind,
		.severity = found->severity,
		.certificate = found->certificate,
		.target = found->target,
		.what = found->what,
		.todo = found->todo,
		.attempts_left = -1,
		.at = teller->now,
	};

	take(teller, &event);
}

/* Nothing is told where nothing was wrong. */
static void tell_well(struct teller *teller, const char *certificate, const char *target)
{
	struct event event = {
		.kind = EVENT_RECOVERED,
		.severity = event_severity(EVENT_RECOVERED),
		.certificate = certificate,
		.target = target,
		.what = certificate ? "what is served is well again, seen by `certrenewd "
				      "watch`"
				    : "the daemon is well again, seen by `certrenewd "
				      "watch`",
		.attempts_left = -1,
		.at = teller->now,
	};

	if (!watcher_found(teller->findings, certificate, target))
		take(teller, &event);
}

static void tell_all(struct teller *teller)
{
	const struct config *config = teller->config;

	for (size_t i = 0; i < teller->findings->n; i++)
		tell_finding(teller, &teller->findings->items[i]);
	tell_well(teller, NULL, NULL);
	for (size_t i = 0; i < config->n_certificates; i++) {
		const struct certificate_config *one = &config->certificates[i];

		for (size_t k = 0; k < one->n_targets; k++)
			tell_well(teller, one->name, one->targets[k].name);
		tell_well(teller, one->name, NULL);
	}
}

static void on_failure(void *ctx, const char *sentence)
{
	struct teller *teller = ctx;

	teller->undelivered++;
	fprintf(stderr, "certrenewd: %s\n", sentence);
}

/* Our own folder and lock, so that two of us tell nothing twice. A disk that takes no
 * lock may still show what was told before. -1: another one is at it. */
static int lock_memory(const char *folder, struct teller *teller,
		       struct file_lock **ret_lock, struct err *err)
{
	char *lock = path_join(folder, "lock");
	int rc = file_lock_take(lock, ret_lock, err);

	free(lock);
	if (!rc || err->kind == ERR_TRANSIENT)
		return rc;
	complain("watch", err);
	teller->forgets = true;
	return 0;
}

/* What was told before, as far as it can be read. */
static int open_memory(const char *folder, struct teller *teller,
		       struct file_lock **ret_lock, struct err *err)
{
	memset(err, 0, sizeof(*err));
	if (teller->forgets) {
		teller->alerts = alerts_in_memory();
		return 0;
	}
	if (!dir_make(folder, FILE_SECRET, err) && !system_check_state_dir(folder, err)) {
		if (lock_memory(folder, teller, ret_lock, err))
			return -1;
		memset(err, 0, sizeof(*err));
		if (!alerts_open(folder, &teller->alerts, err)) {
			if (err->kind != ERR_NONE)
				complain("watch", err);
			return 0;
		}
	}
	complain("watch", err);
	teller->forgets = true;
	teller->alerts = alerts_in_memory();
	return 0;
}

static int conclude(const struct teller *teller, struct err *err)
{
	if (teller->undelivered)
		return err_set(err, ERR_TRANSIENT,
			       "%zu alert%s not delivered: %s by the next watch",
			       teller->undelivered,
			       teller->undelivered == 1 ? " was" : "s were",
			       teller->forgets ? "not kept, and looked for "
						 "again"
					       : "kept, and tried again");
	if (teller->forgets)
		return err_set(err, ERR_IO,
			       "nothing can be remembered in '%s/watcher': what was told "
			       "now may be told again by the next watch",
			       teller->config->state_dir);
	return 0;
}

/* For the day when the file is refused. */
static void keep_config(struct teller *teller)
{
	struct err err;

	if (!teller->by_file || teller->forgets ||
	    !watcher_config_keep(teller->config, &err))
		return;
	complain("keep a copy of the configuration", &err);
	teller->forgets = true;
}

static int tell(struct teller *teller, struct err *err)
{
	char *folder = path_join(teller->config->state_dir, "watcher");
	struct file_lock *lock = NULL;
	int rc = open_memory(folder, teller, &lock, err);

	if (!rc) {
		tell_all(teller);
		(void)alerts_deliver(teller->alerts, teller->config, NULL, NULL,
				     on_failure, teller);
		keep_config(teller);
		rc = conclude(teller, err);
	}
	alerts_close(teller->alerts);
	file_lock_release(lock);
	free(folder);
	return rc;
}

/* ---- showing ------------------------------------------------------------- */

static void print_text(const struct watcher_look *look,
		       const struct watcher_findings *findings)
{
	char at[CLOCK_TEXT_MAX];

	for (size_t i = 0; i < findings->n; i++) {
		const struct finding_of_watch *one = &findings->items[i];

		printf("%s: %s%s%s%s%s; to do: %s\n", severity_name(one->severity),
		       one->certificate ? one->certificate : "", one->target ? ": " : "",
		       one->target ? one->target : "", one->certificate ? ": " : "",
		       one->what, one->todo);
	}
	if (findings->n)
		return;
	clock_format_people(look->beat.beat_at, at);
	printf("well: the daemon (process %lld) gave a sign of life at %s, %zu "
	       "endpoint%s serve%s what %s should\n",
	       (long long)look->beat.pid, at, look->facts.n_endpoints,
	       look->facts.n_endpoints == 1 ? "" : "s",
	       look->facts.n_endpoints == 1 ? "s" : "",
	       look->facts.n_endpoints == 1 ? "it" : "they");
}

static void print_json(const struct watcher_look *look,
		       const struct watcher_findings *findings)
{
	cJSON *object = cJSON_CreateObject(), *list;
	char at[CLOCK_TEXT_MAX];

	clock_format_rfc3339(look->beat.beat_at, at);
	json_set_bool(object, "well", findings->n == 0);
	json_set_string(object, "beat_at", look->facts.beat ? at : NULL);
	json_set_int(object, "endpoints", (int64_t)look->facts.n_endpoints);
	list = cJSON_AddArrayToObject(object, "findings");
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding_of_watch *one = &findings->items[i];
		cJSON *item = cJSON_CreateObject();

		json_set_string(item, "event", event_name(one->kind));
		json_set_string(item, "severity", severity_name(one->severity));
		json_set_string(item, "certificate", one->certificate);
		json_set_string(item, "target", one->target);
		json_set_string(item, "what", one->what);
		json_set_string(item, "todo", one->todo);
		cJSON_AddItemToArray(list, item);
	}
	command_print_json(object);
}

/* Looks, shows and tells; `forgets`: without what was told before. */
static enum exit_code watch(const struct options *options, const struct config *config,
			    const struct strlist *refused, bool forgets)
{
	struct watcher_findings findings = { 0 };
	enum exit_code code = EXIT_CODE_DONE;
	struct teller teller = { .config = config,
				 .findings = &findings,
				 .by_file = !refused->n,
				 .forgets = forgets };
	struct watcher_look seen;
	struct err err;

	look(config, refused, &seen, &findings);
	if (options->json)
		print_json(&seen, &findings);
	else
		print_text(&seen, &findings);
	if (findings.n)
		code = EXIT_CODE_FAILED;
	teller.now = clock_wall();
	if (!options->dry_run && tell(&teller, &err))
		code = command_fail(&err);
	watcher_findings_clear(&findings);
	watcher_look_release(&seen);
	return refused->n ? EXIT_CODE_USAGE : code;
}

enum exit_code command_watch(const struct options *options)
{
	const struct config *config = NULL;
	struct strlist refused = { 0 };
	enum exit_code code;
	bool forgets = false;
	struct err err;
	int rc = watcher_config_load(options->config, &config, &refused, &err);

	for (size_t i = 0; i < refused.n; i++)
		fprintf(stderr, "%s\n", refused.items[i]);
	if (!rc) {
		forgets = system_become_owner_of(config->state_dir, &err) != 0;
		rc = forgets && err.kind == ERR_DENIED;
	}
	if (rc) {
		code = command_fail(&err);
	} else {
		if (forgets) /* nobody knows whose memory it is: it is left alone */
			complain("watch", &err);
		code = watch(options, config, &refused, forgets);
	}
	strlist_clear(&refused);
	config_free(config);
	return code;
}

/* inspect.c - looks at what we left behind: files every hour and when somebody was seen
 * changing them, endpoints every six (as configured, spread by the certificate's name).
 * What to think of it is drift.h; what is put back, heal.c puts back. */
#include "daemon/inspection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/kept_key.h"
#include "daemon/revoked.h"
#include "daemon/schedule.h"
#include "daemon/served.h"
#include "hooks/fallback.h"
#include "hooks/mode.h"
#include "hooks/settings.h"
#include "hooks/store.h"

#define BEING_REPLACED_MS 5000 /* who deletes a file may be about to write it */
#define AS_IT_SHOULD_BE "files, store and endpoints are as they should be"

static const struct target *target_of(const struct pass *pass,
				      const struct inspection *seen)
{
	return &pass->certificate->targets[seen->i];
}

/* ---- tls.json ------------------------------------------------------------ */

static bool is_thumbprint(const char *text)
{
	return strlen(text) == CERT_SHA1_HEX - 1 &&
	       strspn(text, "0123456789abcdefABCDEF") == CERT_SHA1_HEX - 1;
}

/* Could the application serve it? A store that knows nothing says nothing against it. */
static bool can_be_served(const struct pass *pass, const struct inspection *seen)
{
	const struct store *store = &target_of(pass, seen)->store;
	char sha1[CERT_SHA1_HEX];
	struct cert *cert = NULL;
	struct err err;
	bool valid;

	if (!is_thumbprint(seen->view.tls_json_sha1))
		return false;
	for (size_t i = 0; i < sizeof(sha1); i++) {
		char c = seen->view.tls_json_sha1[i];

		sha1[i] = c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c;
	}
	if (revoked_has(pass->job.revoked, sha1))
		return false;
	if (!store_keeps_versions(store))
		return true;
	if (store_find(store, sha1, &cert, &err))
		return err.kind != ERR_NOT_FOUND;
	valid = !cert_has_expired(cert, pass->now) && !store_signs(store, sha1, &err);
	cert_free(cert);
	return valid;
}

static enum drift_file judge_file(const struct pass *pass, struct inspection *seen)
{
	const struct target_view *view = &seen->view;
	const char *ours = cert_sha1(pass->current.cert), *before;
	char hash[CERT_SHA256_HEX];
	struct err err;

	if (!view->has_tls_json)
		return DRIFT_FILE_NONE;
	if (!view->tls_json_present)
		return DRIFT_FILE_REMOVED;
	if (!view->tls_json_sha1[0] && view->files_problem[0])
		return DRIFT_FILE_UNREADABLE;
	if (!view->tls_enabled)
		return DRIFT_FILE_OFF;
	if (str_equal_nocase(view->tls_json_sha1, ours))
		return DRIFT_FILE_RIGHT;
	if (healing_hash(target_of(pass, seen)->tls_json, hash, &err))
		return DRIFT_FILE_UNREADABLE;
	before = healing_wrote(&seen->healing, hash, ours);
	if (before) {
		str_copy(seen->before, sizeof(seen->before), before);
		return DRIFT_FILE_BEFORE;
	}
	return can_be_served(pass, seen) ? DRIFT_FILE_CHOSEN : DRIFT_FILE_INVALID;
}

/* ---- store, settings, endpoints ------------------------------------------ */

static enum drift_store judge_store(const struct pass *pass, struct inspection *seen)
{
	const char *ours = cert_sha1(pass->current.cert);

	switch (observe_store(target_of(pass, seen), &pass->material, &seen->store_why)) {
	case STORE_LOOK_NONE:
	case STORE_LOOK_RIGHT:
		break;
	case STORE_LOOK_LOST:
	case STORE_LOOK_DAMAGED:
	case STORE_LOOK_ACCESS:
		return DRIFT_STORE_LOST;
	case STORE_LOOK_OTHER:
		return healing_is_before(&seen->healing, seen->store_why.text, ours)
			       ? DRIFT_STORE_BEFORE
			       : DRIFT_STORE_OTHER;
	case STORE_LOOK_UNKNOWN:
		return DRIFT_STORE_UNKNOWN;
	}
	return DRIFT_STORE_RIGHT;
}

/* Settings beside tls.json that somebody put back, with a certificate of before. */
static enum drift_settings judge_settings(const struct pass *pass,
					  struct inspection *seen)
{
	const struct target *target = target_of(pass, seen);
	const char *old = pass->state.targets[seen->i].old_sha1;
	const char *ours = cert_sha1(pass->current.cert);
	struct err ignored;

	for (size_t i = 0; target->settings && i < seen->healing.n_written; i++) {
		const char *sha1 = seen->healing.written[i].sha1;

		if (str_equal_nocase(sha1, ours) ||
		    (i && str_equal(sha1, seen->healing.written[i - 1].sha1)))
			continue;
		(void)settings_find(target, sha1, &seen->settings, &ignored);
		if (seen->settings.n && !seen->before[0])
			str_copy(seen->before, sizeof(seen->before), sha1);
	}
	if (seen->settings.n)
		return DRIFT_SETTINGS_BEFORE;
	if (!target->settings || !old[0] || str_equal_nocase(old, ours))
		return DRIFT_SETTINGS_RIGHT;
	(void)settings_find(target, old, &seen->settings, &ignored);
	if (!seen->settings.n)
		return DRIFT_SETTINGS_RIGHT;
	str_copy(seen->before, sizeof(seen->before), old);
	return DRIFT_SETTINGS_OTHER;
}

static enum drift_served judge_one(const struct pass *pass, const struct inspection *seen,
				   const struct probe_result *probe)
{
	const struct cert *ours = pass->current.cert;

	if (probe->kind != PROBE_TLS)
		return DRIFT_SERVED_NOTHING;
	if (str_equal(probe->sha256, cert_sha256(ours)))
		return DRIFT_SERVED_RIGHT;
	return healing_is_before(&seen->healing, probe->sha1, cert_sha1(ours))
		       ? DRIFT_SERVED_BEFORE
		       : DRIFT_SERVED_OTHER;
}

/* The worst of them, and where: what a restart of ours can end comes first. */
static enum drift_served judge_served(const struct pass *pass,
				      const struct inspection *seen, size_t *ret_at)
{
	static const int rank[] = {
		[DRIFT_SERVED_UNKNOWN] = 0, [DRIFT_SERVED_RIGHT] = 1,
		[DRIFT_SERVED_NOTHING] = 2, [DRIFT_SERVED_OTHER] = 3,
		[DRIFT_SERVED_BEFORE] = 4,
	};
	enum drift_served worst = DRIFT_SERVED_UNKNOWN;

	*ret_at = 0;
	for (size_t i = 0; seen->view.endpoints && i < seen->view.n_endpoints; i++) {
		enum drift_served one = judge_one(pass, seen, &seen->view.endpoints[i]);

		if (rank[one] <= rank[worst])
			continue;
		worst = one;
		*ret_at = i;
	}
	return worst;
}

/* ---- words --------------------------------------------------------------- */

static char *words_of_file(const struct inspection *seen)
{
	const char *sha1 = seen->view.tls_json_sha1;

	switch (seen->facts.file) {
	case DRIFT_FILE_REMOVED:
		return str_dup("tls.json was removed");
	case DRIFT_FILE_OFF:
		return str_dup("tls.json says that TLS is off");
	case DRIFT_FILE_CHOSEN:
		return str_printf("tls.json names another certificate: %s", sha1);
	case DRIFT_FILE_INVALID:
		return sha1[0] ? str_printf("tls.json names a certificate that cannot be "
					    "served (not in the store, expired or "
					    "revoked): %s",
					    sha1)
			       : str_dup("tls.json names no certificate");
	case DRIFT_FILE_BEFORE:
		return str_printf("tls.json is again as it was for an earlier "
				  "certificate, %s",
				  seen->before);
	default:
		return str_printf("tls.json cannot be read: %s",
				  seen->view.files_problem);
	}
}

static char *words_of_store(const struct inspection *seen)
{
	const char *why = seen->store_why.text;

	switch (seen->facts.store) {
	case DRIFT_STORE_BEFORE:
		return str_printf("the store names an earlier certificate: %s", why);
	case DRIFT_STORE_OTHER:
		return str_printf("the store names another certificate: %s", why);
	case DRIFT_STORE_LOST:
		return str_printf("the store lost what it had: %s", why);
	default:
		return str_printf("the store cannot be looked at: %s", why);
	}
}

static char *words_of_served(const struct pass *pass, const struct inspection *seen)
{
	const struct probe_result *probe;
	size_t at;

	(void)judge_served(pass, seen, &at);
	probe = &seen->view.endpoints[at];
	return str_printf("%s %s %s", target_of(pass, seen)->verify[at].connect,
			  seen->facts.served == DRIFT_SERVED_BEFORE
				  ? "serves an earlier certificate:"
			  : probe->kind == PROBE_TLS     ? "serves another certificate:"
			  : probe->kind == PROBE_NOTHING ? "does not answer:"
							 : "does not speak TLS:",
			  probe->kind == PROBE_TLS ? probe->sha1 : probe->detail);
}

char *inspection_words(const struct pass *pass, const struct inspection *seen)
{
	switch (seen->verdict.place) {
	case DRIFT_IN_FILE:
		return words_of_file(seen);
	case DRIFT_IN_STORE:
		return words_of_store(seen);
	case DRIFT_IN_SETTINGS:
		return str_printf("'%s' names the certificate of before, %s",
				  seen->settings.items[0], seen->before);
	case DRIFT_IN_SERVED:
		break;
	}
	return words_of_served(pass, seen);
}

/* ---- one target ---------------------------------------------------------- */

/* Which chain is really served; told when it is another than the preferred one that we
 * brought in, and when that has changed since the last look. */
static void note_chain(struct pass *pass, const struct inspection *looked)
{
	const struct target_view *view = &looked->view;
	const struct served_facts facts = { .target = target_of(pass, looked),
					    .view = view,
					    .stored = pass->current.cert,
					    .wanted = pass->certificate->chain };
	struct err err;
	cJSON *seen = served_read(pass->folder, &err);

	if (err.kind == ERR_CONFIG)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err.text, NULL);
	if (!served_update(seen, &facts))
		goto out;
	for (size_t k = 0; k < view->n_endpoints; k++) {
		char *what = served_complaint(&facts, k);

		if (what)
			pass_tell(pass, EVENT_CA_CHANGED, facts.target->name, what,
				  "the application or the system builds a chain of its "
				  "own: look at the intermediates that it has in its "
				  "stores; clients get what is served");
		free(what);
	}
	if (served_write(pass->folder, seen, &err))
		pass_note(pass, "inspect", "%s", err.text);
out:
	cJSON_Delete(seen);
}

static bool anything_on_disk(const struct drift_facts *facts)
{
	return facts->file > DRIFT_FILE_RIGHT || facts->store > DRIFT_STORE_RIGHT ||
	       facts->settings != DRIFT_SETTINGS_RIGHT;
}

static void look_at_endpoints_of(struct pass *pass, struct inspection *seen)
{
	const struct target *target = target_of(pass, seen);
	int64_t until = 0;
	size_t at;

	observe_endpoints(target, pass->in->cancel, &seen->view);
	note_chain(pass, seen);
	pass_saw_endpoints(pass, seen->i, &seen->view);
	seen->facts.served = judge_served(pass, seen, &at);
	if (seen->facts.served == DRIFT_SERVED_BEFORE && !seen->before[0])
		str_copy(seen->before, sizeof(seen->before),
			 seen->view.endpoints[at].sha1);
	for (size_t i = 0; i < seen->view.n_endpoints; i++) {
		const struct probe_result *probe = &seen->view.endpoints[i];

		if (probe->kind == PROBE_TLS && (!until || probe->not_after < until))
			until = probe->not_after;
	}
	seen->facts.window_at = pass_restart_at(pass, seen->i, until);
}

/* Remembers tls.json as ours, should a death have come between writing and noting it. */
static void catch_up(struct pass *pass, struct inspection *seen)
{
	const char *ours = cert_sha1(pass->current.cert);

	for (size_t i = 0; i < seen->healing.n_written; i++)
		if (str_equal(seen->healing.written[i].sha1, ours))
			return;
	pass_note_written(pass, seen->i);
}

/* Looks; `endpoints`: there too, and not only where the files call for it. Fills the
 * rest of `seen`, whose i is set. */
static void look(struct pass *pass, struct inspection *seen, bool endpoints)
{
	const struct target *target = target_of(pass, seen);
	struct err err;

	observe_files(target, &seen->view);
	if (pass->in->changed && seen->view.has_tls_json &&
	    !seen->view.tls_json_present) {
		clock_sleep_ms(BEING_REPLACED_MS, pass->in->cancel);
		target_view_clear(&seen->view);
		observe_files(target, &seen->view);
	}
	if (healing_read(pass->folder, target->name, &seen->healing, &err) ||
	    err.kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, target->name, err.text, NULL);
	seen->facts = (struct drift_facts){
		.mode = pass->state.targets[seen->i].mode,
		.file = judge_file(pass, seen),
		.store = judge_store(pass, seen),
		.stopped = seen->view.service == SERVICE_IS_STOPPED,
		.key_lost = kept_key_is_lost(pass->in->config, pass->certificate,
					     &pass->job, &pass->current),
		.restarted_at = seen->healing.restarted_at,
		.retry_at = seen->healing.retry_at,
	};
	seen->facts.settings = judge_settings(pass, seen);
	if (!seen->facts.stopped && (endpoints || anything_on_disk(&seen->facts)))
		look_at_endpoints_of(pass, seen);
	seen->verdict = drift_decide(&seen->facts, pass->now);
	if (seen->verdict.action == DRIFT_NONE)
		catch_up(pass, seen);
}

/* ---- the certificate ----------------------------------------------------- */

/* Troubles that no look at a target ends: its certificate has expired, its old one stays
 * because nobody confirms the clock. */
static bool trouble_stays(const struct pass *pass)
{
	struct clock_reading reading = clock_reading_now();
	char why[160];

	return cert_has_expired(pass->current.cert, pass->now) ||
	       !clock_trusted(&pass->trust, &reading, why);
}

/* Is it as we left it to judge? A fallback that was interrupted is not: a tls.json that
 * is missing then was moved away by us, and the ladder goes on with it. */
static bool is_to_be_judged(const struct pass *pass, size_t i)
{
	return pass->state.targets[i].mode == MODE_HTTPS &&
	       !fallback_unfinished(pass->folder, pass->certificate->targets[i].name);
}

static bool is_well(const struct inspection *seen)
{
	return seen->facts.mode == MODE_HTTPS && seen->verdict.action == DRIFT_NONE &&
	       seen->view.endpoints;
}

/* A window may be shorter than the time to the next look. */
static void wait_for_window(struct pass *pass, const struct inspection *seen)
{
	int64_t at = seen->verdict.at;

	if (seen->verdict.action == DRIFT_LATER && at == seen->facts.window_at &&
	    (!pass->job.heal_at || at < pass->job.heal_at))
		pass->job.heal_at = at;
}

/* Gives whether all of them are well. What an operator has taken over is not. */
static bool inspect_targets(struct pass *pass, bool endpoints)
{
	size_t n = pass->certificate->n_targets;
	struct inspection *list = mem_calloc(n + 1, sizeof(*list));
	bool all = true, stays = trouble_stays(pass);

	for (size_t i = 0; i < n; i++) {
		list[i].i = i;
		if (is_to_be_judged(pass, i))
			look(pass, &list[i], endpoints);
		else
			list[i].facts.mode = pass->state.targets[i].mode;
		wait_for_window(pass, &list[i]);
		all = all && is_well(&list[i]) && !stays;
		if (is_well(&list[i]) && !stays)
			pass_tell(pass, EVENT_RECOVERED,
				  pass->certificate->targets[i].name, AS_IT_SHOULD_BE,
				  NULL);
	}
	pass_heal(pass, list, n);
	for (size_t i = 0; i < n; i++) {
		strlist_clear(&list[i].settings);
		target_view_clear(&list[i].view);
	}
	free(list);
	return all;
}

void pass_inspect(struct pass *pass)
{
	const struct config *config = pass->in->config;
	struct job *job = &pass->job;
	bool endpoints, window = job->heal_at && job->heal_at <= pass->now;
	int64_t settle_at = schedule_settle(&job->deployment, job->inspected_files_at);

	if (!pass_deployed(pass) ||
	    (!pass->in->changed && !window && settle_at > pass->now &&
	     pass->now < schedule_inspection(pass->certificate->name,
					     job->inspected_files_at,
					     config->inspect_files_every_s)))
		return;
	endpoints = window || job->deployment.count ||
		    pass->now >= schedule_inspection(pass->certificate->name,
						     job->inspected_endpoints_at,
						     config->inspect_endpoints_every_s);
	job->heal_at = 0;
	pass->looks_well = inspect_targets(pass, endpoints);
	job->inspected_files_at = pass->now;
	if (endpoints)
		job->inspected_endpoints_at = pass->now;
}

void pass_tell_well(struct pass *pass)
{
	if (pass->looks_well && !pass->job.renewal.count && !pass->job.deployment.count)
		pass_tell(pass, EVENT_RECOVERED, NULL, AS_IT_SHOULD_BE, NULL);
}

/* report.c - gathers what is known of a certificate, as JSON and as an explanation. */
#include "daemon/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/breaker.h"
#include "daemon/facts.h"
#include "daemon/kept_key.h"
#include "daemon/job.h"
#include "daemon/pipeline.h"
#include "daemon/renewal.h"
#include "daemon/report_issue.h"
#include "daemon/report_known.h"
#include "daemon/report_ladder.h"
#include "daemon/report_rehearsal.h"
#include "daemon/report_views.h"
#include "daemon/report_watch.h"
#include "daemon/revoked.h"
#include "daemon/versions.h"
#include "daemon/window.h"
#include "hooks/deploy.h"

/* ---- status -------------------------------------------------------------- */

static cJSON *failures_json(const struct failures *failures)
{
	cJSON *json = cJSON_CreateObject();

	json_set_int(json, "failures", failures->count);
	if (failures->count) {
		report_set_instant(json, "last_at", failures->last_at);
		report_set_instant(json, "next_at", failures->next_at);
		json_set_string(json, "text", failures->text);
	}
	return json;
}

static cJSON *target_json(const struct target *target, const struct target_state *state,
			  int64_t now)
{
	cJSON *json = cJSON_CreateObject();

	json_set_string(json, "name", state->target);
	json_set_string(json, "end", deploy_end_name(state->end));
	json_set_string(json, "mode", target_mode_name(state->mode));
	json_set_string(json, "step", state->step);
	json_set_bool(json, "unfinished", state->unfinished);
	json_set_string(json, "old_sha1", state->old_sha1[0] ? state->old_sha1 : NULL);
	json_set_string(json, "why", state->why[0] ? state->why : NULL);
	if (state->watched_until)
		report_set_instant(json, "watched_until", state->watched_until);
	if (target->n_windows)
		report_set_instant(json, "window_at",
				   window_next(target->windows, target->n_windows, now,
					       window_local_zone));
	return json;
}

static void add_certificate_facts(const struct known *known, cJSON *json,
				  struct strlist *damaged)
{
	const struct cert *cert = known->version.cert;
	struct renewal_facts facts = facts_for_renewal(known->all, known->config,
						       known->version.cert, &known->job);
	struct renewal_verdict verdict = renewal_decide(&facts, &known->config->renew_at,
							known->now);

	json_set_bool(json, "present", known->present);
	report_set_instant(json, "due_at", verdict.due_at);
	json_set_string(json, "due_rule", renewal_reason_text(verdict.reason));
	report_rehearsal_json(known, verdict.due_at, json, damaged);
	if (!known->present)
		return;
	json_set_string(json, "sha1", cert_sha1(cert));
	json_set_string(json, "issuer", cert_issuer_text(cert));
	report_set_instant(json, "not_before", cert_not_before(cert));
	report_set_instant(json, "not_after", cert_not_after(cert));
	json_set_int(json, "remaining_s", cert_not_after(cert) - known->now);
	json_set_int(json, "version", known->version.n);
}

/* Made here, for test systems: whoever reads the status should know. */
static bool is_self_signed(const struct known *known)
{
	const struct issuer_config *last = known->job.last_issuer[0]
						   ? config_issuer(known->all,
								   known->job.last_issuer)
						   : NULL;

	return known->present && last && last->type == ISSUER_SELF_SIGNED;
}

static cJSON *begin_json(const struct certificate_config *certificate)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *hosts = cJSON_AddArrayToObject(json, "hosts");

	json_set_string(json, "name", certificate->name);
	for (size_t i = 0; certificate->hosts[i]; i++)
		cJSON_AddItemToArray(hosts, cJSON_CreateString(certificate->hosts[i]));
	return json;
}

static const struct target_record *row_of(const struct known *known, size_t i)
{
	return job_target_of(&known->job, known->config->targets[i].name);
}

/* Of its targets the one that failed most often: each has its own. */
static const struct failures *worst_fallback(const struct known *known)
{
	const struct failures *worst = &job_target_of(&known->job, "")->fallback;

	for (size_t i = 0; i < known->config->n_targets; i++)
		if (row_of(known, i)->fallback.count > worst->count)
			worst = &row_of(known, i)->fallback;
	return worst;
}

static const struct failures *worst_older(const struct known *known)
{
	const struct failures *worst = &job_target_of(&known->job, "")->older;

	for (size_t i = 0; i < known->config->n_targets; i++)
		if (row_of(known, i)->older.count > worst->count)
			worst = &row_of(known, i)->older;
	return worst;
}

/* The first one has no old one. */
static int64_t old_goes_at(const struct known *known)
{
	return known->state.replaces ? known->state.retire_at : CLOCK_NEVER;
}

static cJSON *certificate_json(const struct known *known, const struct clock_trust *trust,
			       struct strlist *damaged)
{
	cJSON *json = begin_json(known->config);
	cJSON *targets;

	add_certificate_facts(known, json, damaged);
	json_set_bool(json, "self_signed", is_self_signed(known));
	json_set_bool(json, "revoked",
		      known->present && revoked_has(known->job.revoked,
						    cert_sha1(known->version.cert)));
	cJSON_AddItemToObject(json, "renewal", failures_json(&known->job.renewal));
	cJSON_AddItemToObject(json, "deployment", failures_json(&known->job.deployment));
	cJSON_AddItemToObject(json, "fallback", failures_json(worst_fallback(known)));
	cJSON_AddItemToObject(json, "older", failures_json(worst_older(known)));
	json_set_bool(json, "retired", known->state.retired);
	report_set_instant(json, "retire_at", old_goes_at(known));
	report_set_instant(json, "last_renewed_at", known->job.last_renewed_at);
	report_set_instant(json, "inspected_files_at", known->job.inspected_files_at);
	report_set_instant(json, "inspected_endpoints_at",
			   known->job.inspected_endpoints_at);
	json_set_string(json, "last_issuer",
			known->job.last_issuer[0] ? known->job.last_issuer : NULL);
	report_issue_json(known, json, damaged);
	targets = cJSON_AddArrayToObject(json, "targets");
	for (size_t i = 0; i < known->state.n_targets; i++) {
		cJSON *target = target_json(&known->config->targets[i],
					    &known->state.targets[i], known->now);

		cJSON_AddItemToObject(target, "fallback",
				      failures_json(&row_of(known, i)->fallback));
		cJSON_AddItemToObject(target, "older",
				      failures_json(&row_of(known, i)->older));
		report_ladder_json(known, trust, i, target);
		cJSON_AddItemToArray(targets, target);
	}
	return json;
}

static void add_clock(const struct clock_trust *trust, cJSON *json)
{
	struct clock_reading now = clock_reading_now();
	cJSON *clock = cJSON_AddObjectToObject(json, "clock");
	char why[160];

	json_set_bool(clock, "confirmed", clock_trusted(trust, &now, why));
	json_set_string(clock, "why", why);
}

static int unknown_name(const struct config *config, const char *name, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "there is no certificate '%s' in '%s'", name,
		       config->path);
}

int report_status(const struct config *config, const struct clock_trust *trust,
		  const char *name, cJSON **ret_json, struct strlist *damaged,
		  struct err *err)
{
	cJSON *json, *list;

	if (name && !config_certificate(config, name))
		return unknown_name(config, name, err);
	json = cJSON_CreateObject();
	add_clock(trust, json);
	list = cJSON_AddArrayToObject(json, "certificates");
	for (size_t i = 0; i < config->n_certificates; i++) {
		struct known known;
		struct err unreadable = { 0 };
		cJSON *certificate;

		if (name && strcmp(config->certificates[i].name, name) != 0)
			continue;
		(void)known_read(config, &config->certificates[i], &known, damaged,
				 &unreadable);
		if (facts_only_watched(config, known.config)) {
			certificate = begin_json(known.config);
			report_watch_json(known.config, known.folder, known.now,
					  certificate, damaged);
		} else {
			certificate = certificate_json(&known, trust, damaged);
			if (name)
				report_views_json(&known, certificate, damaged);
		}
		cJSON_AddItemToArray(list, certificate);
		known_release(&known);
	}
	*ret_json = json;
	return 0;
}

/* ---- explain ------------------------------------------------------------- */

static void explain_failures(const char *what, const struct failures *failures,
			     struct buf *out)
{
	char next[CLOCK_TEXT_MAX];

	if (!failures->count)
		return;
	clock_format_people_local(failures->next_at, next);
	buf_printf(out, "%-17s failed %u time%s, next try %s\n%-17s %s\n", what,
		   failures->count, failures->count == 1 ? "" : "s", next, "",
		   failures->text);
}

static void explain_breaker(const struct config *config, const struct known *known,
			    struct strlist *damaged, struct buf *out)
{
	int64_t interval = facts_renewal_interval(known->config, known->version.cert);

	for (size_t i = 0; known->config->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			config, known->config->issuers[i]);
		int64_t *issued = NULL;
		size_t n = 0;
		struct err err;
		struct breaker_verdict verdict;

		if (issuer && issuer->type != ISSUER_ACME &&
		    issuer->type != ISSUER_COMMAND)
			continue; /* nothing is used up */
		if (breaker_read(config->state_dir, known->config->hosts,
				 known->config->issuers[i], &issued, &n, &err)) {
			buf_printf(out, "%-17s %s: %s\n", "circuit breaker",
				   known->config->issuers[i], err.text);
			continue;
		}
		report_damage(damaged, &err);
		verdict = breaker_decide(issued, n, interval, known->now);
		buf_printf(out, "%-17s %s: %s (%s)\n", "circuit breaker",
			   known->config->issuers[i],
			   verdict.allowed ? "closed, orders are allowed" : "open",
			   verdict.text);
		free(issued);
	}
}

/* Of a target that has maintenance windows: whether one is open, or when one begins. */
static void explain_window(const struct known *known, const struct target *target,
			   struct buf *out)
{
	int64_t next = window_next(target->windows, target->n_windows, known->now,
				   window_local_zone);
	char when[CLOCK_TEXT_MAX];

	if (!target->n_windows)
		return;
	clock_format_people_local(next, when);
	buf_printf(out, "%-17s %s: %s%s\n", "window", target->name,
		   next <= known->now ? "open: a restart may happen now"
				      : "restarts wait until ",
		   next <= known->now ? "" : when);
}

static void explain_targets(const struct known *known, struct buf *out)
{
	char when[CLOCK_TEXT_MAX];

	for (size_t i = 0; i < known->state.n_targets; i++) {
		const struct target_state *target = &known->state.targets[i];

		buf_printf(out, "target %-10s %s, mode %s%s%s\n", target->target,
			   deploy_end_name(target->end), target_mode_name(target->mode),
			   target->why[0] ? ": " : "", target->why);
		explain_window(known, &known->config->targets[i], out);
	}
	if (known->state.exists && !known->state.retired &&
	    old_goes_at(known) != CLOCK_NEVER) {
		clock_format_people_local(old_goes_at(known), when);
		buf_printf(out, "%-17s not before %s\n", "retirement", when);
	}
}

int report_explain(const struct config *config, const struct clock_trust *trust,
		   const char *name, struct buf *out, struct strlist *damaged,
		   struct err *err)
{
	const struct certificate_config *certificate = config_certificate(config, name);
	struct clock_reading reading = clock_reading_now();
	struct renewal_facts facts;
	struct known known;
	char why[160];
	bool trusted;

	if (!certificate)
		return unknown_name(config, name, err);
	if (known_read(config, certificate, &known, damaged, err)) {
		known_release(&known);
		return -1;
	}
	if (facts_only_watched(config, certificate)) {
		report_watch_explain(certificate, known.folder, known.now, out, damaged);
		known_release(&known);
		return 0;
	}
	if (known.present)
		buf_printf(out, "%-17s %s from %s\n", "thumbprint",
			   cert_sha1(known.version.cert),
			   cert_issuer_text(known.version.cert));
	facts = facts_for_renewal(config, known.config, known.version.cert, &known.job);
	facts.key_lost = known.present && kept_key_is_lost(config, known.config,
							   &known.job, &known.version);
	renewal_explain(&facts, &certificate->renew_at, known.now, out);
	report_rehearsal_explain(
		&known, renewal_decide(&facts, &certificate->renew_at, known.now).due_at,
		out, damaged);
	report_issue_explain(&known, out, damaged);
	explain_failures("renewal", &known.job.renewal, out);
	explain_failures("deployment", &known.job.deployment, out);
	for (size_t i = 0; i < certificate->n_targets; i++) {
		explain_failures("fallback to HTTP", &row_of(&known, i)->fallback, out);
		explain_failures("older certificate", &row_of(&known, i)->older, out);
	}
	explain_breaker(config, &known, damaged, out);
	explain_targets(&known, out);
	report_ladder_explain(&known, trust, out);
	trusted = clock_trusted(trust, &reading, why);
	buf_printf(out, "%-17s %s%s\n", "clock", trusted ? "" : "not confirmed: ", why);
	known_release(&known);
	return 0;
}

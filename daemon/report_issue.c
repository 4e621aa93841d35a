#include "daemon/report_issue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "acme/chains.h"
#include "base/clock.h"
#include "base/json.h"
#include "daemon/rehearsal.h"
#include "daemon/report_foresight.h"
#include "daemon/report_limits.h"
#include "daemon/served.h"

static const char *const challenge_names[] = {
	[HTTP_01] = "http-01",
	[DNS_01] = "dns-01",
	[TLS_ALPN_01] = "tls-alpn-01",
	[DNS_PERSIST_01] = "dns-persist-01",
};
static_assert(sizeof(challenge_names) / sizeof(*challenge_names) == DNS_PERSIST_01 + 1,
	      "a name per challenge");

/* ---- status -------------------------------------------------------------- */

static const struct issuer_record *record_of(const struct job *job, const char *name)
{
	for (size_t i = 0; i < JOB_ISSUERS; i++) {
		if (job->issuers[i].name[0] && !strcmp(job->issuers[i].name, name))
			return &job->issuers[i];
	}
	return NULL;
}

/* How it went with it last. */
static void add_record(const struct job *job, const char *name, cJSON *json)
{
	const struct issuer_record *record = record_of(job, name);

	json_set_int(json, "refusals", record ? record->refusals : 0);
	report_set_instant(json, "failed_at", record ? record->failed_at : 0);
	json_set_string(json, "text", record && record->failed_at ? record->text : NULL);
}

/* The trial that proved, or did not prove, an issuer that is only a spare. */
static void add_rehearsal(const struct rehearsal *rehearsal, cJSON *json)
{
	cJSON *object;

	if (!rehearsal || !rehearsal->at) {
		cJSON_AddNullToObject(json, "rehearsal");
		return;
	}
	object = cJSON_AddObjectToObject(json, "rehearsal");
	report_set_instant(object, "at", rehearsal->at);
	report_set_instant(object, "next_at", rehearsal->next_at);
	json_set_bool(object, "well", rehearsal->well);
	json_set_bool(object, "ordered", rehearsal->ordered);
	json_set_string(object, "text", rehearsal->text);
}

static struct rehearsals read_rehearsals(const struct known *known,
					 struct strlist *damaged)
{
	struct rehearsals rehearsals = { 0 };
	struct err err = { 0 };

	(void)rehearsal_read(known->folder, &rehearsals, &err);
	report_damage(damaged, &err);
	return rehearsals;
}

static void add_issuers(const struct known *known, cJSON *json, struct strlist *damaged)
{
	cJSON *list = cJSON_AddArrayToObject(json, "issuers"), *item;
	struct rehearsals rehearsals = read_rehearsals(known, damaged);

	for (size_t i = 0; known->config->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			known->all, known->config->issuers[i]);

		if (!issuer)
			continue;
		item = cJSON_CreateObject();
		json_set_string(item, "name", issuer->name);
		json_set_bool(item, "issued", known_is_from(known, issuer));
		json_set_string(item, "directory", issuer->directory);
		add_record(&known->job, issuer->name, item);
		add_rehearsal(rehearsal_of(&rehearsals, issuer->name), item);
		if (issuer->type == ISSUER_ACME) {
			cJSON_AddItemToObject(item, "limits",
					      report_limits_json(known, issuer, damaged));
			cJSON_AddItemToObject(item, "ca",
					      report_ca_json(known, issuer, damaged));
		}
		cJSON_AddItemToArray(list, item);
	}
	rehearsals_clear(&rehearsals);
}

static void add_advice(const struct job *job, cJSON *json)
{
	cJSON *advice;

	if (!job->ari_start) {
		cJSON_AddNullToObject(json, "advice");
		return;
	}
	advice = cJSON_AddObjectToObject(json, "advice");
	report_set_instant(advice, "start", job->ari_start);
	report_set_instant(advice, "end", job->ari_end);
	report_set_instant(advice, "at", job->ari_at);
	report_set_instant(advice, "ask_again_at", job->ari_ask_again_at);
	json_set_string(advice, "explanation_url",
			job->ari_explanation[0] ? job->ari_explanation : NULL);
}

static void add_chain(const struct known *known, cJSON *json, struct strlist *damaged)
{
	cJSON *chain = cJSON_AddObjectToObject(json, "chain");
	char *top = known->present ? chain_top(known->version.cert) : NULL;
	struct err err;

	json_set_string(chain, "wanted", known->config->chain);
	json_set_string(chain, "stored", top);
	cJSON_AddItemToObject(chain, "served", served_read(known->folder, &err));
	report_damage(damaged, &err);
	free(top);
}

static bool uses_persist(const struct certificate_config *config)
{
	for (size_t i = 0; i < config->n_challenges; i++) {
		if (config->challenges[i].type == DNS_PERSIST_01)
			return true;
	}
	return false;
}

void report_issue_json(const struct known *known, cJSON *json, struct strlist *damaged)
{
	const struct certificate_config *config = known->config;
	cJSON *list;

	add_issuers(known, json, damaged);
	list = cJSON_AddArrayToObject(json, "challenges");
	for (size_t i = 0; i < config->n_challenges; i++)
		cJSON_AddItemToArray(
			list,
			cJSON_CreateString(challenge_names[config->challenges[i].type]));
	json_set_string(json, "profile", config->profile);
	if (uses_persist(config))
		report_set_instant(json, "persist_until", known->job.persist_until);
	add_advice(&known->job, json);
	add_chain(known, json, damaged);
	cJSON_AddItemToObject(json, "dates", report_dates_json(known));
}

/* ---- explain ------------------------------------------------------------- */

static void explain_issuers(const struct known *known, struct buf *out)
{
	const char *const *names = known->config->issuers;

	buf_printf(out, "%-17s ", "issuers");
	for (size_t i = 0; names[i]; i++) {
		const struct issuer_config *issuer = config_issuer(known->all, names[i]);

		buf_printf(out, "%s%s%s", i ? ", then " : "", names[i],
			   issuer && known_is_from(known, issuer) ? " (issued it)" : "");
	}
	buf_puts(out, "\n");
}

static void explain_failed(const struct known *known, struct buf *out)
{
	for (size_t i = 0; i < JOB_ISSUERS; i++) {
		const struct issuer_record *record = &known->job.issuers[i];
		char when[CLOCK_TEXT_MAX];

		/* That another stepped in is no reason to be silent about it. */
		if (!record->name[0] || !record->failed_at ||
		    (record->failed_at <= known->job.last_renewed_at &&
		     str_equal(record->name, known->job.last_issuer)))
			continue;
		clock_format_people(record->failed_at, when);
		if (record->refusals)
			buf_printf(out, "%-17s %s, %u time%s in a row, last %s: %s\n",
				   "refused by", record->name, record->refusals,
				   record->refusals > 1 ? "s" : "", when, record->text);
		else
			buf_printf(out, "%-17s %s, last %s: %s\n", "failed at",
				   record->name, when, record->text);
	}
}

static void explain_rehearsals(const struct known *known, struct buf *out,
			       struct strlist *damaged)
{
	struct rehearsals rehearsals = read_rehearsals(known, damaged);
	char at[CLOCK_TEXT_MAX], next[CLOCK_TEXT_MAX];
	bool own_turn;

	for (size_t i = 0; known->config->issuers[i]; i++) {
		const struct rehearsal *each = rehearsal_of(&rehearsals,
							    known->config->issuers[i]);

		if (!each || !each->at)
			continue;
		clock_format_people(each->at, at);
		clock_format_people(each->next_at, next);
		/* Who issued it has his turn with the next renewal's rehearsal. */
		own_turn = !known->present ||
			   !str_equal(known->job.last_issuer, each->issuer);
		buf_printf(out, "%-17s %s: %s on %s%s%s: %s\n", "rehearsal", each->issuer,
			   each->well ? "well" : "failed", at, own_turn ? ", next " : "",
			   own_turn ? next : "", each->text);
	}
	rehearsals_clear(&rehearsals);
}

/* The record of dns-persist-01, as seen last. */
static void explain_persist(const struct known *known, struct buf *out)
{
	char when[CLOCK_TEXT_MAX];

	if (!uses_persist(known->config) || !known->job.persist_look_at)
		return;
	clock_format_people(known->job.persist_until, when);
	buf_printf(out, "%-17s %s%s\n", "dns-persist-01",
		   known->job.persist_until ? "its record lets us in until "
					    : "its record was not seen to end",
		   known->job.persist_until ? when : "");
}

static void explain_challenges(const struct certificate_config *config, struct buf *out)
{
	if (!config->n_challenges)
		return;
	buf_printf(out, "%-17s ", "challenges");
	for (size_t i = 0; i < config->n_challenges; i++)
		buf_printf(out, "%s%s", i ? ", then " : "",
			   challenge_names[config->challenges[i].type]);
	buf_puts(out, "\n");
}

static void explain_advice(const struct job *job, struct buf *out)
{
	char start[CLOCK_TEXT_MAX], end[CLOCK_TEXT_MAX], at[CLOCK_TEXT_MAX];

	if (!job->ari_start)
		return;
	clock_format_people(job->ari_start, start);
	clock_format_people(job->ari_end, end);
	clock_format_people(job->ari_ask_again_at, at);
	buf_printf(out, "%-17s %s to %s, asked again at %s\n", "the CA's window", start,
		   end, at);
	if (job->ari_explanation[0])
		buf_printf(out, "%-17s %s\n", "the CA explains", job->ari_explanation);
}

static void say_served(const cJSON *each, struct buf *out)
{
	const char *target = json_string(each, "target");
	const char *connect = json_string(each, "connect");
	const char *issuers = json_string(each, "issuers");

	buf_printf(out, "%s at %s: %s, %s", target ? target : "-",
		   connect ? connect : "-", issuers ? issuers : "-",
		   json_bool(each, "complete", false) ? "complete" : "incomplete");
}

static void explain_chain(const struct known *known, struct buf *out,
			  struct strlist *damaged)
{
	char *top = known->present ? chain_top(known->version.cert) : NULL;
	struct err err;
	cJSON *seen = served_read(known->folder, &err), *each;

	report_damage(damaged, &err);
	if (top)
		buf_printf(out, "%-17s stored up to '%s'%s%s%s\n", "chain", top,
			   known->config->chain ? ", preferred: '" : "",
			   known->config->chain ? known->config->chain : "",
			   known->config->chain ? "'" : "");
	cJSON_ArrayForEach (each, seen) {
		buf_printf(out, "%-17s ", "chain served");
		say_served(each, out);
		buf_puts(out, "\n");
	}
	cJSON_Delete(seen);
	free(top);
}

void report_issue_explain(const struct known *known, struct buf *out,
			  struct strlist *damaged)
{
	explain_advice(&known->job, out);
	explain_issuers(known, out);
	explain_failed(known, out);
	explain_rehearsals(known, out, damaged);
	explain_challenges(known->config, out);
	explain_persist(known, out);
	if (known->config->profile)
		buf_printf(out, "%-17s %s%s\n", "profile", known->config->profile,
			   known->config->profile_required ? ", required" : "");
	explain_chain(known, out, damaged);
	report_limits_explain(known, out, damaged);
	report_foresight_explain(known, out, damaged);
}

/* ---- for people ---------------------------------------------------------- */

/* Where another chain is served than the one that was stored, or it is not complete. */
static void print_chain(const cJSON *chain, struct buf *out)
{
	const cJSON *served = cJSON_GetObjectItemCaseSensitive(chain, "served"), *each;
	const char *stored = json_string(chain, "stored");

	cJSON_ArrayForEach (each, served) {
		const char *issuers = json_string(each, "issuers");

		if (json_bool(each, "complete", false) && stored && issuers &&
		    str_equal(probe_issuers_top(issuers), stored))
			continue;
		buf_printf(out, "  %-12s ", "chain");
		say_served(each, out);
		buf_printf(out, "; stored up to '%s'\n", stored ? stored : "-");
	}
}

/* Only one that failed: a spare that is proven is as it should be. What is no spare is
 * part of the next renewal (report_rehearsal.h). */
static void print_rehearsal(const char *issuer, const cJSON *rehearsal, bool issued,
			    struct buf *out)
{
	if (!issued && cJSON_IsObject(rehearsal) && !json_bool(rehearsal, "well", true))
		buf_printf(out, "  %-12s %s did not pass its rehearsal: %s\n", "spare",
			   issuer, json_string(rehearsal, "text"));
}

void report_issue_print(const cJSON *certificate, struct buf *out)
{
	const cJSON *issuers = cJSON_GetObjectItemCaseSensitive(certificate, "issuers");
	const cJSON *issuer;

	cJSON_ArrayForEach (issuer, issuers) {
		const char *name = json_string(issuer, "name");

		if (json_bool(issuer, "issued", false))
			buf_printf(out, "  %-12s %s\n", "issued by", name ? name : "-");
		print_rehearsal(name ? name : "-",
				cJSON_GetObjectItemCaseSensitive(issuer, "rehearsal"),
				json_bool(issuer, "issued", false), out);
		report_limits_print(name ? name : "-",
				    cJSON_GetObjectItemCaseSensitive(issuer, "limits"),
				    out);
	}
	print_chain(cJSON_GetObjectItemCaseSensitive(certificate, "chain"), out);
	report_dates_print(cJSON_GetObjectItemCaseSensitive(certificate, "dates"), out);
}

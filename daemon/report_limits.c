#include "daemon/report_limits.h"

#include <assert.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/limits.h"

static const char *const rule_names[] = {
	[LIMITS_ORDERS] = "orders",
	[LIMITS_DOMAIN] = "domain",
	[LIMITS_SAME_NAMES] = "same_names",
	[LIMITS_FAILURES] = "failures",
	[LIMITS_CONSECUTIVE] = "consecutive_failures",
};
static_assert(sizeof(rule_names) / sizeof(*rule_names) == LIMITS_RULES, "one per rule");

static const struct {
	const char *name, *words;
} kinds[] = {
	[LIMITS_FRESH] = { "fresh", "names that it has not seen together" },
	[LIMITS_RENEWAL] = { "renewal", "a renewal" },
	[LIMITS_ARI] = { "ari", "a renewal that names its predecessor (ARI)" },
};

/* What the CA will count the next order as. */
static enum limits_order kind_of(const struct known *known,
				 const struct issuer_config *issuer)
{
	if (!known_is_from(known, issuer))
		return LIMITS_FRESH;
	return known->job.ari_start ? LIMITS_ARI : LIMITS_RENEWAL;
}

struct look { /* at one issuer's limits */
	const struct limits_ca *ca;
	enum limits_order as;
	struct limits_history history;
	struct limits_verdict verdict;
};

/* -1: there is nothing to say. look_release() either way. */
static int look_at(const struct known *known, const struct issuer_config *issuer,
		   struct look *ret, struct strlist *damaged)
{
	struct err err;
	int rc;

	*ret = (struct look){ .ca = limits_known(issuer->directory),
			      .as = kind_of(known, issuer) };
	rc = limits_read(known->all->state_dir, issuer, &ret->history, &err);
	if (rc || err.kind != ERR_NONE)
		strlist_add(damaged, err.text);
	if (rc)
		return -1;
	ret->verdict = limits_decide(ret->ca, &ret->history, known->config->hosts,
				     ret->as, known->now);
	return ret->ca || !ret->verdict.allowed ? 0 : -1;
}

static void look_release(struct look *look)
{
	limits_history_clear(&look->history);
}

/* ---- status -------------------------------------------------------------- */

static void add_rules(const struct look *look, cJSON *json)
{
	cJSON *rules = cJSON_AddArrayToObject(json, "rules"), *rule;

	for (int i = 0; i < LIMITS_RULES; i++) {
		const struct limits_count *count = &look->verdict.counts[i];

		if (!count->applies)
			continue;
		rule = cJSON_CreateObject();
		json_set_string(rule, "rule", rule_names[i]);
		json_set_string(rule, "about", count->about);
		json_set_int(rule, "left", count->left);
		json_set_int(rule, "most", count->most);
		report_set_instant(rule, "next_at", count->left ? 0 : count->next_at);
		cJSON_AddItemToArray(rules, rule);
	}
}

cJSON *report_limits_json(const struct known *known, const struct issuer_config *issuer,
			  struct strlist *damaged)
{
	struct look look;
	cJSON *json;

	if (look_at(known, issuer, &look, damaged)) {
		look_release(&look);
		return cJSON_CreateNull();
	}
	json = cJSON_CreateObject();
	json_set_string(json, "ca", look.ca ? look.ca->name : NULL);
	json_set_string(json, "page", look.ca ? look.ca->page : NULL);
	json_set_string(json, "dated", look.ca ? look.ca->dated : NULL);
	json_set_string(json, "counted_as", kinds[look.as].name);
	json_set_bool(json, "allowed", look.verdict.allowed);
	report_set_instant(json, "retry_at",
			   look.verdict.allowed ? 0 : look.verdict.retry_at);
	json_set_string(json, "text", look.verdict.allowed ? NULL : look.verdict.text);
	json_set_string(json, "nearest",
			look.verdict.nearest == LIMITS_RULES
				? NULL
				: rule_names[look.verdict.nearest]);
	add_rules(&look, json);
	look_release(&look);
	return json;
}

/* ---- explain ------------------------------------------------------------- */

static void explain_rule(const struct look *look, enum limits_rule rule, struct buf *out)
{
	const struct limits_count *count = &look->verdict.counts[rule];
	const struct limits_bucket *bucket = &look->ca->buckets[rule];
	char window[CLOCK_TEXT_MAX], next[CLOCK_TEXT_MAX];

	clock_format_duration(bucket->most * bucket->refill_s, window);
	buf_printf(out, "%-17s %s%s%s", "", limits_rule_text(rule),
		   rule == LIMITS_CONSECUTIVE ? "" : " in ",
		   rule == LIMITS_CONSECUTIVE ? "" : window);
	if (count->about)
		buf_printf(out, " ('%s')", count->about);
	buf_printf(out, ": %lld of %lld left", (long long)count->left,
		   (long long)count->most);
	if (!count->left) {
		clock_format_people_local(count->next_at, next);
		buf_printf(out, ", one more %s", next);
	}
	if (rule == LIMITS_DOMAIN)
		buf_puts(out, "; by our own count, the domain guessed from the name's "
			      "last labels: never a reason not to ask");
	buf_puts(out, rule == look->verdict.nearest ? " (the nearest)\n" : "\n");
}

static void explain_issuer(const struct issuer_config *issuer, const struct look *look,
			   struct buf *out)
{
	char when[CLOCK_TEXT_MAX];

	if (look->ca)
		buf_printf(out,
			   "%-17s %s: %s, as published on %s (%s); the next order counts "
			   "as %s%s\n",
			   "CA's limits", issuer->name, look->ca->name, look->ca->dated,
			   look->ca->page, kinds[look->as].words,
			   look->verdict.nearest == LIMITS_RULES ? ": none applies" : "");
	for (int i = 0; look->ca && i < LIMITS_RULES; i++) {
		if (look->verdict.counts[i].applies)
			explain_rule(look, (enum limits_rule)i, out);
	}
	if (look->verdict.allowed)
		return;
	clock_format_people_local(look->verdict.retry_at, when);
	buf_printf(out, "%-17s %s: not asked before %s: %s\n", "CA's limits",
		   issuer->name, when, look->verdict.text);
}

void report_limits_explain(const struct known *known, struct buf *out,
			   struct strlist *damaged)
{
	for (size_t i = 0; known->config->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			known->all, known->config->issuers[i]);
		struct look look;

		if (!issuer || issuer->type != ISSUER_ACME)
			continue;
		if (!look_at(known, issuer, &look, damaged))
			explain_issuer(issuer, &look, out);
		look_release(&look);
	}
}

/* ---- for people ---------------------------------------------------------- */

static const char *words_of(const char *rule)
{
	for (int i = 0; rule && i < LIMITS_RULES; i++) {
		if (str_equal(rule, rule_names[i]))
			return limits_rule_text((enum limits_rule)i);
	}
	return "";
}

void report_limits_print(const char *issuer, const cJSON *limits, struct buf *out)
{
	const cJSON *rules = cJSON_GetObjectItemCaseSensitive(limits, "rules"), *rule;
	const char *nearest = json_string(limits, "nearest");
	char retry[CLOCK_TEXT_MAX];

	if (!cJSON_IsObject(limits))
		return;
	if (!json_bool(limits, "allowed", true)) {
		buf_printf(out, "  %-12s %s is not asked before %s: %s\n", "limit",
			   issuer, report_instant(limits, "retry_at", retry),
			   json_string(limits, "text"));
		return;
	}
	cJSON_ArrayForEach (rule, rules) {
		int64_t left = json_int(rule, "left", 0),
			most = json_int(rule, "most", 0);

		if (str_equal(json_string(rule, "rule"), nearest) && left * 2 < most)
			buf_printf(out, "  %-12s %s: %lld of %lld left: %s\n", "limit",
				   issuer, (long long)left, (long long)most,
				   words_of(nearest));
	}
}

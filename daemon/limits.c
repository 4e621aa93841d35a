/* limits.c - the published limits, and what is left of them. Where our history is kept:
 * limits_file.c. */
#include "daemon/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/identifier.h"

#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)
#define COUNTRY_LABEL 2 /* letters: "uk" */
#define BRANCH_LABEL 3  /* at most: "co", "com" in front of it */

#define ARI (1U << LIMITS_ARI)
#define RENEWALS (1U << LIMITS_RENEWAL | ARI)

/* ---- what is published ---------------------------------------------------- */

static const struct limits_ca cas[] = {
	{ .host = "acme-v02.api.letsencrypt.org",
	  .name = "Let's Encrypt",
	  .page = "https://letsencrypt.org/docs/rate-limits/",
	  .dated = "2026-08-05",
	  .buckets = {
		  [LIMITS_ORDERS] = { 300, 3 * HOUR_S / 300, RENEWALS },
		  [LIMITS_DOMAIN] = { 50, 7 * DAY_S / 50, RENEWALS },
		  [LIMITS_SAME_NAMES] = { 5, 7 * DAY_S / 5, ARI },
		  [LIMITS_FAILURES] = { 5, HOUR_S / 5, ARI },
		  [LIMITS_CONSECUTIVE] = { 1152, DAY_S, ARI },
	  } },
};

/* Only where our own history alone is enough to know what the CA will say. Which domain
 * it counts for we can only guess; and a name that is paused gets a link from the CA that
 * the operator needs. */
static const struct {
	const char *text;
	bool sure;
} rules[] = {
	[LIMITS_ORDERS] = { "new orders of the account", true },
	[LIMITS_DOMAIN] = { "new certificates of a domain", false },
	[LIMITS_SAME_NAMES] = { "certificates of exactly these names", true },
	[LIMITS_FAILURES] = { "failed validations of a name", true },
	[LIMITS_CONSECUTIVE] = { "failed validations of a name in a row", false },
};
static_assert(sizeof(rules) / sizeof(*rules) == LIMITS_RULES, "a row per rule");

const char *limits_rule_text(enum limits_rule rule)
{
	return rules[rule].text;
}

const struct limits_ca *limits_known(const char *directory)
{
	const struct limits_ca *found = NULL;
	const char *host = directory ? strstr(directory, "://") : NULL;
	char *copy;

	if (!host)
		return NULL;
	host += 3;
	copy = str_ndup(host, strcspn(host, ":/?#"));
	for (size_t i = 0; i < sizeof(cas) / sizeof(*cas) && !found; i++) {
		if (str_equal_nocase(copy, cas[i].host))
			found = &cas[i];
	}
	free(copy);
	return found;
}

/* The label in front of `end`, the place of a dot or of the end. */
static const char *label_before(const char *name, const char *end)
{
	while (end > name && end[-1] != '.')
		end--;
	return end;
}

const char *limits_domain(const char *name)
{
	const char *base = identifier_base(name), *end = base + strlen(base);
	const char *last, *second;

	if (identifier_is_ip(name))
		return name;
	last = label_before(base, end);
	if (last == base)
		return base;
	second = label_before(base, last - 1);
	if (second == base || end - last != COUNTRY_LABEL ||
	    last - 1 - second > BRANCH_LABEL)
		return second;
	return label_before(base, second - 1);
}

/* ---- buckets ---------------------------------------------------------------- */

struct drain { /* tokens that are taken out in the order of time */
	const struct limits_bucket *bucket;
	int64_t now;
	int64_t full_at; /* when it will be full again */
};

/* An instant more than a day ahead is from a clock that was wrong. */
static void take(struct drain *drain, int64_t at)
{
	const struct limits_bucket *bucket = drain->bucket;
	int64_t empty;

	if (at > drain->now + DAY_S)
		return;
	if (at > drain->now)
		at = drain->now;
	if (drain->full_at < at)
		drain->full_at = at;
	drain->full_at += bucket->refill_s;
	empty = at + bucket->most * bucket->refill_s;
	if (drain->full_at > empty)
		drain->full_at = empty;
}

static struct limits_count level(const struct drain *drain, const char *about)
{
	const struct limits_bucket *bucket = drain->bucket;
	int64_t missing_s = drain->full_at - drain->now;
	struct limits_count count = { .applies = true,
				      .most = bucket->most,
				      .left = bucket->most,
				      .next_at = drain->now,
				      .about = about };

	if (missing_s <= 0)
		return count;
	count.left -= (missing_s + bucket->refill_s - 1) / bucket->refill_s;
	if (count.left < 0)
		count.left = 0;
	if (count.left == 0)
		count.next_at = drain->full_at - (bucket->most - 1) * bucket->refill_s;
	return count;
}

static void keep_nearest(struct limits_count *count, struct limits_count other)
{
	if (!count->applies || other.left < count->left ||
	    (other.left == count->left && other.next_at > count->next_at))
		*count = other;
}

/* ---- one rule each ------------------------------------------------------------ */

struct question {
	const struct limits_history *history;
	const char *const *names;
	const struct limits_bucket *bucket;
	int64_t now;
};

static struct limits_count count_orders(const struct question *q)
{
	struct drain drain = { .bucket = q->bucket, .now = q->now };

	for (size_t i = 0; i < q->history->n_orders; i++)
		take(&drain, q->history->orders[i]);
	return level(&drain, NULL);
}

static bool has_domain(const struct strlist *names, const char *domain)
{
	for (size_t i = 0; i < names->n; i++) {
		if (str_equal_nocase(limits_domain(names->items[i]), domain))
			return true;
	}
	return false;
}

static struct limits_count count_domains(const struct question *q)
{
	struct limits_count nearest = { 0 };

	for (size_t i = 0; q->names[i]; i++) {
		const char *domain = limits_domain(q->names[i]);
		struct drain drain = { .bucket = q->bucket, .now = q->now };

		for (size_t k = 0; k < q->history->n_certificates; k++) {
			const struct limits_certificate *each =
				&q->history->certificates[k];

			if (!(q->bucket->exempt & 1U << each->as) &&
			    has_domain(&each->names, domain))
				take(&drain, each->at);
		}
		keep_nearest(&nearest, level(&drain, domain));
	}
	return nearest;
}

/* `set` is sorted. */
static bool same_names(const struct strlist *set, const char *const *names)
{
	struct strlist sorted = { 0 };
	bool same;

	for (size_t i = 0; names[i]; i++)
		strlist_add(&sorted, names[i]);
	strlist_sort(&sorted);
	same = sorted.n == set->n;
	for (size_t i = 0; same && i < set->n; i++)
		same = str_equal_nocase(set->items[i], sorted.items[i]);
	strlist_clear(&sorted);
	return same;
}

static struct limits_count count_same_names(const struct question *q)
{
	struct drain drain = { .bucket = q->bucket, .now = q->now };

	for (size_t i = 0; i < q->history->n_certificates; i++) {
		const struct limits_certificate *each = &q->history->certificates[i];

		if (!(q->bucket->exempt & 1U << each->as) &&
		    same_names(&each->names, q->names))
			take(&drain, each->at);
	}
	return level(&drain, NULL);
}

static const struct limits_failures *failures_of(const struct limits_history *history,
						 const char *name)
{
	for (size_t i = 0; i < history->n_failures; i++) {
		if (str_equal_nocase(history->failures[i].identifier, name))
			return &history->failures[i];
	}
	return NULL;
}

static struct limits_count count_failures(const struct question *q)
{
	struct limits_count nearest = { 0 };

	for (size_t i = 0; q->names[i]; i++) {
		const struct limits_failures *failures = failures_of(q->history,
								     q->names[i]);
		struct drain drain = { .bucket = q->bucket, .now = q->now };

		for (size_t k = 0; failures && k < failures->n; k++)
			take(&drain, failures->at[k]);
		keep_nearest(&nearest, level(&drain, q->names[i]));
	}
	return nearest;
}

static struct limits_count count_consecutive(const struct question *q)
{
	struct limits_count nearest = { 0 };

	for (size_t i = 0; q->names[i]; i++) {
		const struct limits_failures *failures = failures_of(q->history,
								     q->names[i]);
		struct drain drain = { .bucket = q->bucket,
				       .now = q->now,
				       .full_at = failures ? failures->forgiven_at : 0 };

		keep_nearest(&nearest, level(&drain, q->names[i]));
	}
	return nearest;
}

static struct limits_count (*const counters[])(const struct question *q) = {
	[LIMITS_ORDERS] = count_orders,           [LIMITS_DOMAIN] = count_domains,
	[LIMITS_SAME_NAMES] = count_same_names,   [LIMITS_FAILURES] = count_failures,
	[LIMITS_CONSECUTIVE] = count_consecutive,
};
static_assert(sizeof(counters) / sizeof(*counters) == LIMITS_RULES, "a row per rule");

/* ---- the decision ------------------------------------------------------------- */

static void refuse(struct limits_verdict *verdict, int64_t retry_at, const char *text)
{
	if (!verdict->allowed && retry_at <= verdict->retry_at)
		return;
	verdict->allowed = false;
	verdict->retry_at = retry_at;
	str_copy(verdict->text, sizeof(verdict->text), text);
}

static void refuse_by_rule(struct limits_verdict *verdict, const struct limits_ca *ca,
			   enum limits_rule rule)
{
	const struct limits_count *count = &verdict->counts[rule];
	const struct limits_bucket *bucket = &ca->buckets[rule];
	char window[CLOCK_TEXT_MAX];
	char *text;

	clock_format_duration(bucket->most * bucket->refill_s, window);
	text = str_printf("%s allows %lld %s in %s%s%s%s, and has had them from us",
			  ca->name, (long long)bucket->most, rules[rule].text, window,
			  count->about ? " ('" : "", count->about ? count->about : "",
			  count->about ? "')" : "");
	refuse(verdict, count->next_at, text);
	free(text);
}

static void hear_the_ca(struct limits_verdict *verdict,
			const struct limits_history *history, const char *const *names,
			int64_t now)
{
	char when[CLOCK_TEXT_MAX];
	char *text;

	for (size_t i = 0; i < history->n_waits; i++) {
		const struct limits_wait *wait = &history->waits[i];

		if (wait->until <= now || wait->said_at > now + DAY_S ||
		    (wait->names.n && !same_names(&wait->names, names)))
			continue;
		clock_format_people(wait->said_at, when);
		text = str_printf("the CA said on %s: %s", when, wait->text);
		refuse(verdict, wait->until, text);
		free(text);
	}
}

static bool is_nearer(const struct limits_verdict *verdict, enum limits_rule rule)
{
	const struct limits_count *count = &verdict->counts[rule], *other;

	if (verdict->nearest == LIMITS_RULES)
		return true;
	other = &verdict->counts[verdict->nearest];
	return count->left * other->most < other->left * count->most;
}

struct limits_verdict limits_decide(const struct limits_ca *ca,
				    const struct limits_history *history,
				    const char *const *names, enum limits_order as,
				    int64_t now)
{
	struct limits_verdict verdict = { .allowed = true,
					  .retry_at = now,
					  .nearest = LIMITS_RULES };
	struct question q = { .history = history, .names = names, .now = now };

	hear_the_ca(&verdict, history, names, now);
	for (enum limits_rule rule = 0; ca && rule < LIMITS_RULES; rule++) {
		q.bucket = &ca->buckets[rule];
		if (!q.bucket->most || q.bucket->exempt & 1U << as)
			continue;
		verdict.counts[rule] = counters[rule](&q);
		if (is_nearer(&verdict, rule))
			verdict.nearest = rule;
		if (rules[rule].sure && !verdict.counts[rule].left)
			refuse_by_rule(&verdict, ca, rule);
	}
	return verdict;
}

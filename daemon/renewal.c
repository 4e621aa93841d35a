#include "daemon/renewal.h"

#include <assert.h>

#include "base/cert.h"
#include "base/clock.h"

#define SHORT_LIFETIME_S (10 * INT64_C(86400))

/* lifetime x n / d without overflow; n < d. */
static int64_t part_of(int64_t lifetime_s, int64_t n, int64_t d)
{
	return lifetime_s / d * n + lifetime_s % d * n / d;
}

static int64_t default_left(int64_t lifetime_s)
{
	return part_of(lifetime_s, 1, lifetime_s < SHORT_LIFETIME_S ? 2 : 3);
}

static int64_t left_when_due(const struct renew_at *policy, int64_t lifetime_s)
{
	switch (policy->kind) {
	case RENEW_FRACTION:
		return part_of(lifetime_s, policy->numerator, policy->denominator);
	case RENEW_DURATION:
		if (policy->duration_s < lifetime_s)
			return policy->duration_s;
		break;
	case RENEW_DEFAULT:
		break;
	}
	return default_left(lifetime_s);
}

int64_t renewal_age_limit(const struct renew_at *policy, int64_t not_before,
			  int64_t not_after)
{
	int64_t lifetime_s = not_after - not_before + 1;

	if (lifetime_s <= 1) /* dates that are none: whatever we do, not before them */
		return not_after;
	return not_after - left_when_due(policy, lifetime_s);
}

struct renewal_verdict renewal_decide(const struct renewal_facts *facts,
				      const struct renew_at *policy, int64_t now)
{
	int64_t age_limit, due;

	/* In front of all that a back-off delays: somebody has just done something. */
	if (facts->newer_was_put)
		return (struct renewal_verdict){ NEWER_WAS_PUT, now };
	if (!facts->present)
		return (struct renewal_verdict){ MISSING, now };
	if (facts->revoked)
		return (struct renewal_verdict){ REVOKED, now };
	if (facts->key_lost)
		return (struct renewal_verdict){ KEY_LOST, now };
	if (!facts->names_match)
		return (struct renewal_verdict){ NAMES_CHANGED, now };
	if (!facts->key_type_matches)
		return (struct renewal_verdict){ KEY_TYPE_CHANGED, now };
	if (facts->request_changed)
		return (struct renewal_verdict){ REQUEST_CHANGED, now };
	if (facts->from_staging)
		return (struct renewal_verdict){ FROM_STAGING, now };

	/* The CA may hurry us; it may not make us late. */
	age_limit = renewal_age_limit(policy, facts->not_before, facts->not_after);
	due = facts->ari_at < age_limit ? facts->ari_at : age_limit;
	if (cert_is_over(facts->not_after, now))
		return (struct renewal_verdict){ EXPIRED, due };
	if (facts->forced)
		return (struct renewal_verdict){ OPERATOR_ASKED, now };
	if (now < due)
		return (struct renewal_verdict){ NOT_DUE, due };
	return (struct renewal_verdict){ due == age_limit ? AGE : CA_ADVICE, due };
}

const char *renewal_reason_text(enum renewal_reason reason)
{
	static const char *const texts[] = {
		[NOT_DUE] = "not due",
		[NEWER_WAS_PUT] = "a newer one was put into the store",
		[OPERATOR_ASKED] = "the operator's command",
		[MISSING] = "there is no certificate yet",
		[REVOKED] = "it was revoked",
		[KEY_LOST] = "its key is not in the store any more, and was nowhere else",
		[NAMES_CHANGED] = "its names are not the configured ones",
		[KEY_TYPE_CHANGED] = "its key type is not the configured one",
		[REQUEST_CHANGED] = "the request in 'csr' has another key",
		[FROM_STAGING] = "it is of a CA's directory for trials",
		[EXPIRED] = "it has expired",
		[CA_ADVICE] = "the CA's advice (ARI)",
		[AGE] = "its age",
	};

	static_assert(sizeof(texts) / sizeof(*texts) == AGE + 1, "a text per reason");
	return texts[reason];
}

/* "2026-11-21 03:31 UTC (04:31 CET), in 30 d", "..., 2 h 5 min ago". */
static void say_when(struct buf *out, const char *rule, int64_t at, int64_t now)
{
	char date[CLOCK_TEXT_MAX], distance[CLOCK_TEXT_MAX];

	clock_format_people_local(at, date);
	clock_format_duration(at > now ? at - now : now - at, distance);
	if (at > now)
		buf_printf(out, "%-18s%s, in %s\n", rule, date, distance);
	else
		buf_printf(out, "%-18s%s, %s ago\n", rule, date, distance);
}

static void say_age_rule(const struct renewal_facts *facts, const struct renew_at *policy,
			 int64_t now, struct buf *out)
{
	int64_t at = renewal_age_limit(policy, facts->not_before, facts->not_after);
	char left[CLOCK_TEXT_MAX];

	say_when(out, "age (renew.at)", at, now);
	clock_format_duration(facts->not_after - at, left);
	if (policy->kind == RENEW_FRACTION)
		buf_printf(out, "%-18swhen %lld/%lld of the lifetime, %s, is left\n", "",
			   (long long)policy->numerator, (long long)policy->denominator,
			   left);
	else if (policy->kind == RENEW_DURATION)
		buf_printf(out, "%-18swhen %s is left\n", "", left);
	else
		buf_printf(out, "%-18sdefault: when %s is left\n", "", left);
}

void renewal_explain(const struct renewal_facts *facts, const struct renew_at *policy,
		     int64_t now, struct buf *out)
{
	struct renewal_verdict verdict = renewal_decide(facts, policy, now);

	buf_printf(out, "%-18s%s\n", "certificate",
		   facts->present ? "present" : "missing");
	if (facts->present) {
		buf_printf(out, "%-18s%s\n", "names",
			   facts->names_match ? "as configured" : "changed");
		if (facts->revoked)
			buf_printf(out, "%-18s%s\n", "revoked", "yes");
		if (facts->key_lost)
			buf_printf(out, "%-18s%s\n", "key", "not in the store any more");
		buf_printf(out, "%-18s%s\n", "key type",
			   facts->key_type_matches ? "as configured" : "changed");
		if (facts->request_changed)
			buf_printf(out, "%-18s%s\n", "request", "has another key");
		if (facts->from_staging)
			buf_printf(out, "%-18s%s\n", "issued by",
				   "a CA's directory for trials");
		say_when(out, "expires", facts->not_after, now);
		say_age_rule(facts, policy, now, out);
		if (facts->ari_at == NO_ARI)
			buf_printf(out, "%-18snone\n", "CA's advice (ARI)");
		else
			say_when(out, "CA's advice (ARI)", facts->ari_at, now);
	}
	buf_printf(out, "%-18s%s\n", "operator", facts->forced ? "asked" : "did not ask");
	if (verdict.reason == NOT_DUE)
		say_when(out, "verdict: not due", verdict.due_at, now);
	else
		buf_printf(out, "%-18s%s\n", "verdict: renew",
			   renewal_reason_text(verdict.reason));
}

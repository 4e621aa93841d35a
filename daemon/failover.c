#include "daemon/failover.h"

#include <string.h>

/* Less than that of the lifetime left, and nothing waits any more. */
static int64_t reserve_s(const struct failover_facts *facts)
{
	return facts->lifetime_s / 10;
}

static bool is_urgent(const struct failover_facts *facts)
{
	return facts->remaining_s <= reserve_s(facts);
}

/* The problem's type is in the sentence, in the CA's own words (RFC 8555 6.6). */
static bool is_rate_limit(const struct failover_facts *facts)
{
	return facts->limited || (facts->err->kind == ERR_TRANSIENT &&
				  strstr(facts->err->text, "rateLimited"));
}

static bool is_refusal(const struct failover_facts *facts)
{
	const struct err *err = facts->err;

	if (!facts->at_ca || facts->skipped)
		return false;
	if (facts->challenged || err->kind == ERR_REFUSED || err->kind == ERR_CONFIG)
		return true;
	return is_rate_limit(facts) &&
	       facts->remaining_s - (int64_t)err->retry_after_s > reserve_s(facts);
}

struct failover_verdict failover_decide(const struct failover_facts *facts)
{
	struct failover_verdict verdict = { .refusal = is_refusal(facts) };
	int64_t refusals = (int64_t)facts->refusals + 1;

	verdict.next = !verdict.refusal || is_urgent(facts) ||
		       refusals >= facts->failover_after;
	if (!verdict.next)
		verdict.more = facts->failover_after - refusals;
	return verdict;
}

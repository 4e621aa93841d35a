#include "daemon/expired.h"

#define DEPLOYS_BEFORE_FALLBACK 3
#define ROUNDS_BEFORE_FALLBACK 1

/* Nothing we have or can get helped so far: is it time for plain HTTP? */
static struct expired_verdict last_rung(const struct expired_facts *facts)
{
	enum expired_step go_on = facts->fresh_at_hand ? LADDER_DEPLOY : LADDER_RENEW;

	if (facts->mode == MODE_FALLBACK)
		return (struct expired_verdict){ go_on,
						 "plain HTTP is served meanwhile" };
	if (facts->when_expired != EXPIRED_HTTP)
		return (struct expired_verdict){
			go_on, "'when_expired: keep' leaves the target as it is"
		};
	if (!facts->clock_trusted)
		return (struct expired_verdict){
			LADDER_NO_CLOCK,
			"no fallback to plain HTTP while the clock is not confirmed"
		};
	return (struct expired_verdict){
		LADDER_FALLBACK,
		facts->fresh_at_hand
			? "the certificate has expired and the new one cannot be deployed"
			: "the certificate has expired and no issuer gave a new one"
	};
}

struct expired_verdict expired_decide(const struct expired_facts *facts, int64_t now)
{
	if (!facts->present)
		return (struct expired_verdict){ LADDER_NONE, "nothing is deployed yet" };
	if (now <= facts->not_after)
		return (struct expired_verdict){ LADDER_NONE, "not expired" };
	if (facts->mode == MODE_OPERATOR)
		return (struct expired_verdict){
			LADDER_NONE, "an operator has taken the target over"
		};
	if (facts->fresh_at_hand && facts->deploys_failed < DEPLOYS_BEFORE_FALLBACK)
		return (struct expired_verdict){ LADDER_DEPLOY,
						 "a valid certificate is at hand" };
	if (!facts->fresh_at_hand && facts->renewals_failed < ROUNDS_BEFORE_FALLBACK)
		return (struct expired_verdict){
			LADDER_RENEW,
			"the issuers have not all been asked since it expired"
		};
	return last_rung(facts);
}

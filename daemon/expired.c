#include "daemon/expired.h"

#include "base/cert.h"

#define ROUNDS_BEFORE_FALLBACK 1

/* What is repeated without end, whatever else is done. */
static enum expired_step go_on(const struct expired_facts *facts)
{
	return facts->fresh_at_hand ? LADDER_DEPLOY : LADDER_RENEW;
}

/* Nothing we have or can get helped so far: is it time for plain HTTP? */
static struct expired_verdict last_rung(const struct expired_facts *facts, int64_t now)
{
	if (facts->when_expired != EXPIRED_HTTP)
		return (struct expired_verdict){
			go_on(facts), "'when_expired: keep' leaves the target as it is"
		};
	if (!facts->clock_trusted)
		return (struct expired_verdict){
			LADDER_NO_CLOCK,
			"no fallback to plain HTTP while the clock is not confirmed"
		};
	if (facts->stopped)
		return (struct expired_verdict){
			LADDER_STOPPED, "its administrator has stopped the service"
		};
	if (facts->fallback_again_at > now)
		return (struct expired_verdict){ LADDER_LATER,
						 "plain HTTP did not come up" };
	return (struct expired_verdict){
		LADDER_FALLBACK,
		facts->fresh_at_hand
			? "the certificate has expired and the new one cannot be deployed"
			: "the certificate has expired and no issuer gave a new one"
	};
}

struct expired_verdict expired_decide(const struct expired_facts *facts, int64_t now)
{
	if (facts->mode == MODE_OPERATOR)
		return (struct expired_verdict){
			LADDER_NONE, "an operator has taken the target over"
		};
	if (facts->mode == MODE_FALLBACK)
		return (struct expired_verdict){ go_on(facts),
						 "plain HTTP is served meanwhile" };
	if (!facts->present)
		return (struct expired_verdict){ LADDER_NONE, "nothing is deployed yet" };
	if (!cert_is_over(facts->not_after, now))
		return (struct expired_verdict){ LADDER_NONE, "not expired" };
	if (facts->fresh_at_hand && facts->deploys_failed < EXPIRED_DEPLOYS)
		return (struct expired_verdict){ LADDER_DEPLOY,
						 "a valid certificate is at hand" };
	if (!facts->fresh_at_hand && facts->renewals_failed < ROUNDS_BEFORE_FALLBACK)
		return (struct expired_verdict){
			LADDER_RENEW,
			"the issuers have not all been asked since it expired"
		};
	if (facts->older_at_hand)
		return (struct expired_verdict){ LADDER_OLDER,
						 "an older certificate is valid still" };
	return last_rung(facts, now);
}

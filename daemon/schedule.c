#include "daemon/schedule.h"

#include <stddef.h>

#include "base/clock.h"
#include "daemon/job.h"

struct schedule_verdict schedule_next(const struct schedule_facts *facts)
{
	const struct schedule_verdict candidates[] = {
		{ facts->renew_at, "renewal" },
		{ facts->deploy_at, "deployment, again" },
		{ facts->retire_at, "retirement of the old certificate" },
		{ facts->expires_at > facts->now ? facts->expires_at : CLOCK_NEVER,
		  "expiry" },
		{ facts->ask_advice_at, "asking the CA for its advice" },
		{ facts->inspect_at, "inspection" },
		{ facts->soak_at ? facts->soak_at : CLOCK_NEVER,
		  "a look within the soak time" },
		{ facts->rehearse_at, "rehearsal of the next renewal" },
		{ facts->prove_spare_at ? facts->prove_spare_at : CLOCK_NEVER,
		  "rehearsal of a spare issuer" },
		{ facts->ladder_at, "the expired ladder" },
	};
	struct schedule_verdict next = { facts->now + 86400, "a daily look" };

	for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates); i++)
		if (candidates[i].at < next.at)
			next = candidates[i];
	if (next.at <= facts->now)
		next.at = facts->now + 1;
	return next;
}

int64_t schedule_inspection(const char *name, int64_t last_at, int64_t every_s)
{
	uint32_t hash =
		2166136261U; /* FNV-1a: spreads, and is the same after a restart */

	if (!last_at)
		return 0;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	return last_at + every_s + (int64_t)(hash % 1000U) * (every_s / 10) / 1000;
}

int64_t schedule_settle(const struct failures *deployment, int64_t last_at)
{
	return deployment->count && deployment->next_at > last_at ? deployment->next_at
								  : CLOCK_NEVER;
}

int64_t schedule_soak(int64_t now, int64_t soak_s, int64_t until)
{
	int64_t every_s = soak_s / 10;

	if (every_s > 60)
		every_s = 60;
	if (every_s < 1)
		every_s = 1;
	return until > now && until < now + every_s ? until : now + every_s;
}

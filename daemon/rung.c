#include "daemon/rung.h"

#include <assert.h>

#include "base/clock.h"

/* Whole rounds through the issuers since what is served expired. Of a certificate that
 * never was ours the rounds are not counted, but one that failed since then is one. */
static unsigned rounds_failed(const struct rung_known *known)
{
	const struct failures *renewal = &known->job->renewal;

	if (known->current)
		return known->job->rounds_since_expiry;
	return renewal->count && cert_is_over(known->until, renewal->last_at) ? 1 : 0;
}

static const struct failures *fallback_of(const struct rung_known *known)
{
	return job_fallback_of(known->job, known->target->name);
}

struct expired_facts rung_facts(const struct rung_known *known)
{
	return (struct expired_facts){
		.present = known->until != 0,
		.not_after = known->until,
		.renewals_failed = rounds_failed(known),
		.fresh_at_hand = known->current && !known->deployed &&
				 !cert_has_expired(known->current, known->now),
		.deploys_failed = known->job->deployment.count,
		.older_at_hand = known->older_at_hand,
		.clock_trusted = known->clock_trusted,
		.stopped = known->stopped,
		.fallback_again_at = fallback_of(known)->next_at,
		.when_expired = known->target->when_expired,
		.mode = known->state->mode,
	};
}

/* "; failed 2 times: <text>; next try <when>". */
static void say_failures(const struct failures *failures, struct buf *out)
{
	char when[CLOCK_TEXT_MAX];

	if (!failures->count)
		return;
	clock_format_people_local(failures->next_at, when);
	buf_printf(out, ", failed %u time%s: %s; next try %s", failures->count,
		   failures->count == 1 ? "" : "s", failures->text, when);
}

void rung_words(const struct rung_known *known, const struct expired_verdict *verdict,
		struct buf *out)
{
	const struct job *job = known->job;

	buf_puts(out, verdict->why);
	switch (verdict->step) {
	case LADDER_RENEW:
		say_failures(&job->renewal, out);
		break;
	case LADDER_DEPLOY:
		say_failures(&job->deployment, out);
		break;
	case LADDER_OLDER:
		say_failures(&job_target_of(job, known->target->name)->older, out);
		break;
	case LADDER_LATER:
		say_failures(fallback_of(known), out);
		break;
	case LADDER_FALLBACK:
		say_failures(known->current && !known->deployed &&
					     !cert_has_expired(known->current, known->now)
				     ? &job->deployment
				     : &job->renewal,
			     out);
		break;
	case LADDER_NONE:
	case LADDER_NO_CLOCK:
	case LADDER_STOPPED:
		break;
	}
}

const char *rung_name(enum expired_step step)
{
	static const char *const names[] = {
		[LADDER_NONE] = "none",         [LADDER_RENEW] = "renew",
		[LADDER_DEPLOY] = "deploy",     [LADDER_OLDER] = "older",
		[LADDER_FALLBACK] = "fallback", [LADDER_NO_CLOCK] = "no_clock",
		[LADDER_STOPPED] = "stopped",   [LADDER_LATER] = "later",
	};

	static_assert(sizeof(names) / sizeof(*names) == LADDER_LATER + 1, "a name each");
	return names[step];
}

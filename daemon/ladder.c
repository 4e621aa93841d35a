/* ladder.c - when time has run out: says so, and where the operator wants it takes a
 * target to plain HTTP. The decision is daemon/expired.h, the act hooks/fallback.h. */
#include "daemon/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/expired.h"
#include "hooks/fallback.h"

static int fall_back(struct pass *pass, const struct target *target, const char *why,
		     struct err *err)
{
	char *what;

	if (fallback_enter(&pass->deployment, target, NULL, err))
		return err_wrap(err, "fall back to HTTP");
	what = str_printf("'%s' speaks plain HTTP now on %s: %s", target->name,
			  target->http ? target->http : "its HTTP port", why);
	pass_tell(pass, EVENT_FALLBACK, target->name, what,
		  "everything sent to it can be read on the way: keep it away from open "
		  "networks; it returns to HTTPS by itself as soon as a certificate is "
		  "obtained");
	free(what);
	pass->acted = true;
	return 0;
}

static void tell_expired(struct pass *pass, const struct target *target, int64_t until)
{
	char when[CLOCK_TEXT_MAX];
	char *what, *todo;

	clock_format_people_local(until, when);
	what = str_printf("the certificate that '%s' serves expired on %s%s%s",
			  target->name, when,
			  pass->job.renewal.count ? "; the last renewal failed: " : "",
			  pass->job.renewal.count ? pass->job.renewal.text : "");
	todo = str_printf("clients refuse this service now: repair what the last failure "
			  "names, then `certrenewd renew %s --force`",
			  pass->certificate->name);
	pass_tell(pass, EVENT_EXPIRED, target->name, what, todo);
	free(todo);
	free(what);
}

/* Whole rounds through the issuers since what is served expired. Of a certificate that
 * never was ours the rounds are not counted, but one that failed since then is one. */
static unsigned rounds_failed(const struct pass *pass, int64_t until)
{
	const struct failures *renewal = &pass->job.renewal;

	if (pass->have_current)
		return pass->job.rounds_since_expiry;
	return renewal->count && renewal->last_at >= until ? 1 : 0;
}

static struct expired_facts facts_of(struct pass *pass, size_t i, int64_t until)
{
	char why[160];
	struct clock_reading reading = clock_reading_now();
	bool deployed = pass_target_deployed(pass, i);

	return (struct expired_facts){
		.present = until != 0,
		.not_after = until,
		.renewals_failed = rounds_failed(pass, until),
		.fresh_at_hand = pass->have_current && !deployed &&
				 cert_not_after(pass->current.cert) > pass->now,
		.deploys_failed = pass->job.deployment.count,
		.clock_trusted = clock_trusted(&pass->trust, &reading, why),
		.when_expired = pass->certificate->targets[i].when_expired,
		.mode = pass->state.targets[i].mode,
	};
}

static void tell_no_clock(struct pass *pass, const struct target *target)
{
	struct clock_reading reading = clock_reading_now();
	char why[160];
	char *what;

	(void)clock_trusted(&pass->trust, &reading, why);
	what = str_printf(
		"'%s' would fall back to HTTP, but the clock is not confirmed: %s",
		target->name, why);
	pass_tell(pass, EVENT_CLOCK_UNCONFIRMED, target->name, what,
		  "set the clock; `certrenewd fallback NAME on` does it on your word");
	free(what);
}

static void climb(struct pass *pass, size_t i)
{
	const struct target *target = &pass->certificate->targets[i];
	int64_t until = pass->state.targets[i].mode == MODE_HTTPS
				? pass_served_until(pass, i)
				: 0;
	struct expired_facts facts = facts_of(pass, i, until);
	struct expired_verdict verdict = expired_decide(&facts, pass->now);
	struct err err;

	if (fallback_unfinished(pass->folder, target->name)) {
		verdict.step = LADDER_FALLBACK;
		verdict.why = "it was interrupted while falling back";
	}
	if (verdict.step == LADDER_NONE)
		return;
	if (until)
		tell_expired(pass, target, until);
	if (verdict.step == LADDER_NO_CLOCK)
		tell_no_clock(pass, target);
	if (verdict.step == LADDER_FALLBACK && fall_back(pass, target, verdict.why, &err))
		pass_tell(pass, EVENT_BROKEN, target->name, err.text,
			  "the service needs a hand now");
}

void pass_expired_ladder(struct pass *pass)
{
	for (size_t i = 0; i < pass->certificate->n_targets; i++)
		climb(pass, i);
}

int pass_fallback(struct pass *pass, const char *only, struct err *err)
{
	size_t tried = 0;

	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];

		if ((only && strcmp(only, target->name) != 0) || !target->http)
			continue;
		tried++;
		if (fall_back(pass, target, "an operator asked for it", err))
			return -1;
	}
	if (!tried)
		return err_set(err, ERR_CONFIG,
			       "no target of '%s' has an `http:` address to fall back to",
			       pass->certificate->name);
	return 0;
}

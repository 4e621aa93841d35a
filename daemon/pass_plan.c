/* pass_plan.c - when to look at a certificate again: what is known of it, for schedule.c.
 */
#include "daemon/pass.h"

#include "base/cert.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/facts.h"
#include "daemon/rehearsal.h"
#include "daemon/schedule.h"

#define HOLD_S 60 /* for the next one of its service; then it is brought in alone */
#define AFTER_ERROR_S 300
#define CLOCK_AGAIN_S 3600 /* how long an unconfirmed clock delays a retirement */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* 0: nothing soaks. */
static int64_t next_soak(const struct pass *pass, int64_t now)
{
	int64_t next = 0, at;

	for (size_t i = 0; i < pass->state.n_targets; i++) {
		int64_t until = pass->state.targets[i].watched_until;

		if (!until || pass->state.targets[i].mode != MODE_HTTPS)
			continue;
		at = schedule_soak(now, pass->certificate->targets[i].soak_s, until);
		next = !next || at < next ? at : next;
	}
	return next;
}

/* By habit, to put something back, or to see whether a failure is mended. */
static int64_t next_inspection(const struct pass *pass)
{
	const struct job *job = &pass->job;
	int64_t at = schedule_inspection(pass->certificate->name, job->inspected_files_at,
					 pass->in->config->inspect_files_every_s);
	int64_t settle_at = schedule_settle(&job->deployment, job->inspected_files_at);

	if (job->heal_at && job->heal_at < at)
		at = job->heal_at;
	return settle_at < at ? settle_at : at;
}

void pass_plan_next(struct pass *pass)
{
	const struct config *config = pass->in->config;
	const struct job *job = &pass->job;
	struct renewal_facts facts = facts_for_renewal(
		config, pass->certificate, pass->have_current ? pass->current.cert : NULL,
		&pass->job);
	struct renewal_verdict verdict;
	struct schedule_verdict next;
	struct schedule_facts when = { .deploy_at = CLOCK_NEVER,
				       .retire_at = CLOCK_NEVER,
				       .expires_at = CLOCK_NEVER,
				       .ask_advice_at = CLOCK_NEVER,
				       .inspect_at = CLOCK_NEVER,
				       .prove_spare_at = CLOCK_NEVER,
				       .rehearse_at = CLOCK_NEVER,
				       .ladder_at = pass->ladder_at ? pass->ladder_at
								    : CLOCK_NEVER };

	pass->now = when.now = clock_wall();
	when.soak_at = next_soak(pass, when.now);
	when.rehearse_at = pass_rehearsal_at(pass);
	when.prove_spare_at = pass_spares_at(pass);
	verdict = renewal_decide(&facts, &pass->certificate->renew_at, when.now);
	when.renew_at = pass_just_expired(pass)
				? when.now
				: later(verdict.due_at, job->renewal.next_at);
	if (pass->have_current)
		when.expires_at = cert_over_at(cert_not_after(pass->current.cert));
	if (pass->have_current && !pass_deployed(pass) && when.expires_at > when.now)
		when.deploy_at = pass_windows_open_at(
			pass, later(when.now, job->deployment.next_at));
	if (pass_deployed(pass)) {
		when.inspect_at = next_inspection(pass);
		if (!pass->state.retired && pass->state.retire_at != CLOCK_NEVER &&
		    !pass_on_http(pass))
			when.retire_at = pass->state.retire_at > when.now
						 ? pass->state.retire_at
						 : when.now + CLOCK_AGAIN_S;
		when.ask_advice_at = pass_advice_at(pass);
	}
	/* Somebody may have put it there while we were falling back. */
	if (pass->fell_back && pass_newer_was_put(pass))
		when.renew_at = when.now;
	if (pass_comes_from_store(pass) &&
	    when.now + config->inspect_files_every_s < when.inspect_at)
		when.inspect_at = when.now + config->inspect_files_every_s;
	if (pass_revocation_pending(pass) && when.now + AFTER_ERROR_S < when.renew_at)
		when.renew_at = when.now + AFTER_ERROR_S;
	if (pass->in->hold && when.deploy_at != CLOCK_NEVER)
		when.deploy_at = later(when.deploy_at, when.now + HOLD_S);
	next = schedule_next(&when);
	pass->out->next_at = next.at;
	str_copy(pass->out->next_why, sizeof(pass->out->next_why), next.why);
}

void pass_cannot_remember(struct pass *pass, const struct err *err)
{
	pass_tell(pass, EVENT_FAILED, "state", err->text,
		  "make room in the state directory and let it be written");
	if (pass->out->next_at < pass->now + AFTER_ERROR_S) {
		pass->out->next_at = pass->now + AFTER_ERROR_S;
		str_copy(pass->out->next_why, sizeof(pass->out->next_why),
			 "trying again");
	}
}

/* pipeline.c - the flow, straight down. Each stage stands in a file of its own (pass.h);
 * here is only their order, and what one failing means to the next: a renewal that fails
 * keeps nobody from deploying what is at hand, and nothing that fails keeps the ladder
 * from looking at the clock. */
#include "daemon/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "daemon/backoff.h"
#include "daemon/facts.h"
#include "daemon/kept_key.h"
#include "daemon/pass.h"
#include "daemon/persist.h"
#include "daemon/rehearsal.h"
#include "daemon/sessions.h"
#include "daemon/watch.h"
#include "hooks/fallback.h"

#define LOOK_AGAIN_AFTER_ERROR_S 300

/* What is missing is nothing to do for a command that needs it (there is no deployment to
 * roll back), and a failure for a renewal (there is no such service). */
static enum exit_code exit_code_of(const struct err *err, enum pipeline_command command)
{
	if (err->kind == ERR_NOT_FOUND && command != PIPELINE_KEEP &&
	    command != PIPELINE_RENEW)
		return EXIT_CODE_NOTHING;
	if (err->kind == ERR_CONFIG && command == PIPELINE_REVOKE)
		return EXIT_CODE_USAGE; /* it wants --force, say */
	return err->kind == ERR_DENIED ? EXIT_CODE_DENIED : EXIT_CODE_FAILED;
}

/* ---- decide -------------------------------------------------------------- */

static const struct cert *current_cert(const struct pass *pass)
{
	return pass->have_current ? pass->current.cert : NULL;
}

static bool held_back(const struct pass *pass)
{
	if ((pass->in->command == PIPELINE_RENEW && pass->in->force) ||
	    pass->in->command == PIPELINE_REVOKE)
		return false;
	return pass->job.renewal.count && pass->job.renewal.next_at > pass->now &&
	       !pass_just_expired(pass);
}

/* ---- renew --------------------------------------------------------------- */

/* How near the end is: by the attempts that remain, or where people have to bring the
 * next one, by the days that they have. */
static enum severity severity_of_failure(const struct pass *pass, int *ret_attempts_left)
{
	static const enum severity severities[] = {
		[WATCH_WELL] = SEVERITY_NOTICE,      [WATCH_NOTICE] = SEVERITY_NOTICE,
		[WATCH_WARNING] = SEVERITY_WARNING,  [WATCH_CRITICAL] = SEVERITY_CRITICAL,
		[WATCH_EXPIRED] = SEVERITY_CRITICAL,
	};
	const struct cert *cert = pass->current.cert;
	struct backoff_facts facts = {
		.failures = pass->job.renewal.count,
		.lifetime_s = cert_lifetime_s(cert),
		.remaining_s = cert_not_after(cert) - pass->now,
	};
	unsigned left;

	*ret_attempts_left = -1;
	if (!pass_can_be_forced(pass))
		return severities[watch_decide(&pass->certificate->renew_at,
					       cert_not_before(cert),
					       cert_not_after(cert), pass->now)
					  .step];
	left = backoff_attempts_left(&facts);
	*ret_attempts_left = (int)left;
	return event_expiring_severity(left);
}

static void tell_renewal_failed(struct pass *pass, const struct err *err)
{
	enum severity severity;
	int attempts_left;
	char next[CLOCK_TEXT_MAX];
	char *what, *todo;

	clock_format_people_local(pass->job.renewal.next_at, next);
	what = str_printf("renew '%s': %s; next try %s", pass->certificate->name,
			  err->text, next);
	todo = err->retry_after_s
		       ? str_dup("repair what it names, if anything; it is tried again "
				 "by "
				 "itself, and not before it may, not with --force either")
		       : str_printf("repair what it names; it is tried again by itself, "
				    "or by `certrenewd renew %s --force`",
				    pass->certificate->name);
	pass_tell(pass, EVENT_FAILED, NULL, what, todo);
	free(todo);
	free(what);
	if (!pass->have_current || cert_has_expired(pass->current.cert, pass->now))
		return;
	severity = severity_of_failure(pass, &attempts_left);
	if (severity == SEVERITY_NOTICE)
		return; /* `failed` has said it */
	pass_tell_as(pass, EVENT_EXPIRING, severity, NULL, err->text,
		     pass_can_be_forced(pass)
			     ? "repair what it names before the attempts run out"
			     : "put a newer certificate there, with its key, before this "
			       "one ends",
		     attempts_left);
}

static int renew(struct pass *pass, struct err *err)
{
	bool expired = pass->have_current &&
		       cert_has_expired(pass->current.cert, pass->now);

	if (!pass_preflight(pass, err) && !pass_issue(pass, err))
		return 0;
	if (err->kind == ERR_CANCELLED || pass->by_hand)
		return -1;
	if (expired)
		pass->job.rounds_since_expiry++;
	pass_count_failure(pass, &pass->job.renewal, err);
	pass->job.renewal.by_breaker = err->retry_after_s && !pass->told_to_wait;
	tell_renewal_failed(pass, err);
	return -1;
}

/* Nothing needs to be renewed any more: a clock was set right, advice was taken back.
 * What failed meanwhile is over, and the next inspection says so; what somebody asked to
 * wait for is waited for. */
static void forget_failed_renewals(struct pass *pass)
{
	struct failures *renewal = &pass->job.renewal;

	if (renewal->count && renewal->next_at <= pass->now)
		*renewal = (struct failures){ 0 };
}

/* A `deploy` has failed where the journals say that all is in place, so that nothing
 * deploys again; somebody has repaired by hand what it named, and a look has seen each
 * target serve what it should. */
static void forget_failed_deployments(struct pass *pass)
{
	if (pass->looks_well && pass->job.deployment.count)
		pass->job.deployment = (struct failures){ 0 };
}

/* ---- deploy and retire --------------------------------------------------- */

static bool deployment_unfinished(const struct pass *pass)
{
	bool any_done = false;

	for (size_t i = 0; i < pass->state.n_targets; i++) {
		const struct target_state *target = &pass->state.targets[i];

		if (target->unfinished)
			return true;
		any_done = any_done || target->end == DEPLOY_DONE;
	}
	/* Each target serves it, but the certificate's own journal does not say so: we
	 * died between the two, or it was lost. Nothing would ever be retired. */
	return any_done && pass_deployed(pass) && !pass->state.verified_at;
}

static bool deployment_due(struct pass *pass)
{
	if (!pass->have_current || pass_deployed(pass) || pass_is_revoked(pass) ||
	    cert_has_expired(pass->current.cert, pass->now))
		return false;
	if (pass->job.deployment.next_at > pass->now)
		return false;
	pass->waits = pass_windows_open_at(pass, pass->now) > pass->now;
	return !pass->waits && !pass->in->hold;
}

static void tell_clock_unconfirmed(struct pass *pass, const char *why)
{
	char *what = str_printf("the old certificate of '%s' is not deleted, because the "
				"clock is not confirmed: %s",
				pass->certificate->name, why);

	pass_note(pass, "retire", "%s", what);
	pass_tell(pass, EVENT_CLOCK_UNCONFIRMED, NULL, what,
		  "set the clock; it is confirmed as soon as a CA or a webhook agrees");
	free(what);
}

static bool retirement_due(struct pass *pass)
{
	struct clock_reading reading = clock_reading_now();
	char why[160];

	if (!pass_deployed(pass) || pass->state.retired ||
	    pass->state.retire_at > pass->now || pass_soaks_until(pass) ||
	    pass_on_http(pass))
		return false;
	if (clock_trusted(&pass->trust, &reading, why))
		return true;
	tell_clock_unconfirmed(pass, why);
	return false;
}

static int retire(struct pass *pass, struct err *err)
{
	if (retirement_due(pass))
		return pass_retire(pass, err);
	/* We may have died between the journal and the last of the old versions. */
	if (pass_deployed(pass) && pass->state.verified_at)
		return pass_prune(pass, err);
	return 0;
}

/* ---- the flow ------------------------------------------------------------ */

static int keep_alive(struct pass *pass, struct err *err)
{
	struct renewal_facts facts;
	struct renewal_verdict verdict;
	struct err deploy_err;
	int rc = 0;

	if (pass_revocation_pending(pass) && pass_finish_revocation(pass, err))
		rc = -1;
	pass_resume_fallbacks(pass);
	if (deployment_unfinished(pass))
		rc = pass_deploy(pass, false, err);
	if (!rc && pass_soaks_until(pass))
		rc = pass_soak(pass, err);
	pass_inspect(pass);
	forget_failed_deployments(pass);
	pass_ask_advice(pass);

	facts = facts_for_renewal(pass->in->config, pass->certificate, current_cert(pass),
				  &pass->job);
	facts.forced = pass->in->command == PIPELINE_RENEW && pass->in->force &&
		       pass_can_be_forced(pass);
	facts.newer_was_put = pass_newer_was_put(pass);
	facts.key_lost = pass->have_current &&
			 kept_key_is_lost(pass->in->config, pass->certificate, &pass->job,
					  &pass->current);
	verdict = renewal_decide(&facts, &pass->certificate->renew_at, pass->now);
	if (verdict.reason == NOT_DUE) {
		forget_failed_renewals(pass);
		pass_tell_well(pass);
	} else if (verdict.reason == NEWER_WAS_PUT || !held_back(pass)) {
		pass_note(pass, "decide", "due: %s", renewal_reason_text(verdict.reason));
		pass->by_hand = verdict.reason == OPERATOR_ASKED;
		rc = renew(pass, err);
	}
	if (!cancel_requested(pass->in->cancel) && deployment_due(pass) &&
	    pass_deploy(pass, false, &deploy_err)) {
		if (!rc) /* a renewal that failed is the first thing to say */
			*err = deploy_err;
		rc = -1;
	}
	if (!rc)
		rc = retire(pass, err);
	pass_forget_revocation(pass);
	pass_forget_key(pass);
	pass_hand_over(pass);
	pass_ask_advice(pass); /* about the one that was just issued (RFC 9773 4.3) */
	pass_watch_persist(pass);
	pass_register_spares(pass);
	if (!cancel_requested(pass->in->cancel))
		pass_expired_ladder(pass);
	if (!rc && !pass->acted && pass->in->command == PIPELINE_KEEP) {
		pass_foresee(pass);
		pass_rehearse_by_habit(pass);
		pass_rehearse_spares(pass);
	}
	if (!rc)
		pass_conclude_renewal(pass, &verdict);
	return rc;
}

/* The CA has taken it back; the next one is ordered and brought in at once. */
static int revoke_on_command(struct pass *pass, struct err *err)
{
	if (pass_revoke(pass, err))
		return -1;
	if (keep_alive(pass, err))
		return err_wrap(err,
				"it is revoked, but what follows it is not served yet");
	return 0;
}

static int deploy_on_command(struct pass *pass, struct err *err)
{
	if (pass_check_deployable(pass, err) ||
	    (pass->in->take_folder && pass_take_folders(pass, err)) ||
	    pass_deploy(pass, true, err) || retire(pass, err))
		return -1;
	pass_conclude_deployment(pass);
	return 0;
}

static int roll_back_on_command(struct pass *pass, struct err *err)
{
	char *text;

	if (pass_rollback(pass, err))
		return -1;
	text = str_printf(
		"'%s' is rolled back and left alone until `certrenewd deploy %s`",
		pass->certificate->name, pass->certificate->name);
	pass_conclude(pass, EXIT_CODE_DONE, text);
	free(text);
	return 0;
}

static int fall_back_on_command(struct pass *pass, struct err *err)
{
	if (pass_fallback(pass, pass->in->only, err))
		return -1;
	pass_conclude(pass, EXIT_CODE_DONE, "it speaks plain HTTP now");
	return 0;
}

static int rehearse_on_command(struct pass *pass, struct err *err)
{
	char *text;

	if (pass_rehearse(pass, err))
		return -1;
	text = str_printf("rehearsal of '%s': all is well", pass->certificate->name);
	pass_conclude(pass, EXIT_CODE_DONE, text);
	free(text);
	return 0;
}

static int publish_on_command(struct pass *pass, struct err *err)
{
	char *text;

	if (pass_publish(pass, err))
		return -1;
	text = str_printf("the DNS has what '%s' needs", pass->certificate->name);
	pass_conclude(pass, EXIT_CODE_DONE, text);
	free(text);
	return 0;
}

typedef int pipeline_flow(struct pass *pass, struct err *err);

static pipeline_flow *const flows[] = {
	[PIPELINE_KEEP] = keep_alive,
	[PIPELINE_RENEW] = keep_alive,
	[PIPELINE_DEPLOY] = deploy_on_command,
	[PIPELINE_ROLLBACK] = roll_back_on_command,
	[PIPELINE_FALLBACK] = fall_back_on_command,
	[PIPELINE_HTTPS] = deploy_on_command,
	[PIPELINE_REVOKE] = revoke_on_command,
	[PIPELINE_REHEARSE] = rehearse_on_command,
	[PIPELINE_PUBLISH] = publish_on_command,
};
_Static_assert(sizeof(flows) / sizeof(*flows) == PIPELINE_COMMANDS, "one flow a command");

void pipeline_run(const struct pipeline_input *input, struct pipeline_outcome *ret)
{
	struct pass pass;
	struct err err = { 0 }, save_err;

	memset(ret, 0, sizeof(*ret));
	sessions_use(input->sessions, input->config, input->generation);
	if (pass_open(&pass, input, ret, &err)) {
		pass_tell(&pass, EVENT_FAILED, NULL, err.text, NULL);
		pass_conclude(&pass, exit_code_of(&err, input->command), err.text);
		ret->next_at = pass.now + LOOK_AGAIN_AFTER_ERROR_S;
		str_copy(ret->next_why, sizeof(ret->next_why), "trying again");
		pass_close(&pass);
		return;
	}
	pass_tell_untold(&pass);
	if (facts_only_watched(input->config, input->certificate)) {
		pass_watch(&pass);
	} else {
		if (flows[input->command](&pass, &err))
			pass_conclude(&pass, exit_code_of(&err, input->command),
				      err.text);
		pass_keep_sightings(&pass);
		pass_plan_next(&pass);
	}
	sessions_rest(input->sessions);
	ret->not_saved = pass_save_job(&pass, &save_err) != 0;
	if (ret->not_saved)
		pass_cannot_remember(&pass, &save_err);
	else /* told when it was wrong before */
		pass_tell(&pass, EVENT_RECOVERED, "state", "the state is on disk again",
			  NULL);
	pass_close(&pass);
}

void pipeline_outcome_clear(struct pipeline_outcome *outcome)
{
	event_list_clear(&outcome->events);
	cJSON_Delete(outcome->findings);
	outcome->findings = NULL;
}

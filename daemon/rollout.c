/* rollout.c - from a certificate at hand to one that is served: hands the deployment to
 * hooks/, and turns its outcomes into events, failures and what is remembered. */
#include "daemon/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "daemon/companions.h"
#include "daemon/winacme/handover.h"
#include "hooks/mode.h"

/* How often a service that its administrator stopped is looked at. */
#define LOOK_AT_SERVICE_EVERY_S 60

static void forget_failures(struct failures *failures)
{
	memset(failures, 0, sizeof(*failures));
}

/* Adds up the outcomes: 0 when nothing failed; else err is the first failure. */
static int judge(struct pass *pass, const struct deploy_outcome *outcome,
		 const char *only, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < outcome->n_targets; i++) {
		const struct target_outcome *target = &outcome->targets[i];

		if ((only && strcmp(only, target->target) != 0) ||
		    (pass->deployment.held && pass->deployment.held[i]))
			continue;
		pass_tell_end(pass, target);
		if (!pass_end_failed(target->end) || rc)
			continue;
		*err = target->err;
		if (err->kind ==
		    ERR_NOT_FOUND) /* its service, say: not "nothing to do" */
			err->kind = ERR_CONFIG;
		if (err->kind == ERR_NONE)
			err_set(err, ERR_TRANSIENT, "target '%s' is %s", target->target,
				deploy_end_name(target->end));
		rc = -1;
	}
	return rc;
}

int64_t pass_soaks_until(const struct pass *pass)
{
	int64_t until = 0;

	for (size_t i = 0; i < pass->state.n_targets; i++) {
		const struct target_state *target = &pass->state.targets[i];

		if (target->mode == MODE_HTTPS && target->watched_until > until)
			until = target->watched_until;
	}
	return until;
}

static bool any_done(const struct deploy_outcome *outcome)
{
	for (size_t i = 0; i < outcome->n_targets; i++)
		if (outcome->targets[i].end == DEPLOY_DONE)
			return true;
	return false;
}

/* What was just written is known again when somebody puts it back one day. */
static void note_written(struct pass *pass, const struct deploy_outcome *outcome)
{
	for (size_t i = 0; i < outcome->n_targets; i++)
		if ((outcome->targets[i].end == DEPLOY_DONE ||
		     outcome->targets[i].end == DEPLOY_WAITING) &&
		    !pass->deployment.held[i])
			pass_note_written(pass, i);
}

static int deploy(struct pass *pass, const char *only, bool take_over, struct err *err)
{
	struct companions *with = companions_open(pass);
	bool was_served = pass_deployed(pass) && pass->state.verified_at;
	struct deploy_outcome outcome = { 0 };
	struct err state_err;
	int rc;

	pass->deployment.sharing = companions_sharing(with);
	rc = deploy_run(&pass->deployment, only, take_over, &outcome, err);
	pass->deployment.sharing = NULL;
	if (!rc && companions_spoiled(with) && !cancel_requested(pass->in->cancel)) {
		pass_note(pass, "companion", "tried again alone");
		deploy_outcome_clear(&outcome);
		rc = deploy_run(&pass->deployment, only, take_over, &outcome, err);
	}
	if (!rc)
		rc = judge(pass, &outcome, only, err);
	note_written(pass, &outcome);
	pass->acted = true;
	pass->now = clock_wall();
	if (!rc) {
		forget_failures(&pass->job.deployment);
		if (!outcome.all_done && !pass->waits)
			pass->job.deployment.next_at = pass->now +
						       LOOK_AT_SERVICE_EVERY_S;
		if (outcome.all_done && !was_served && any_done(&outcome))
			pass_tell_renewed(pass);
	} else if (!cancel_requested(pass->in->cancel)) {
		pass_count_failure(pass, &pass->job.deployment, err);
	}
	deploy_outcome_clear(&outcome);
	if (pass_reload_state(pass, &state_err))
		pass_note(pass, "deploy", "journals unreadable: %s", state_err.text);
	companions_finish(with);
	return rc;
}

int pass_soak(struct pass *pass, struct err *err)
{
	struct deploy_outcome outcome = { 0 };
	struct err state_err;
	int rc = deploy_soak(&pass->deployment, &outcome, err);

	for (size_t i = 0; !rc && i < outcome.n_targets; i++) {
		const struct target_outcome *target = &outcome.targets[i];

		if (target->end == DEPLOY_DONE || target->err.kind == ERR_NONE)
			continue;
		pass_tell_end(pass, target);
		*err = target->err;
		rc = -1;
	}
	pass->touched = pass->touched || rc;
	if (rc && !cancel_requested(pass->in->cancel))
		pass_count_failure(pass, &pass->job.deployment, err);
	deploy_outcome_clear(&outcome);
	if (pass_reload_state(pass, &state_err))
		pass_note(pass, "soak", "journals unreadable: %s", state_err.text);
	return rc;
}

int pass_deploy(struct pass *pass, bool take_over, struct err *err)
{
	bool *held;
	int rc;

	if (!pass->have_current)
		return err_set(err, ERR_NOT_FOUND,
			       "there is no certificate to deploy yet%s",
			       pass->in->take_folder
				       ? "; its folders are ours now, and `certrenewd "
					 "renew` brings in the first"
				       : "");
	pass->now = clock_wall();
	held = pass_held(pass, &pass->waits);
	pass->deployment.held = held;
	rc = deploy(pass, pass->in->only, take_over, err);
	pass->deployment.held = NULL;
	free(held);
	return rc;
}

int pass_bring_back(struct pass *pass, const bool *held, struct err *err)
{
	int rc;

	pass->deployment.held = held;
	pass->deployment.spare_restart = true;
	rc = deploy(pass, NULL, true, err);
	pass->deployment.spare_restart = false;
	pass->deployment.held = NULL;
	return rc;
}

int pass_take_folders(struct pass *pass, struct err *err)
{
	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];

		if (pass->in->only && !str_equal(pass->in->only, target->name))
			continue;
		if (owner_take(&pass->owner, target->tls_json, true, err))
			return -1;
	}
	return 0;
}

int pass_deploy_version(struct pass *pass, const struct version *version,
			const char *target, struct err *err)
{
	const struct version newest = pass->current;
	struct deploy_outcome outcome = { 0 };
	struct err state_err;
	int rc;

	pass_take_version(pass, version);
	rc = deploy_run(&pass->deployment, target, false, &outcome, err);
	if (!rc)
		rc = judge(pass, &outcome, target, err);
	pass_take_version(pass, &newest);
	deploy_outcome_clear(&outcome);
	pass->acted = true;
	pass->now = clock_wall();
	if (pass_reload_state(pass, &state_err))
		pass_note(pass, "deploy", "journals unreadable: %s", state_err.text);
	return rc;
}

void pass_hand_over(struct pass *pass)
{
	struct strlist notes = { 0 };
	struct err err;

	if (!pass_deployed(pass) || !pass->state.verified_at)
		return;
	if (!pass->job.told_sha1[0]) /* a file of an older version, or a damaged one */
		pass_note_renewed(pass);
	if (handover_proven(pass->in->config->state_dir, pass->certificate->name, &notes,
			    &err))
		pass_note(pass, "import", "%s", err.text);
	for (size_t i = 0; i < notes.n; i++)
		pass_note(pass, "import", "%s", notes.items[i]);
	strlist_clear(&notes);
}

int pass_retire(struct pass *pass, struct err *err)
{
	struct deploy_outcome outcome = { 0 };
	int rc = deploy_retire(&pass->deployment, &outcome, err);

	for (size_t i = 0; i < outcome.n_targets; i++)
		for (size_t k = 0; k < outcome.targets[i].notes.n; k++)
			pass_note(pass, "retired", "%s: %s", outcome.targets[i].target,
				  outcome.targets[i].notes.items[k]);
	deploy_outcome_clear(&outcome);
	if (!rc)
		rc = pass_reload_state(pass, err) || pass_prune(pass, err);
	if (rc)
		return err_wrap(err, "retire the old certificate");
	pass->acted = true;
	return 0;
}

int pass_prune(struct pass *pass, struct err *err)
{
	int64_t oldest = pass->state.oldest;

	if (!oldest)
		return 0;
	return versions_prune(pass->folder,
			      oldest < pass->current.n ? oldest : pass->current.n, err);
}

/* A target that the operator took back is the operator's until `deploy`. */
/* What was put back (healed) has no way back but the operator's own. */
static const struct target *put_back_since(const struct pass *pass)
{
	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];

		if ((!pass->in->only || str_equal(pass->in->only, target->name)) &&
		    target->tls_json && pass_target_deployed(pass, i) &&
		    str_equal(pass->state.targets[i].old_sha1, pass->state.sha1))
			return target;
	}
	return NULL;
}

static void say_by_hand(struct pass *pass, struct err *err)
{
	const struct target *target = put_back_since(pass);
	struct version before;
	char why[sizeof(err->text)];

	if (err->kind != ERR_NOT_FOUND || !target ||
	    pass_find_older(pass, target->name, &before))
		return;
	snprintf(why, sizeof(why), "%s", err->text);
	err_set(err, ERR_NOT_FOUND,
		"%s; that one, %s, is at hand until it is retired: name it in '%s' and "
		"restart the service, certrenewd then leaves both alone until "
		"`certrenewd deploy %s`",
		why, cert_sha1(before.cert), target->tls_json, pass->certificate->name);
	version_clear(&before);
}

int pass_rollback(struct pass *pass, struct err *err)
{
	struct deploy_outcome outcome = { 0 };
	int rc;

	if (!pass->have_current)
		return err_set(err, ERR_NOT_FOUND,
			       "nothing to roll back: nothing was deployed yet");
	rc = deploy_rollback(&pass->deployment, pass->in->only, &outcome, err);
	if (rc)
		say_by_hand(pass, err);
	for (size_t i = 0; !rc && i < outcome.n_targets; i++) {
		const struct target_outcome *target = &outcome.targets[i];

		if (target->end == DEPLOY_ROLLED_BACK) {
			pass_note(pass, "undo", "'%s' is back to what it served before",
				  target->target);
			rc = target_mode_write(pass->folder, target->target,
					       MODE_OPERATOR, err);
		} else if (target->err.kind != ERR_NONE) {
			*err = target->err;
			pass_tell_end(pass, target);
			rc = -1;
		}
	}
	deploy_outcome_clear(&outcome);
	pass->acted = true;
	return rc;
}

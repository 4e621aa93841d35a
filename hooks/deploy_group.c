/* A group forward: pointed, restarted, verified. Everything that goes wrong on the way is
 * handed to deploy_undo.c. */
#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/files.h"
#include "hooks/idle.h"
#include "hooks/placeholders.h"
#include "hooks/plan.h"
#include "hooks/programs.h"
#include "hooks/transaction.h"

static enum movement after_failure(const struct err *err)
{
	return err->kind == ERR_CANCELLED ? HALTED : FAILED;
}

static enum movement move_all(struct group *group, const struct journal_change *change,
			      struct err *err)
{
	for (size_t i = 0; i < group->n; i++)
		if (journal_move(&group->members[i]->journal, change, err))
			return HALTED;
	return MOVED;
}

/* ---- pointed ------------------------------------------------------------- */

static int run_program(const struct member *member, const struct program *program,
		       struct err *err)
{
	struct strlist argv = { 0 };
	struct program expanded = *program;
	int rc;

	placeholders_expand(member, program->argv, &argv);
	expanded.argv = (const char *const *)argv.items;
	rc = program_run(&expanded, member->deployment, member->target, err);
	strlist_clear(&argv);
	return rc;
}

static int apply_changes(struct member *member, struct err *err)
{
	const struct target *target = member->target;

	for (size_t i = 0; i < member->plan.n; i++) {
		const struct change *change = &member->plan.items[i];

		if (change->kind != CHANGE_WATCHED && !change_is_applied(change) &&
		    saved_apply(journal_file(&member->journal, change->path), change,
				err))
			return -1;
	}
	for (size_t i = 0; i < target->n_programs; i++)
		if (run_program(member, &target->programs[i], err))
			return -1;
	for (size_t i = 0; i < member->journal.n_files; i++)
		if (saved_note_new(&member->journal.files[i], err))
			return -1;
	return 0;
}

static enum movement point(struct member *member, struct err *err)
{
	struct journal_change change = {
		.state = STEP_POINTED,
		.intent = STEP_POINTED,
		.text = "files and links name the new certificate",
	};

	if (member->journal.state >= STEP_POINTED)
		return MOVED; /* resumed: seen to be so */
	if (cancel_check(member->deployment->cancel, err))
		return HALTED;
	if (apply_changes(member, err)) {
		if (err->kind == ERR_CANCELLED)
			return HALTED;
		err_wrap(err, "point");
		member_say_end(member, DEPLOY_PENDING, err->kind, err->text);
		return FAILED;
	}
	return journal_move(&member->journal, &change, err) ? HALTED : MOVED;
}

/* Before the first file is switched, so that files and application agree meanwhile. */
static enum movement wait_until_idle(struct group *group, struct err *err)
{
	for (size_t i = 0; i < group->n; i++)
		if (group->members[i]->journal.state < STEP_POINTED &&
		    idle_wait(group->members[i], err))
			return after_failure(err);
	return MOVED;
}

/* What a program will rewrite must still be what was saved: before the first of them
 * runs, because two targets may name the same file. */
static enum movement check_watched(struct member *member, struct err *err)
{
	struct journal *journal = &member->journal;
	enum saved_look look;

	for (size_t i = 0; i < journal->n_files && !member->resumed; i++) {
		struct saved *saved = &journal->files[i];

		if (saved->kind != CHANGE_WATCHED)
			continue;
		if (saved_look(saved, &look, err))
			return FAILED;
		if (look == LOOK_SAVED)
			continue;
		saved->theirs = true;
		err_set(err, ERR_TRANSIENT,
			"'%s' was changed by somebody else before the program that "
			"rewrites it was run; nothing was overwritten",
			saved->path);
		member_say_end(member, DEPLOY_PENDING, err->kind, err->text);
		return FAILED;
	}
	return MOVED;
}

static enum movement point_all(struct group *group, struct err *err)
{
	enum movement movement = MOVED;

	for (size_t i = 0; i < group->n && movement == MOVED; i++)
		if (group->members[i]->journal.state < STEP_POINTED)
			movement = check_watched(group->members[i], err);
	for (size_t i = 0; i < group->n && movement == MOVED; i++)
		movement = point(group->members[i], err);
	return movement;
}

/* ---- restarted ----------------------------------------------------------- */

static int wait_for_service(struct group *group, struct err *err)
{
	static const char text[] =
		"files are switched; the service is stopped and is not "
		"started: waiting until somebody starts it";
	struct journal_change change = {
		.state = STEP_POINTED,
		.end = DEPLOY_WAITING,
		.text = text,
	};

	for (size_t i = 0; i < group->n; i++) {
		if (member_end(group->members[i], &change, text, err))
			return -1;
		member_say_end(group->members[i], DEPLOY_WAITING, ERR_TRANSIENT, text);
	}
	return 0;
}

/* Did an attempt that died have its hands on the service already? */
static bool was_restarting(const struct group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (group->members[i]->journal.intent >= STEP_RESTARTED)
			return true;
	return false;
}

static enum movement restart(struct group *group, struct err *err)
{
	const struct journal_change intent = {
		.state = STEP_POINTED,
		.intent = STEP_RESTARTED,
		.text = "the application is told to use it",
	};
	const struct journal_change done = {
		.state = STEP_RESTARTED,
		.intent = STEP_VERIFIED,
		.text = "the application runs; asking what it serves",
	};

	if (cancel_check(group->deployment->cancel, err))
		return HALTED;
	if (move_all(group, &intent, err) != MOVED)
		return HALTED;
	if (group->deployment->sharing)
		group->deployment->sharing->point(group->deployment->sharing->ctx,
						  group_service(group));
	if (group_restart(group, err))
		return after_failure(err);
	return move_all(group, &done, err);
}

/* ---- verified ------------------------------------------------------------ */

static enum movement verify(struct member *member, struct err *err)
{
	const struct target *target = member->target;
	struct probe_result *baseline = mem_calloc(target->n_verify + 1,
						   sizeof(*baseline));
	int rc;

	for (size_t i = 0; i < target->n_verify; i++)
		baseline[i] = *journal_seen(&member->journal, target->verify[i].connect);
	rc = probe_verify(target->verify, target->n_verify,
			  member->deployment->material->cert, baseline,
			  target->verify_timeout_s, member->deployment->cancel, err);
	free(baseline);
	if (!rc)
		return MOVED;
	if (err->kind == ERR_CANCELLED)
		return HALTED;
	err_wrap(err, "verify");
	member_say_end(member, DEPLOY_PENDING, err->kind, err->text);
	return FAILED;
}

static enum movement verify_all(struct group *group, struct err *err)
{
	enum movement movement = MOVED;

	for (size_t i = 0; i < group->n && movement == MOVED; i++)
		movement = verify(group->members[i], err);
	return movement;
}

/* ---- the end ------------------------------------------------------------- */

/* A guard that will not go is said aloud, but HTTPS is served: there is nothing to roll
 * back. Once it has come to its end it is not run again. */
static int take_guard_off(struct member *member, struct err *err)
{
	const struct journal_change released = {
		.state = STEP_RELEASED,
		.text = guard_exists(member->target) ? "the guard is off"
						     : "plain HTTP is over",
	};
	struct err failure;

	if (member->kept.exists && member->kept.state >= STEP_RELEASED)
		return 0;
	if (guard_off(member->deployment, member->target, &failure)) {
		err_wrap(&failure, "after_fallback");
		strlist_add(&member->outcome->notes, failure.text);
		deploy_say(member->deployment, member->target->name, "released", "%s",
			   failure.text);
	}
	return member->kept.exists ? journal_move(&member->kept, &released, err) : 0;
}

/* The way back from plain HTTP ends with the guard's release. */
static int release(struct member *member, struct err *err)
{
	const struct deployment *deployment = member->deployment;
	const struct target *target = member->target;
	const struct journal_change change = {
		.state = STEP_VERIFIED,
		.intent = STEP_RELEASED,
		.text = "HTTPS is served again",
	};

	if (member_is_on_http(member) &&
	    (journal_move(&member->journal, &change, err) || take_guard_off(member, err)))
		return -1;
	if (member->mode != MODE_HTTPS &&
	    target_mode_write(deployment->folder, target->name, MODE_HTTPS, err))
		return -1;
	member->mode = MODE_HTTPS;
	if (member->kept.exists && journal_remove(&member->kept, err))
		return -1;
	/* Also what a run that died between the two has left. */
	return journal_sweep(&member->kept, "settings", err);
}

static int64_t soak_end(const struct member *member)
{
	int64_t soak_s = member->target->soak_s;

	return soak_s ? member->journal.verified_at + soak_s : 0;
}

static int complete(struct group *group, struct err *err)
{
	const struct journal_change change = {
		.state = STEP_VERIFIED,
		.end = DEPLOY_DONE,
		.text = "seen serving the new certificate",
	};

	for (size_t i = 0; i < group->n; i++) {
		struct member *member = group->members[i];

		if (release(member, err))
			return -1;
		member->journal.verified_at = clock_wall();
		member->journal.soak_until = soak_end(member);
		member->journal.by_operator = false;
		if (member_end(member, &change, NULL, err))
			return -1;
		member_say_end(member, DEPLOY_DONE, ERR_NONE, NULL);
	}
	return 0;
}

/* Observation comes before action: is everything as it shall be already? */
static bool is_there_already(const struct group *group)
{
	const struct cert *cert = group->deployment->material->cert;

	for (size_t i = 0; i < group->n; i++) {
		const struct member *member = group->members[i];
		bool watched_count = member->journal.state >= STEP_POINTED;

		if (member->target->n_verify == 0 ||
		    !plan_is_applied(&member->plan, watched_count) ||
		    !member_serves(member, cert_sha1(cert)))
			return false;
	}
	return true;
}

/* ---- forward ------------------------------------------------------------- */

/* Who was it? The others of the group only go along. */
static const char *find_culprit(const struct group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (group->members[i]->outcome->err.kind != ERR_NONE)
			return group->members[i]->target->name;
	return NULL;
}

/* Undoes what is in the middle. A member that could not even begin has no part in it. */
static int give_up(struct group *group, const struct err *cause, struct err *err)
{
	const struct material *material = group->deployment->material;
	struct member **begun = mem_calloc(group->n, sizeof(struct member *));
	struct group part = { group->deployment, begun, 0, find_culprit(group) };
	int rc = 0;

	for (size_t i = 0; i < group->n; i++) {
		struct member *member = group->members[i];
		enum deploy_end end = member->journal.end;

		if (journal_is_about(&member->journal, material) &&
		    (journal_unfinished(&member->journal) || end == DEPLOY_BROKEN ||
		     end == DEPLOY_WAITING))
			begun[part.n++] = member;
		else if (member->outcome->err.kind == ERR_NONE)
			member_say_end(member, DEPLOY_PENDING, cause->kind, cause->text);
	}
	if (part.n > 0)
		rc = group_undo(&part, cause, err);
	free(begun);
	return rc;
}

static enum movement begin_all(struct group *group, struct err *err)
{
	enum movement movement = MOVED;

	for (size_t i = 0; i < group->n && movement == MOVED; i++) {
		movement = member_begin(group->members[i], err);
		if (movement == FAILED)
			member_say_end(group->members[i], DEPLOY_PENDING, err->kind,
				       err->text);
	}
	return movement;
}

/* The files were put back below an application that serves the certificate all the time.
 */
static bool needs_no_restart(const struct group *group)
{
	const struct cert *cert = group->deployment->material->cert;

	if (!group->deployment->spare_restart)
		return false;
	for (size_t i = 0; i < group->n; i++)
		if (group->members[i]->target->n_verify == 0 ||
		    !member_serves(group->members[i], cert_sha1(cert)))
			return false;
	return true;
}

/* Restart and verify, unless its admin has stopped the service. */
static enum movement bring_up(struct group *group, bool *ret_waits, struct err *err)
{
	enum service_state state;
	enum movement movement;

	*ret_waits = false;
	if (needs_no_restart(group))
		return verify_all(group, err);
	if (group_inspect(group, &state, err))
		return after_failure(err);
	if (state == SERVICE_IS_STOPPED && !was_restarting(group)) {
		*ret_waits = true;
		return MOVED;
	}
	movement = restart(group, err);
	return movement == MOVED ? verify_all(group, err) : movement;
}

/* Who asked for the files alone restarts the service now. */
static int leave_pointed(struct group *group, struct err *err)
{
	const struct journal_change change = {
		.state = STEP_POINTED,
		.intent = STEP_RESTARTED,
		.text = "the restart is shared with another certificate of its service",
	};

	return move_all(group, &change, err) == MOVED ? 0 : -1;
}

static int go_forward(struct group *group, struct err *err)
{
	bool alone = group->deployment->point_only != NULL;
	enum movement movement;
	struct err cause;
	bool waits = false;

	movement = begin_all(group, &cause);
	if (movement == MOVED && is_there_already(group))
		return complete(group, err);
	if (movement == MOVED && !alone)
		movement = wait_until_idle(group, &cause);
	if (movement == MOVED)
		movement = point_all(group, &cause);
	if (movement == MOVED && alone && !leave_pointed(group, &cause))
		return 0;
	if (movement == MOVED)
		movement = alone ? HALTED : bring_up(group, &waits, &cause);
	switch (movement) {
	case MOVED:
		return waits ? wait_for_service(group, err) : complete(group, err);
	case FAILED:
		return give_up(group, &cause, err);
	case HALTED:
		break;
	}
	*err = cause;
	return -1;
}

/* ---- finishing what was going back --------------------------------------- */

/* Is any member on its way back? Then all are; `why` is the reason of the first. */
static bool is_going_back(const struct group *group, struct err *ret_cause,
			  bool *ret_was_broken)
{
	bool back = false;

	*ret_was_broken = false;
	for (size_t i = 0; i < group->n; i++) {
		const struct journal *journal = &group->members[i]->journal;

		if (!journal->exists || !journal->back ||
		    (journal->end != DEPLOY_PENDING && journal->end != DEPLOY_BROKEN))
			continue;
		if (!back)
			err_set(ret_cause, ERR_TRANSIENT, "%s", journal->why);
		back = true;
		*ret_was_broken = *ret_was_broken || journal->end == DEPLOY_BROKEN;
	}
	return back;
}

/* A member that was back already when we died is as its journal says. */
static void say_who_was_back(struct group *group)
{
	for (size_t i = 0; i < group->n; i++) {
		struct member *member = group->members[i];
		const struct journal *journal = &member->journal;

		if (member->outcome->end == DEPLOY_PENDING &&
		    journal_is_about(journal, group->deployment->material) &&
		    journal->end == DEPLOY_ROLLED_BACK)
			member_say_end(member, DEPLOY_ROLLED_BACK, ERR_TRANSIENT,
				       journal->why);
	}
}

int group_deploy(struct group *group, struct err *err)
{
	bool was_broken, broken = false;
	struct err cause;

	if (!is_going_back(group, &cause, &was_broken))
		return go_forward(group, err);
	if (give_up(group, &cause, err))
		return -1;
	say_who_was_back(group);
	for (size_t i = 0; i < group->n; i++)
		broken = broken || group->members[i]->outcome->end == DEPLOY_BROKEN;
	/* Broken twice on the way back: the other way is tried too. */
	return broken && was_broken ? go_forward(group, err) : 0;
}

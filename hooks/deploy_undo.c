/* A group back to its baseline: direction synced first, files, service, proof. Where the
 * baseline is an expired or missing certificate there is no way back: forward then. */
#include <stdio.h>
#include <stdlib.h>

#include "hooks/mode.h"
#include "hooks/transaction.h"

struct undo { /* one way back of a group */
	struct group *group;
	const struct err *cause;
	bool touched;       /* the service was, or may have been, restarted by us */
	bool files_only;    /* somebody else restarts it */
	bool stopped;       /* by its admin: it stays so */
	struct err failure; /* of the way back itself; ERR_NONE: none */
};

/* The first thing that goes wrong on the way back is the one that people hear. */
static void remember_failure(struct undo *undo, const struct err *failure)
{
	if (undo->failure.kind == ERR_NONE)
		undo->failure = *failure;
}

/* "restart 'xc.service': ...; <ending>", with the culprit's name for those who share.
 * Gives. */
static char *compose(const struct undo *undo, const struct member *member,
		     const char *ending)
{
	const char *culprit = undo->group->culprit;

	if (!culprit || str_equal(culprit, member->target->name))
		return str_printf("%s; %s", undo->cause->text, ending);
	return str_printf("together with target '%s', which shares its service: %s; %s",
			  culprit, undo->cause->text, ending);
}

/* ---- forward, because there is nothing to go back to --------------------- */

static int end_forward(struct undo *undo, struct member *member, const char *why,
		       struct err *err)
{
	char *ending = str_printf("not taken back, because %s; it is tried again", why);
	char *text = compose(undo, member, ending);
	const struct journal_change change = {
		.state = member->journal.state,
		.intent = member->journal.intent,
		.end = DEPLOY_BROKEN,
		.text = text,
	};
	int rc = member_end(member, &change, text, err);

	member_say_end(member, DEPLOY_BROKEN, undo->cause->kind, text);
	free(text);
	free(ending);
	return rc;
}

static int stay_forward(struct undo *undo, const char *why, struct err *err)
{
	struct group *group = undo->group;
	struct err failure;

	if (group_start(group, &failure))
		deploy_say(group->deployment, group->members[0]->target->name, "undo",
			   "%s", failure.text);
	for (size_t i = 0; i < group->n; i++)
		if (end_forward(undo, group->members[i], why, err))
			return -1;
	return 0;
}

/* ---- files --------------------------------------------------------------- */

/* What we put is taken back; what is as before stays; what is neither is somebody's. */
static int restore_one(struct member *member, const struct saved *saved, struct err *err)
{
	const struct deployment *deployment = member->deployment;
	const char *name = member->target->name;
	enum saved_look look;
	struct err ignored;
	char *text;

	if (saved->theirs)
		return 0; /* never written by us; the cause names it */
	if (saved_look(saved, &look, err))
		return err_wrap(err, "put '%s' back", saved->path);
	if (look == LOOK_SAVED) {
		change_tidy(saved->kind, saved->path);
		return 0;
	}
	if (look == LOOK_OURS && saved_restore(saved, member->journal.folder, err) &&
	    (saved_look(saved, &look, &ignored) || look != LOOK_FOREIGN))
		return -1; /* else somebody came between our look and our write */
	if (look == LOOK_OURS) {
		member->restored = true;
		deploy_say(deployment, name, "undo", "'%s' is as it was", saved->path);
		return 0;
	}
	if (str_equal(saved->path, member->target->tls_json))
		member->foreign = true;
	text = str_printf(
		"'%s' was changed by somebody else meanwhile: it is left as it is",
		saved->path);
	strlist_add(&member->outcome->notes, text);
	deploy_say(deployment, name, "undo", "%s", text);
	free(text);
	return 0;
}

static void restore_files(struct undo *undo, struct member *member)
{
	struct err failure;

	for (size_t i = member->journal.n_files; i-- > 0;)
		if (restore_one(member, &member->journal.files[i], &failure))
			remember_failure(undo, &failure);
}

/* ---- service ------------------------------------------------------------- */

static bool anything_was_served(const struct group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (member_served_something(group->members[i]))
			return true;
	return false;
}

static bool met_somebody(const struct group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (member_met_somebody(group->members[i]))
			return true;
	return false;
}

static void restore_service(struct undo *undo)
{
	struct group *group = undo->group;
	struct err failure;
	const char *name;

	if (undo->stopped && !undo->touched)
		return;
	if (!undo->touched && met_somebody(group))
		return; /* what is served now may be their work */
	if (!undo->touched && !group_shows_baseline(group))
		undo->touched = true; /* somebody else restarted it meanwhile */
	if (!undo->touched || !group_restart_back(group, &failure))
		return;
	name = group->members[0]->target->name;
	if (!anything_was_served(group))
		deploy_say(group->deployment, name, "undo",
			   "it does not run, as before: %s", failure.text);
	else if (group_shows_baseline(group)) /* a reload that changed nothing */
		deploy_say(group->deployment, name, "undo",
			   "what was served before still is, although: %s", failure.text);
	else
		remember_failure(undo, &failure);
}

/* ---- back ---------------------------------------------------------------- */

static void find_out(struct undo *undo)
{
	enum service_state state;
	struct err ignored;

	undo->stopped = !group_inspect(undo->group, &state, &ignored) &&
			state == SERVICE_IS_STOPPED;
	for (size_t i = 0; i < undo->group->n; i++) {
		const struct journal *journal = &undo->group->members[i]->journal;

		if (journal->intent >= STEP_RESTARTED ||
		    (journal->state >= STEP_RESTARTED && !undo->stopped))
			undo->touched = true;
	}
}

/* Direction back, synced before the first undo. When that cannot be written an
 * application that is down must come up all the same: the next run would find a journal
 * that goes forward and files that look as before, and begins anew. */
static void turn_around(struct undo *undo)
{
	struct err failure;

	for (size_t i = 0; i < undo->group->n; i++) {
		struct member *member = undo->group->members[i];
		struct journal_change change = {
			.state = member->journal.state,
			.intent = undo->touched ? STEP_RESTARTED : STEP_POINTED,
			.back = true,
			.text = undo->cause->text,
		};

		member->journal.soak_until = 0;
		if (member_end(member, &change, undo->cause->text, &failure))
			remember_failure(undo, &failure);
	}
}

static const char *served_again(const struct undo *undo, const struct member *member)
{
	const struct journal *journal = &member->journal;

	if (undo->files_only)
		return "its files are as they were, and it is tried alone";
	if (member_met_somebody(member))
		return "what was done before is undone, and it is tried again";
	if (undo->stopped && !undo->touched)
		return "the files are as they were, the service is stopped";
	if (journal->from_http)
		return "plain HTTP is served again";
	for (size_t i = 0; i < journal->n_baseline; i++)
		if (journal->baseline[i].seen.kind == PROBE_TLS)
			return "the old certificate is served again";
	if (member_served_something(member))
		return "plain HTTP is served again";
	return "everything is as it was, when nothing was served";
}

static int end_broken(struct undo *undo, struct member *member, struct err *err)
{
	char *ending = str_printf("and the way back failed: %s; it is tried again",
				  undo->failure.text);
	char *text = compose(undo, member, ending);
	const struct journal_change change = {
		.state = member->journal.state,
		.intent = member->journal.intent,
		.back = true,
		.end = DEPLOY_BROKEN,
		.text = text,
	};
	int rc = member_end(member, &change, text, err);

	member_say_end(member, DEPLOY_BROKEN, undo->cause->kind, text);
	free(text);
	free(ending);
	return rc;
}

/* Everything is as before; what was saved for the way back has done its work. */
static int end_back(struct undo *undo, struct member *member, struct err *err)
{
	bool foreign = member->foreign |= member_was_overruled(member);
	const char *ending = foreign ? "an operator has changed tls.json meanwhile: "
				       "it is left alone until 'deploy'"
				     : served_again(undo, member);
	char *text = compose(undo, member, ending);
	const struct journal_change change = {
		.state = STEP_STORED,
		.end = foreign ? DEPLOY_OPERATOR : DEPLOY_ROLLED_BACK,
		.text = text,
	};
	int rc = -1;

	if (foreign && target_mode_write(member->deployment->folder, member->target->name,
					 MODE_OPERATOR, err))
		goto out;
	if (foreign)
		member->mode = MODE_OPERATOR;
	journal_forget_files(&member->journal);
	if (member_end(member, &change, text, err) ||
	    journal_sweep(&member->journal, "saved", err))
		goto out;
	rc = 0;
out:
	member_say_end(member, change.end, undo->cause->kind, text);
	free(text);
	return rc;
}

static int end_all(struct undo *undo, struct err *err)
{
	struct group *group = undo->group;
	bool broken = undo->failure.kind != ERR_NONE;
	struct err ignored;

	if (broken && !(undo->stopped && !undo->touched))
		(void)group_start(group, &ignored); /* said already: it is broken */
	for (size_t i = 0; i < group->n; i++)
		if (broken ? end_broken(undo, group->members[i], err)
			   : end_back(undo, group->members[i], err))
			return -1;
	return 0;
}

static int go_back(struct undo *undo, struct err *err)
{
	struct group *group = undo->group;
	struct err failure;

	find_out(undo);
	turn_around(undo);
	for (size_t i = 0; i < group->n; i++)
		restore_files(undo, group->members[i]);
	if (undo->touched && group->deployment->sharing)
		group->deployment->sharing->take_back(group->deployment->sharing->ctx,
						      group_service(group));
	restore_service(undo);
	for (size_t i = 0; i < group->n; i++) {
		struct member *member = group->members[i];

		if (member->foreign || member_met_somebody(member) ||
		    (undo->stopped && !undo->touched) ||
		    !member_verify_baseline(member, &failure))
			continue;
		if (failure.kind == ERR_CANCELLED) {
			*err = failure;
			return -1; /* the next start goes on from here */
		}
		remember_failure(undo, &failure);
	}
	return end_all(undo, err);
}

int group_undo(struct group *group, const struct err *cause, struct err *err)
{
	struct undo undo = { .group = group, .cause = cause };
	char why[256];

	for (size_t i = 0; i < group->n; i++)
		if (!member_may_go_back(group->members[i], why, sizeof(why)))
			return stay_forward(&undo, why, err);
	return go_back(&undo, err);
}

int group_unpoint(struct group *group, const struct err *cause, struct err *err)
{
	struct undo undo = { .group = group, .cause = cause, .files_only = true };
	char why[256];

	for (size_t i = 0; i < group->n; i++)
		if (!member_may_go_back(group->members[i], why, sizeof(why)))
			return 0;
	turn_around(&undo);
	for (size_t i = 0; i < group->n; i++)
		restore_files(&undo, group->members[i]);
	return end_all(&undo, err);
}

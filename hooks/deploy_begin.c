/* The beginning of a target's transaction, and its resumption: what will change, how it
 * looks now, what is served now; all of it durable before the first change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/random.h"
#include "hooks/plan.h"
#include "hooks/transaction.h"

/* Does the journal tell of an attempt with this very certificate that is not over? */
static bool is_resumed(const struct member *member)
{
	const struct journal *journal = &member->journal;

	if (!journal_is_about(journal, member->deployment->material))
		return false;
	return journal_unfinished(journal) || journal->end == DEPLOY_WAITING ||
	       journal->end == DEPLOY_BROKEN;
}

/* What an interrupted attempt knows is worth more than what we would find now: a path
 * that shows our own work keeps the record of how it was before. */
static bool keep_record(const struct journal *journal, const struct change *change,
			struct saved *ret)
{
	const struct saved *old = journal_file(journal, change->path);
	enum saved_look look;
	struct err ignored;

	if (!old || saved_look(old, &look, &ignored) || look == LOOK_FOREIGN)
		return false;
	*ret = saved_dup(old);
	return true;
}

/* The records of all planned changes, from `before` where it knows better. */
static int save_all(struct member *member, const struct journal *before, struct err *err)
{
	struct journal *journal = &member->journal;
	struct saved saved;
	char id[9];

	random_hex(id, 8);
	for (size_t i = 0; i < member->plan.n; i++) {
		const struct change *change = &member->plan.items[i];
		char *copy = str_printf("saved/%s/%zu", id, i);
		int rc = 0;

		if (!before || !keep_record(before, change, &saved))
			rc = saved_take(change, journal->folder, copy, &saved, err);
		free(copy);
		if (rc)
			return -1;
		journal_add_file(journal, &saved);
	}
	return 0;
}

/* Keeps baseline and old certificate of the interrupted attempt. */
static void inherit(struct journal *journal, const struct journal *before)
{
	for (size_t i = 0; i < before->n_baseline; i++)
		journal_add_baseline(journal, before->baseline[i].connect,
				     &before->baseline[i].seen);
	memcpy(journal->old_sha1, before->old_sha1, sizeof(journal->old_sha1));
	journal->old_not_after = before->old_not_after;
	journal->old_missing = before->old_missing;
	journal->from_http = before->from_http;
}

static int write_begin(struct member *member, const struct journal *before,
		       struct err *err)
{
	bool pointed = before && before->state >= STEP_POINTED &&
		       plan_is_applied(&member->plan, true);
	bool restarting = pointed && before->intent >= STEP_RESTARTED;
	struct journal_change change = {
		.state = pointed ? STEP_POINTED : STEP_STORED,
		.intent = restarting ? STEP_RESTARTED : STEP_POINTED,
		.text = before ? "resumed: files, baseline and way back are recorded"
			       : "files, baseline and way back are recorded",
	};

	if (journal_move(&member->journal, &change, err))
		return -1;
	return journal_sweep(&member->journal, "saved", err);
}

/* Is plain HTTP what a rollback must come to? Not if the fallback died before it moved
 * tls.json away: then it is the certificate. */
static bool comes_from_http(const struct member *member)
{
	const struct saved *saved = NULL;

	if (member_is_on_http(member) && member->target->tls_json)
		saved = journal_file(&member->journal, member->target->tls_json);
	return saved && saved->was == WAS_ABSENT;
}

/* Builds the new record in member->journal; `before` is the interrupted one or NULL. */
static int prepare(struct member *member, const struct journal *before, struct err *err)
{
	const struct material *material = member->deployment->material;
	struct journal *journal = &member->journal;
	struct plan_request request = {
		.target = member->target,
		.material = material,
		.older = member->deployment->older,
		.kept = member->kept.exists ? &member->kept : NULL,
		.before = before,
		.notes = &member->outcome->notes,
	};

	change_list_clear(&member->plan);
	if (plan_build(&request, &member->plan, err) || save_all(member, before, err))
		return -1;
	snprintf(journal->new_sha1, sizeof(journal->new_sha1), "%s",
		 cert_sha1(material->cert));
	journal->version = material->version;
	if (before)
		inherit(journal, before);
	journal->from_http = journal->from_http || comes_from_http(member);
	if (before)
		return 0;
	return member_take_baseline(member, err);
}

/* Moves the contents away, so that a new record can be built at the same place. */
static struct journal detach(struct journal *journal)
{
	struct journal before = *journal;

	*journal = (struct journal){
		.path = before.path,
		.folder = before.folder,
		.target = before.target,
		.deployment = before.deployment,
		.exists = before.exists,
	};
	before.path = NULL;
	before.folder = NULL;
	return before;
}

enum movement member_begin(struct member *member, struct err *err)
{
	bool resumed = member->resumed = is_resumed(member);
	struct journal before = detach(&member->journal);
	enum movement movement;

	if (cancel_check(member->deployment->cancel, err) || member_own(member, err) ||
	    prepare(member, resumed ? &before : NULL, err))
		movement = err->kind == ERR_CANCELLED ? HALTED : FAILED;
	else
		movement = write_begin(member, resumed ? &before : NULL, err) ? HALTED
									      : MOVED;
	if (movement == MOVED) {
		for (size_t i = 0; resumed && i < member->plan.n; i++)
			change_tidy(member->plan.items[i].kind,
				    member->plan.items[i].path);
		journal_release(&before);
		return movement;
	}
	before.path = str_dup(member->journal.path);
	before.folder = str_dup(member->journal.folder);
	journal_release(&member->journal);
	member->journal = before; /* what the disk says */
	return movement;
}

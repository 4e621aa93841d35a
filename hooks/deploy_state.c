/* What the journals say, for decisions, status and start-up. Acts on nothing but damaged
 * files, which go out of the way, and on copies that no journal names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "hooks/transaction.h"

void deploy_state_clear(struct deploy_state *state)
{
	free(state->targets);
	*state = (struct deploy_state){ 0 };
}

static void read_target(const struct member *member, struct target_state *ret)
{
	const struct journal *journal = &member->journal;

	ret->target = member->target->name;
	ret->mode = member->mode;
	ret->end = member->mode == MODE_OPERATOR ? DEPLOY_OPERATOR : journal->end;
	ret->unfinished = journal_unfinished(journal);
	ret->falling = member->kept.exists && member->kept.intent != STEP_NONE;
	ret->by_operator = journal->by_operator && journal->end == DEPLOY_ROLLED_BACK;
	snprintf(ret->run, sizeof(ret->run), "%s", journal->exists ? journal->run : "");
	snprintf(ret->step, sizeof(ret->step), "%s", journal_step_name(journal->state));
	memcpy(ret->old_sha1, journal->old_sha1, sizeof(ret->old_sha1));
	ret->watched_until = journal->end == DEPLOY_DONE ? journal->soak_until : 0;
	ret->old_not_after = journal->old_not_after;
	snprintf(ret->why, sizeof(ret->why), "%.*s", (int)sizeof(ret->why) - 1,
		 journal->why);
	str_make_printable(ret->why);
}

static int64_t oldest_of(const struct journal *journal)
{
	int64_t oldest = journal->version;

	for (size_t i = 0; i < journal->n_replaced; i++)
		if (journal->replaced[i].version < oldest)
			oldest = journal->replaced[i].version;
	return oldest;
}

static void read_certificate(const struct journal *journal, struct deploy_state *ret)
{
	ret->exists = journal->exists;
	if (!journal->exists)
		return;
	memcpy(ret->sha1, journal->new_sha1, sizeof(ret->sha1));
	ret->version = journal->version;
	ret->stored = journal->state >= STEP_STORED;
	ret->retired = journal->state == STEP_RETIRED;
	ret->replaces = journal->n_replaced > 0;
	ret->verified_at = journal->verified_at;
	ret->retire_at = journal->retire_at;
	ret->oldest = ret->retired || journal->n_replaced ? oldest_of(journal) : 0;
}

/* The certificate's journal is lost, its targets' are not: the newest version that any of
 * them brought in is the one. When to retire is found out by the next deploy_run(). */
static void rebuild(const struct member *members, size_t n, struct deploy_state *ret)
{
	const struct journal *newest = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct journal *journal = &members[i].journal;

		if (journal->exists && (!newest || journal->version > newest->version))
			newest = journal;
	}
	if (!newest)
		return;
	read_certificate(newest, ret);
	ret->retired = false;
	ret->verified_at = 0;
	ret->retire_at = CLOCK_NEVER;
	ret->oldest = 0;
	ret->replaces = false;
}

/* A target whose last journal is about another certificate has not been tried yet. */
static void forget_others(const struct member *members, struct deploy_state *state)
{
	for (size_t i = 0; i < state->n_targets; i++) {
		struct target_state *target = &state->targets[i];

		if (members[i].journal.exists &&
		    str_equal(members[i].journal.new_sha1, state->sha1))
			continue;
		if (target->end != DEPLOY_OPERATOR)
			target->end = DEPLOY_PENDING;
	}
}

int deploy_state_read(const struct deployment *deployment, struct deploy_state *ret,
		      struct strlist *damaged, struct err *err)
{
	struct deploy_state state = { .retire_at = CLOCK_NEVER };
	struct deploy_outcome outcome = { 0 };
	struct member *members = NULL;
	struct journal journal = { 0 };
	int64_t now = clock_wall();
	int rc = -1;

	if (members_open(deployment, &outcome, &members, damaged, err) ||
	    journal_open(&journal, deployment, NULL, "journal.json", damaged, err))
		goto out;
	state.n_targets = deployment->n_targets;
	state.targets = mem_calloc(state.n_targets, sizeof(*state.targets));
	for (size_t i = 0; i < state.n_targets; i++) {
		read_target(&members[i], &state.targets[i]);
		state.ahead = state.ahead || journal_is_ahead(&members[i].journal, now);
	}
	state.ahead = state.ahead || journal_is_ahead(&journal, now);
	read_certificate(&journal, &state);
	if (!journal.exists)
		rebuild(members, state.n_targets, &state);
	forget_others(members, &state);
	*ret = state;
	rc = 0;
out:
	journal_release(&journal);
	members_close(members, deployment->n_targets);
	deploy_outcome_clear(&outcome);
	return rc;
}

int deploy_sweep(const struct deployment *deployment, struct err *err)
{
	struct deploy_outcome outcome = { 0 };
	struct member *members = NULL;
	int rc = members_open(deployment, &outcome, &members, NULL, err);

	/* Where there is no journal, one that was damaged may be repaired by hand. */
	for (size_t i = 0; !rc && i < deployment->n_targets; i++)
		if (members[i].journal.exists)
			rc = journal_sweep(&members[i].journal, "saved", err);
	members_close(members, deployment->n_targets);
	deploy_outcome_clear(&outcome);
	return rc;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/service.h"
#include "hooks/owner.h"
#include "hooks/transaction.h"

#define LOOK_TIMEOUT_S 5

void deploy_outcome_clear(struct deploy_outcome *outcome)
{
	for (size_t i = 0; i < outcome->n_targets; i++)
		strlist_clear(&outcome->targets[i].notes);
	free(outcome->targets);
	*outcome = (struct deploy_outcome){ 0 };
}

static void read_mode(struct member *member, struct strlist *damaged)
{
	const char *name = member->target->name;
	struct err err;

	if (!target_mode_read(member->deployment->folder, name, &member->mode, &err))
		return;
	if (damaged)
		strlist_add(damaged, err.text);
	deploy_say(member->deployment, name, "mode", "%s", err.text);
}

/* Has it come to its end, in plain HTTP? */
static bool fell_back(const struct journal *kept)
{
	return kept->exists && !kept->back && kept->state == STEP_ANSWERED;
}

/* The mode's file was lost, or we died before it was written: the journals know better.
 * What an operator took back stays so until 'deploy'. */
static enum target_mode mode_of_journals(const struct member *member)
{
	const struct journal *journal = &member->journal;

	if (member->mode != MODE_HTTPS)
		return member->mode;
	if (fell_back(&member->kept))
		return MODE_FALLBACK;
	return journal->by_operator && journal->end == DEPLOY_ROLLED_BACK ? MODE_OPERATOR
									  : MODE_HTTPS;
}

int members_open(const struct deployment *deployment, struct deploy_outcome *outcome,
		 struct member **ret_members, struct strlist *damaged, struct err *err)
{
	size_t n = deployment->n_targets;
	struct member *members = mem_calloc(n, sizeof(*members));

	outcome->targets = mem_calloc(n, sizeof(*outcome->targets));
	outcome->n_targets = n;
	for (size_t i = 0; i < n; i++) {
		struct member *member = &members[i];
		const char *name = deployment->targets[i].name;

		member->deployment = deployment;
		member->target = &deployment->targets[i];
		member->outcome = &outcome->targets[i];
		member->outcome->target = name;
		read_mode(member, damaged);
		if (journal_open(&member->journal, deployment, name, "journal.json",
				 damaged, err) ||
		    journal_open(&member->kept, deployment, name, "fallback.json",
				 damaged, err)) {
			err_wrap(err, "target '%s'", name);
			members_close(members, n);
			return -1;
		}
		member->mode = mode_of_journals(member);
	}
	*ret_members = members;
	return 0;
}

void members_close(struct member *members, size_t n)
{
	for (size_t i = 0; members && i < n; i++) {
		journal_release(&members[i].journal);
		journal_release(&members[i].kept);
		change_list_clear(&members[i].plan);
	}
	free(members);
}

bool member_is_on_http(const struct member *member)
{
	return member->mode == MODE_FALLBACK || member->kept.exists;
}

bool member_is_done(const struct member *member)
{
	return member->mode == MODE_HTTPS && !member->kept.exists &&
	       journal_is_about(&member->journal, member->deployment->material) &&
	       member->journal.end == DEPLOY_DONE;
}

void member_say_end(struct member *member, enum deploy_end end, enum err_kind kind,
		    const char *why)
{
	member->outcome->end = end;
	member->outcome->err = (struct err){ 0 };
	if (!why)
		return;
	err_set(&member->outcome->err, kind, "target '%s': %s", member->target->name,
		why);
}

int member_end(struct member *member, const struct journal_change *change,
	       const char *why, struct err *err)
{
	struct journal *journal = &member->journal;

	snprintf(journal->why, sizeof(journal->why), "%s", why ? why : "");
	str_make_printable(journal->why); /* a cut may have split a character */
	return journal_move(journal, change, err);
}

bool member_serves(const struct member *member, const char *sha1)
{
	const struct target *target = member->target;
	struct probe_result seen;

	for (size_t i = 0; i < target->n_verify; i++) {
		probe_endpoint(&target->verify[i], LOOK_TIMEOUT_S,
			       member->deployment->cancel, &seen);
		if (seen.kind != PROBE_TLS || !str_equal(seen.sha1, sha1))
			return false;
	}
	return true;
}

bool member_shares(const struct member *member, const struct member *other)
{
	return member == other ||
	       (member->target->service.kind != SERVICE_NONE &&
		service_same(&member->target->service, &other->target->service));
}

int members_by_group(struct member *members, size_t n,
		     int run(struct group *group, struct err *err), struct err *err)
{
	struct member **picked = mem_calloc(n, sizeof(struct member *));
	bool *taken = mem_calloc(n, sizeof(*taken));
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		struct group group = { .deployment = members[i].deployment,
				       .members = picked };

		for (size_t j = i; j < n; j++) {
			if (taken[j] || !members[j].selected ||
			    !member_shares(&members[i], &members[j]))
				continue;
			taken[j] = true;
			picked[group.n++] = &members[j];
		}
		if (group.n > 0)
			rc = run(&group, err);
	}
	free(taken);
	free(picked);
	return rc;
}

int member_own(const struct member *member, struct err *err)
{
	const struct owner *owner = member->deployment->owner;

	return owner ? owner_take(owner, member->target->tls_json, false, err) : 0;
}

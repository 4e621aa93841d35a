/* The certificates that came before: each goes by its own age, so that nothing piles up
 * where renewals follow each other more quickly than `retire.after` lets one go.
 *
 * The certificate's journal lists them, since when another is served everywhere. What it
 * does not list is as old as the certificate that is served now. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "hooks/store.h"
#include "hooks/transaction.h"

#define SLACK_S INT64_C(300) /* clocks are corrected by seconds all the time */

void certificate_succeed(struct journal *journal, const struct material *material)
{
	struct journal_replaced *kept = journal->replaced;
	struct journal_replaced before = { .version = journal->version };
	size_t n = journal->n_replaced;
	bool had = journal->exists;

	memcpy(before.sha1, journal->new_sha1, sizeof(before.sha1));
	journal->replaced = NULL;
	journal->n_replaced = 0;
	journal_reset(journal);
	journal->replaced = kept;
	journal->n_replaced = n;
	if (had) {
		journal_drop_replaced(journal, before.sha1);
		journal_add_replaced(journal, &before);
	}
	journal_drop_replaced(journal, cert_sha1(material->cert));
	str_copy(journal->new_sha1, sizeof(journal->new_sha1), cert_sha1(material->cert));
	journal->version = material->version;
	journal->retire_at = CLOCK_NEVER;
}

static bool is_listed(const struct journal *journal, const char *sha1)
{
	for (size_t i = 0; i < journal->n_replaced; i++)
		if (str_equal(journal->replaced[i].sha1, sha1))
			return true;
	return false;
}

/* What a journal that was lost knew of. */
static void list_what_is_there(struct journal *journal, const struct member *member)
{
	struct strlist have = { 0 };
	struct err ignored;

	if (store_list(&member->target->store, &have, &ignored))
		return;
	for (size_t i = 0; i < have.n; i++) {
		struct journal_replaced found = { .at = 0 };

		if (str_equal(have.items[i], journal->new_sha1) ||
		    is_listed(journal, have.items[i]))
			continue;
		str_copy(found.sha1, sizeof(found.sha1), have.items[i]);
		journal_add_replaced(journal, &found);
	}
	strlist_clear(&have);
}

/* How long one stays: as the target wants it that wants it longest. */
static int64_t stay_s(const struct member *members, size_t n)
{
	int64_t longest_s = 0;

	for (size_t i = 0; i < n; i++)
		if (members[i].target->retire_after_s > longest_s)
			longest_s = members[i].target->retire_after_s;
	return longest_s;
}

/* Never before the present one was watched to the end, whatever the configuration says
 * by now. */
static int64_t watched_until(const struct member *members, size_t n)
{
	int64_t until = 0;

	for (size_t i = 0; i < n; i++)
		if (member_is_done(&members[i]) && members[i].journal.soak_until > until)
			until = members[i].journal.soak_until;
	return until;
}

void certificate_plan_retirement(struct journal *journal, const struct member *members,
				 size_t n)
{
	int64_t first = journal->verified_at, until = watched_until(members, n);

	for (size_t i = 0; i < n; i++)
		list_what_is_there(journal, &members[i]);
	for (size_t i = 0; i < journal->n_replaced; i++) {
		struct journal_replaced *replaced = &journal->replaced[i];

		if (!replaced->at)
			replaced->at = journal->verified_at;
		if (replaced->at < first)
			first = replaced->at;
	}
	first += stay_s(members, n);
	journal->retire_at = first > until ? first : until;
}

bool certificate_may_go(const struct journal *journal, const char *sha1,
			const struct member *members, size_t n)
{
	int64_t at = journal->verified_at;

	for (size_t i = 0; i < journal->n_replaced; i++)
		if (str_equal(journal->replaced[i].sha1, sha1))
			at = journal->replaced[i].at;
	return at + stay_s(members, n) <= clock_wall();
}

void certificate_forget_gone(struct journal *journal, const struct member *members,
			     size_t n)
{
	for (size_t i = journal->n_replaced; i-- > 0;)
		if (certificate_may_go(journal, journal->replaced[i].sha1, members, n))
			journal_drop_replaced(journal, journal->replaced[i].sha1);
}

/* ---- written down while the clock was ahead ------------------------------- */

bool journal_is_ahead(const struct journal *journal, int64_t now)
{
	return journal->exists && journal->verified_at > now + SLACK_S;
}

static int move_as_it_is(struct journal *journal, struct err *err)
{
	const struct journal_change same = {
		.state = journal->state,
		.intent = journal->intent,
		.back = journal->back,
		.end = journal->end,
		.text = "it was verified by a clock that was ahead: it counts from now",
	};

	return journal_move(journal, &same, err);
}

static int set_member_right(struct member *member, int64_t now, struct err *err)
{
	struct journal *journal = &member->journal;
	int64_t soaked_at = now + member->target->soak_s;

	if (!journal_is_ahead(journal, now))
		return 0;
	journal->verified_at = now;
	if (journal->soak_until > soaked_at)
		journal->soak_until = soaked_at;
	return move_as_it_is(journal, err);
}

static int set_certificate_right(struct journal *journal, const struct member *members,
				 size_t n, struct err *err)
{
	int64_t now = clock_wall();

	if (!journal_is_ahead(journal, now))
		return 0;
	journal->verified_at = now;
	for (size_t i = 0; i < journal->n_replaced; i++)
		if (journal->replaced[i].at > now)
			journal->replaced[i].at = now;
	if (journal->state < STEP_RETIRED)
		certificate_plan_retirement(journal, members, n);
	return move_as_it_is(journal, err);
}

int deploy_after_clock_moved(const struct deployment *deployment, struct err *err)
{
	struct deploy_outcome outcome = { 0 };
	struct member *members = NULL;
	struct journal certificate = { 0 };
	size_t n = deployment->n_targets;
	int rc = -1;

	if (members_open(deployment, &outcome, &members, NULL, err) ||
	    journal_open(&certificate, deployment, NULL, "journal.json", NULL, err))
		goto out;
	for (size_t i = 0; i < n; i++)
		if (set_member_right(&members[i], clock_wall(), err))
			goto out;
	rc = set_certificate_right(&certificate, members, n, err);
out:
	journal_release(&certificate);
	members_close(members, n);
	deploy_outcome_clear(&outcome);
	return rc;
}

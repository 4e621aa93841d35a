/* The certificate's level: which targets take part, the store, the groups, the end. */
#include "hooks/deploy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "hooks/plan.h"
#include "hooks/store.h"
#include "hooks/transaction.h"

struct run { /* one call of deploy_run() */
	const struct deployment *deployment;
	struct journal certificate;
	struct member *members;
	size_t n;
};

static int run_open(struct run *run, const struct deployment *deployment,
		    struct deploy_outcome *outcome, struct err *err)
{
	*run = (struct run){ .deployment = deployment, .n = deployment->n_targets };
	if (members_open(deployment, outcome, &run->members, NULL, err))
		return -1;
	return journal_open(&run->certificate, deployment, NULL, "journal.json", NULL,
			    err);
}

static void run_close(struct run *run)
{
	journal_release(&run->certificate);
	members_close(run->members, run->n);
}

/* ---- who takes part ------------------------------------------------------ */

static struct member *member_named(struct run *run, const char *name)
{
	for (size_t i = 0; i < run->n; i++)
		if (str_equal(run->members[i].target->name, name))
			return &run->members[i];
	return NULL;
}

/* Nothing of a finished deployment has drifted: there is nothing to take over. */
static bool is_still_right(struct member *member)
{
	struct plan_request request = {
		.target = member->target,
		.material = member->deployment->material,
		.older = member->deployment->older,
	};
	struct err ignored;
	bool right;

	right = !plan_build(&request, &member->plan, &ignored) &&
		plan_is_applied(&member->plan, true) &&
		!store_prove(&member->target->store, request.material, &ignored) &&
		!store_check_access(&member->target->store, &member->target->service,
				    cert_sha1(request.material->cert), &ignored) &&
		member_serves(member, cert_sha1(request.material->cert));
	change_list_clear(&member->plan);
	return right;
}

/* How a target that takes no part stands. */
static void say_as_journaled(struct member *member)
{
	const struct journal *journal = &member->journal;

	if (!journal_is_about(journal, member->deployment->material))
		return;
	member_say_end(member, journal->end, ERR_TRANSIENT,
		       journal->end == DEPLOY_DONE || !journal->why[0] ? NULL
								       : journal->why);
}

/* Is its moment still to come? */
static bool is_held(const struct member *member)
{
	const struct deployment *deployment = member->deployment;

	return deployment->held && deployment->held[member->target - deployment->targets];
}

static void select_member(struct member *member, const struct member *only,
			  bool take_over)
{
	bool wanted = !only || member_shares(member, only);
	bool asked = !only || member == only;
	const struct service *alone = member->deployment->point_only;

	wanted = wanted && (!alone || service_same(alone, &member->target->service));
	if (wanted && member->mode == MODE_OPERATOR && !(take_over && asked)) {
		member_say_end(member, DEPLOY_OPERATOR, ERR_CONFIG,
			       "an operator has taken it over: it is left alone until "
			       "'deploy'");
		return;
	}
	if (wanted && member_is_done(member))
		wanted = take_over && asked && !is_still_right(member);
	if (wanted && is_held(member))
		wanted = false;
	if (!wanted)
		say_as_journaled(member);
	member->selected = wanted;
}

static int select_members(struct run *run, const char *only, bool take_over,
			  struct err *err)
{
	const struct member *the_one = only ? member_named(run, only) : NULL;

	if (only && !the_one)
		return err_set(err, ERR_NOT_FOUND, "there is no target '%s'", only);
	for (size_t i = 0; i < run->n; i++)
		select_member(&run->members[i], the_one, take_over);
	for (size_t i = 0; i < run->n; i++)
		if (run->members[i].selected && !take_over &&
		    member_yield_to_operator(&run->members[i], err))
			return -1;
	return 0;
}

/* ---- an older certificate's unfinished business -------------------------- */

static bool is_older_business(const struct member *member)
{
	const struct journal *journal = &member->journal;

	return member->selected && journal->exists &&
	       !journal_is_about(journal, member->deployment->material) &&
	       (journal_unfinished(journal) || journal->end == DEPLOY_WAITING ||
		journal->end == DEPLOY_BROKEN);
}

/* It died after the last step but one: what is served says that it was good. */
static int settle_as_done(struct member *member, bool *ret_done, struct err *err)
{
	struct journal *journal = &member->journal;
	const struct journal_change done = {
		.state = STEP_VERIFIED,
		.end = DEPLOY_DONE,
		.text = "the interrupted deployment was seen to be served",
	};

	*ret_done = !journal->back && journal->state >= STEP_POINTED &&
		    !journal->from_http && member->target->n_verify > 0 &&
		    member_serves(member, journal->new_sha1);
	return *ret_done ? member_end(member, &done, NULL, err) : 0;
}

static int settle_group(struct group *group, struct err *err)
{
	struct member **rest = mem_calloc(group->n, sizeof(struct member *));
	struct group back = { .deployment = group->deployment, .members = rest };
	struct err cause;
	int rc = 0;

	for (size_t i = 0; i < group->n && !rc; i++) {
		bool done = false;

		if (!is_older_business(group->members[i]))
			continue;
		rc = settle_as_done(group->members[i], &done, err);
		if (!done)
			rest[back.n++] = group->members[i];
	}
	err_set(&cause, ERR_TRANSIENT,
		"its deployment was not over when a newer certificate came");
	if (!rc && back.n > 0)
		rc = group_undo(&back, &cause, err);
	for (size_t i = 0; i < back.n && !rc; i++) {
		struct member *member = rest[i];

		member->selected = member->outcome->end != DEPLOY_OPERATOR;
		if (member->selected)
			member_say_end(member, DEPLOY_PENDING, ERR_NONE, NULL);
		member->foreign = false;
	}
	free(rest);
	return rc;
}

/* ---- stored -------------------------------------------------------------- */

static void list_created(struct run *run)
{
	const char *sha1 = cert_sha1(run->deployment->material->cert);

	for (size_t i = 0; i < run->n; i++) {
		const struct target *target = run->members[i].target;
		struct strlist have = { 0 };
		struct err ignored;

		if (store_keeps_versions(&target->store) &&
		    !store_list(&target->store, &have, &ignored) &&
		    !strlist_has(&have, sha1))
			strlist_add(&run->certificate.created, target->name);
		strlist_clear(&have);
	}
}

static int certificate_begin(struct run *run, struct err *err)
{
	const struct material *material = run->deployment->material;
	struct journal *journal = &run->certificate;
	const struct journal_change change = {
		.intent = STEP_STORED,
		.text = "the deployment begins",
	};

	if (journal_is_about(journal, material))
		return 0;
	certificate_succeed(journal, material);
	list_created(run);
	return journal_move(journal, &change, err);
}

/* Another target lives off the same store: what this one fails with may serve there. */
static bool store_is_shared(const struct run *run, const struct member *member)
{
	for (size_t i = 0; i < run->n; i++)
		if (&run->members[i] != member &&
		    store_is_same(&run->members[i].target->store, &member->target->store))
			return true;
	return false;
}

/* A store that cannot take the certificate ends this target's part: what this run made is
 * removed, and what an earlier run left in the middle goes back. */
static int store_failed(struct run *run, struct member *member, const struct err *cause,
			struct err *err)
{
	const char *sha1 = cert_sha1(run->deployment->material->cert);
	struct group alone = { run->deployment, &member, 1, NULL };
	struct err ignored;

	member_say_end(member, DEPLOY_PENDING, cause->kind, cause->text);
	member->selected = false;
	if (journal_is_about(&member->journal, run->deployment->material) &&
	    journal_unfinished(&member->journal))
		return group_undo(&alone, cause, err);
	if (strlist_has(&run->certificate.created, member->target->name) &&
	    !store_is_shared(run, member) &&
	    !(journal_is_about(&member->journal, run->deployment->material) &&
	      member->journal.end != DEPLOY_ROLLED_BACK))
		(void)store_remove(&member->target->store, sha1, NULL, &ignored);
	return 0;
}

/* The certificate whose key the application reads now; "" when there is none. */
static void find_predecessor(const struct member *member, char ret[CERT_SHA1_HEX])
{
	struct strlist have = { 0 };
	struct err ignored;
	bool enabled;

	ret[0] = '\0';
	if (member->target->tls_json) {
		(void)plan_named(member->target, ret, &enabled, &ignored);
	} else if (!store_list(&member->target->store, &have, &ignored)) {
		for (size_t i = 0; i < have.n; i++)
			if (!str_equal(have.items[i],
				       cert_sha1(member->deployment->material->cert)))
				str_copy(ret, CERT_SHA1_HEX, have.items[i]);
	}
	strlist_clear(&have);
}

static int store_one(const struct member *member, struct err *err)
{
	const struct material *material = member->deployment->material;
	const struct store *store = &member->target->store;
	char old_sha1[CERT_SHA1_HEX];

	if (store_import(store, material, err) || store_prove(store, material, err))
		return -1;
	find_predecessor(member, old_sha1);
	return store_grant(store, &member->target->service, material, old_sha1, err);
}

static int store_all(struct run *run, size_t *ret_stored, struct err *ret_first,
		     struct err *err)
{
	struct err cause;

	*ret_stored = 0;
	for (size_t i = 0; i < run->n; i++) {
		struct member *member = &run->members[i];

		if (!member->selected)
			continue;
		if (!store_one(member, &cause)) {
			++*ret_stored;
			continue;
		}
		err_wrap(&cause, "store");
		if (store_failed(run, member, &cause, err))
			return -1;
		if (ret_first->kind == ERR_NONE)
			*ret_first = member->outcome->err;
	}
	return 0;
}

static int certificate_store(struct run *run, struct err *err)
{
	const struct journal_change change = {
		.state = STEP_STORED,
		.text = "certificate and key are in the store, the key was seen to sign",
	};
	struct err first = { 0 };
	size_t stored;

	if (store_all(run, &stored, &first, err))
		return -1;
	if (stored == 0 && first.kind != ERR_NONE) {
		*err = first;
		return -1;
	}
	if (run->certificate.state >= STEP_STORED || stored == 0)
		return 0;
	return journal_move(&run->certificate, &change, err);
}

/* ---- the end ------------------------------------------------------------- */

static bool is_all_done(const struct run *run, bool *ret_any)
{
	bool all = true;

	*ret_any = false;
	for (size_t i = 0; i < run->n; i++) {
		bool done = member_is_done(&run->members[i]);

		*ret_any = *ret_any || done;
		all = all && (done || run->members[i].mode == MODE_OPERATOR);
	}
	return all;
}

static int certificate_verified(struct run *run, struct err *err)
{
	struct journal *journal = &run->certificate;
	const struct journal_change change = {
		.state = STEP_VERIFIED,
		.end = DEPLOY_DONE,
		.text = "every target was seen serving the new certificate",
	};
	int64_t verified_at = 0;
	bool noted = journal->state >= STEP_VERIFIED;

	for (size_t i = 0; i < run->n; i++) {
		const struct member *member = &run->members[i];

		if (!member_is_done(member))
			continue;
		/* Within one second another one can have ended, and be to retire. */
		noted = noted && member->journal.state >= journal->state;
		if (member->journal.verified_at > verified_at)
			verified_at = member->journal.verified_at;
	}
	if (noted && journal->verified_at == verified_at)
		return 0;
	journal->verified_at = verified_at;
	certificate_plan_retirement(journal, run->members, run->n);
	return journal_move(journal, &change, err);
}

static int certificate_finish(struct run *run, struct deploy_outcome *ret,
			      struct err *err)
{
	bool any;

	ret->all_done = is_all_done(run, &any);
	if (ret->all_done && any)
		return certificate_verified(run, err);
	return certificate_reopen(&run->certificate, "not every target serves it", err);
}

int deploy_run(const struct deployment *deployment, const char *only, bool take_over,
	       struct deploy_outcome *ret, struct err *err)
{
	struct run run;
	int rc = -1;

	if (run_open(&run, deployment, ret, err) ||
	    select_members(&run, only, take_over, err) ||
	    members_by_group(run.members, run.n, settle_group, err) ||
	    certificate_begin(&run, err) || certificate_store(&run, err) ||
	    members_by_group(run.members, run.n, group_deploy, err) ||
	    certificate_finish(&run, ret, err))
		goto out;
	rc = 0;
out:
	run_close(&run);
	return rc;
}

/* ---- the operator's rollback --------------------------------------------- */

/* Is there a way back for this target? Else `why` says why not. */
static bool can_roll_back(const struct member *member, char *why, size_t size)
{
	const struct journal *journal = &member->journal;

	snprintf(why, size, "nothing to roll back: no deployment of this certificate");
	if (!journal_is_about(journal, member->deployment->material) ||
	    journal->end == DEPLOY_OPERATOR)
		return false;
	snprintf(why, size,
		 "nothing to roll back: it is rolled back already; 'deploy' "
		 "brings the new certificate in again");
	if (journal->end == DEPLOY_ROLLED_BACK)
		return false;
	snprintf(why, size,
		 "nothing to roll back: it speaks plain HTTP now, until 'fallback off'");
	if (member_is_on_http(member))
		return false;
	snprintf(why, size, "nothing to roll back: the old certificate is retired");
	if (journal->state == STEP_RETIRED)
		return false;
	snprintf(why, size,
		 "nothing to roll back: before this deployment it served plain "
		 "HTTP; 'fallback' goes there");
	if (journal->from_http)
		return false;
	snprintf(why, size, "nothing to roll back: nothing was changed");
	if (journal->n_files == 0)
		return false;
	snprintf(why, size,
		 "nothing to roll back: it was put back since with the certificate that "
		 "it "
		 "served already, and the way to the one before went with that");
	if (str_equal(journal->old_sha1, journal->new_sha1))
		return false;
	return member_may_go_back(member, why, size);
}

static int select_for_rollback(struct run *run, const char *only, struct err *err)
{
	const struct member *the_one = only ? member_named(run, only) : NULL;
	size_t n = 0;
	char why[256] = "";

	if (only && !the_one)
		return err_set(err, ERR_NOT_FOUND, "there is no target '%s'", only);
	for (size_t i = 0; i < run->n; i++) {
		struct member *member = &run->members[i];

		say_as_journaled(member);
		if (the_one && !member_shares(member, the_one))
			continue;
		member->selected = can_roll_back(member, why, sizeof(why));
		if (member->selected)
			n++;
		else
			member_say_end(member, member->outcome->end, ERR_NOT_FOUND, why);
	}
	return n > 0 ? 0 : err_set(err, ERR_NOT_FOUND, "%s", why);
}

static int roll_back_group(struct group *group, struct err *err)
{
	struct err cause;

	err_set(&cause, ERR_TRANSIENT, "rolled back by the operator");
	for (size_t i = 0; i < group->n; i++) {
		group->members[i]->journal.by_operator = true;
		member_say_end(group->members[i], DEPLOY_PENDING, ERR_NONE, NULL);
	}
	return group_undo(group, &cause, err);
}

int deploy_rollback(const struct deployment *deployment, const char *only,
		    struct deploy_outcome *ret, struct err *err)
{
	struct run run;
	int rc = -1;

	if (run_open(&run, deployment, ret, err) ||
	    select_for_rollback(&run, only, err) ||
	    certificate_reopen(&run.certificate, "rolled back by the operator", err) ||
	    members_by_group(run.members, run.n, roll_back_group, err))
		goto out;
	rc = 0;
out:
	run_close(&run);
	return rc;
}

/* The old certificate goes: after a second look, and only what we imported. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "hooks/plan.h"
#include "hooks/store.h"
#include "hooks/transaction.h"

#define LOOK_TIMEOUT_S 10

struct retirement {
	struct journal *certificate;
	struct member *members;
	size_t n;
	bool whole; /* the last one served has waited long enough: nothing is left */
};

/* ---- looking again ------------------------------------------------------- */

static int look_at_files(const struct member *member, struct err *err)
{
	const struct target *target = member->target;
	const struct material *material = member->deployment->material;
	const char *sha1 = cert_sha1(material->cert);
	char named[CERT_SHA1_HEX], *current = NULL;
	bool enabled, same;

	if (target->tls_json) {
		if (plan_named(target, named, &enabled, err))
			return -1;
		if (!enabled || !str_equal_nocase(named, sha1))
			return err_set(err, ERR_TRANSIENT, "'%s' does not name %s",
				       target->tls_json, sha1);
	}
	if (store_points(&target->store)) {
		if (store_current(&target->store, &current, err))
			return -1;
		same = str_equal(current, sha1);
		free(current);
		if (!same)
			return err_set(err, ERR_TRANSIENT,
				       "the store does not point to %s", sha1);
	}
	if (store_prove(&target->store, material, err))
		return -1;
	return store_check_access(&target->store, &target->service, sha1, err);
}

static int look_again(const struct member *member, struct err *err)
{
	const struct target *target = member->target;

	if (member->mode == MODE_OPERATOR)
		return 0;
	if (!member_is_done(member))
		return err_set(err, ERR_TRANSIENT, "it does not serve the new one yet");
	if (member->journal.soak_until)
		return err_set(err, ERR_TRANSIENT, "it is still watched");
	if (look_at_files(member, err))
		return -1;
	return probe_verify(target->verify, target->n_verify,
			    member->deployment->material->cert, NULL, LOOK_TIMEOUT_S,
			    member->deployment->cancel, err);
}

static int look_at_all(const struct member *members, size_t n, struct err *err)
{
	struct err failure;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		const struct member *member = &members[i];

		if (!look_again(member, &failure))
			continue;
		if (failure.kind == ERR_CANCELLED) {
			*err = failure;
			return -1;
		}
		err_wrap(&failure, "target '%s': not retired", member->target->name);
		member->outcome->err = failure;
		member->outcome->err.kind = ERR_TRANSIENT;
		if (!rc)
			*err = member->outcome->err;
		rc = -1;
	}
	return rc;
}

/* ---- not yet ------------------------------------------------------------ */

int certificate_reopen(struct journal *journal, const char *text, struct err *err)
{
	const struct journal_change change = { .state = STEP_STORED, .text = text };

	if (journal->state < STEP_VERIFIED)
		return 0;
	journal->verified_at = 0;
	journal->retire_at = CLOCK_NEVER;
	for (size_t i = 0; i < journal->n_replaced; i++)
		journal->replaced[i].at = 0; /* it may be served again */
	return journal_move(journal, &change, err);
}

/* ---- deleting ------------------------------------------------------------ */

/* The versions to go: all of ours but the current one and target->keep others, of which
 * the one that was served last is the first to stay. */
static void choose(const struct member *member, const struct strlist *have,
		   struct strlist *ret)
{
	const char *current = cert_sha1(member->deployment->material->cert);
	const char *last = member->journal.old_sha1;
	int64_t keep = member->target->keep;
	bool keep_last = keep > 0 && !str_equal(last, current) && strlist_has(have, last);

	if (keep_last)
		keep--;
	for (size_t i = have->n; i-- > 0;) {
		const char *sha1 = have->items[i];

		if (str_equal(sha1, current) || (keep_last && str_equal(sha1, last)))
			continue;
		if (keep > 0)
			keep--;
		else
			strlist_add(ret, sha1);
	}
}

static void tell(struct member *member, const char *text)
{
	strlist_add(&member->outcome->notes, text);
	deploy_say(member->deployment, member->target->name, "retired", "%s", text);
}

/* A predecessor that is somebody else's. */
static void retire_foreign(struct member *member, const struct strlist *have)
{
	const char *last = member->journal.old_sha1;
	bool archived = false;
	struct err failure = { 0 };
	char *text;

	if (!last[0] || strlist_has(have, last) ||
	    !store_keeps_versions(&member->target->store) ||
	    str_equal_nocase(last, cert_sha1(member->deployment->material->cert)))
		return;
	(void)store_archive(&member->target->store, last, &archived, &failure);
	if (archived)
		text = str_printf("the predecessor %s was not imported by us: it is "
				  "archived, its key is left",
				  last);
	else
		text = str_printf("the predecessor %s was not imported by us: it is left "
				  "where it is%s%s%s",
				  last, failure.text[0] ? " (" : "", failure.text,
				  failure.text[0] ? ")" : "");
	tell(member, text);
	free(text);
}

/* Does an operator's target that lives off the same store name this version? */
static bool is_named_elsewhere(const struct member *member, const char *sha1)
{
	const struct deployment *deployment = member->deployment;

	for (size_t i = 0; i < deployment->n_targets; i++) {
		const struct target *other = &deployment->targets[i];
		char named[CERT_SHA1_HEX] = "";
		struct err ignored;
		bool enabled;

		if (other == member->target || !other->tls_json ||
		    !store_is_same(&other->store, &member->target->store))
			continue;
		if (!plan_named(other, named, &enabled, &ignored) &&
		    str_equal_nocase(named, sha1))
			return true;
	}
	return false;
}

static int delete_one(struct member *member, const char *sha1, struct err *err)
{
	bool foreign = false;

	if (is_named_elsewhere(member, sha1))
		return 0;
	if (!store_remove(&member->target->store, sha1, &foreign, err)) {
		deploy_say(member->deployment, member->target->name, "retired",
			   "%s is deleted, its key with it", sha1);
		return 0;
	}
	if (err->kind != ERR_REFUSED)
		return -1;
	tell(member, err->text);
	return 0;
}

static bool may_go(const struct retirement *retirement, const char *sha1)
{
	return retirement->whole ||
	       certificate_may_go(retirement->certificate, sha1, retirement->members,
				  retirement->n);
}

static int delete_old(struct member *member, const struct retirement *retirement,
		      struct err *err)
{
	const struct store *store = &member->target->store;
	struct strlist have = { 0 }, gone = { 0 };
	int rc = -1;

	if (store_sweep(store, err) || store_list(store, &have, err))
		goto out;
	if (retirement->whole)
		retire_foreign(member, &have);
	choose(member, &have, &gone);
	for (size_t i = 0; i < gone.n; i++)
		if (may_go(retirement, gone.items[i]) &&
		    delete_one(member, gone.items[i], err))
			goto out;
	rc = 0;
out:
	strlist_clear(&gone);
	strlist_clear(&have);
	return rc;
}

/* The saved copies may hold keys, and so may what a death has left beside their files:
 * they go with the last of the old versions. */
static int retire_target(struct member *member, const struct retirement *retirement,
			 struct err *err)
{
	struct journal *journal = &member->journal;
	const struct journal_change change = {
		.state = STEP_RETIRED,
		.end = DEPLOY_DONE,
		.text = "the old certificate is retired",
	};

	if (delete_old(member, retirement, err))
		return -1;
	if (!retirement->whole)
		return 0;
	for (size_t i = 0; i < journal->n_files; i++)
		change_tidy(journal->files[i].kind, journal->files[i].path);
	journal_forget_files(journal);
	return journal_move(journal, &change, err) ||
	       journal_sweep(journal, "saved", err);
}

static int retire_all(const struct retirement *retirement, struct err *err)
{
	for (size_t i = 0; i < retirement->n; i++) {
		struct member *member = &retirement->members[i];

		if (member->mode == MODE_OPERATOR) {
			member_say_end(member, DEPLOY_OPERATOR, ERR_NONE, NULL);
			strlist_add(&member->outcome->notes,
				    "an operator has taken it over: nothing of it is "
				    "deleted");
			continue;
		}
		if (retire_target(member, retirement, err))
			return err_wrap(err, "target '%s': retire", member->target->name);
		member_say_end(member, DEPLOY_DONE, ERR_NONE, NULL);
	}
	return 0;
}

static int retirement_ends(struct retirement *retirement, struct err *err)
{
	struct journal *certificate = retirement->certificate;
	const struct journal_change done = {
		.state = retirement->whole ? STEP_RETIRED : STEP_VERIFIED,
		.end = DEPLOY_DONE,
		.text = retirement->whole ? "nothing of the old certificate is left"
					  : "older ones are gone, the last one waits",
	};

	certificate_forget_gone(certificate, retirement->members, retirement->n);
	if (!retirement->whole)
		certificate_plan_retirement(certificate, retirement->members,
					    retirement->n);
	return journal_move(certificate, &done, err);
}

static int retire(struct retirement *retirement, struct err *err)
{
	struct journal *certificate = retirement->certificate;
	const struct deployment *deployment = certificate->deployment;
	const struct journal_change intent = {
		.state = STEP_VERIFIED,
		.intent = STEP_RETIRED,
		.end = DEPLOY_DONE,
		.text = "looked again: the new certificate is in use everywhere",
	};

	if (!journal_is_about(certificate, deployment->material) ||
	    certificate->state < STEP_VERIFIED)
		return err_set(err, ERR_TRANSIENT,
			       "nothing is retired: not every target serves the new "
			       "certificate");
	retirement->whole = certificate_may_go(certificate, certificate->new_sha1,
					       retirement->members, retirement->n);
	if (look_at_all(retirement->members, retirement->n, err) ||
	    journal_move(certificate, &intent, err) || retire_all(retirement, err))
		return -1;
	return retirement_ends(retirement, err);
}

int deploy_retire(const struct deployment *deployment, struct deploy_outcome *ret,
		  struct err *err)
{
	struct journal certificate = { 0 };
	struct retirement retirement = { .certificate = &certificate,
					 .n = deployment->n_targets };
	int rc = -1;

	if (members_open(deployment, ret, &retirement.members, NULL, err) ||
	    journal_open(&certificate, deployment, NULL, "journal.json", NULL, err) ||
	    retire(&retirement, err))
		goto out;
	ret->all_done = true;
	rc = 0;
out:
	journal_release(&certificate);
	members_close(retirement.members, deployment->n_targets);
	return rc;
}

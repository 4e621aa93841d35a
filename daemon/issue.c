/* issue.c - from "due" to a new certificate that we accept: preflight, then the issuers
 * in turn, each in the way of its type, then judged and kept the same for all. */
#include "daemon/issue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/files.h"
#include "daemon/accept.h"
#include "daemon/failover.h"
#include "daemon/sessions.h"

/* ---- preflight ----------------------------------------------------------- */

/* An order is worth its place in the CA's limits as long as one target can be deployed.
 */
int pass_preflight(struct pass *pass, struct err *err)
{
	struct deploy_outcome outcome = { 0 };
	size_t unable = 0;
	int rc = 0;

	if (deploy_preflight(&pass->deployment, &outcome, err)) {
		for (size_t i = 0; i < outcome.n_targets; i++) {
			if (outcome.targets[i].err.kind == ERR_NONE)
				continue;
			unable++;
			pass_tell(pass, EVENT_FAILED, outcome.targets[i].target,
				  outcome.targets[i].err.text,
				  "repair the target; no certificate is ordered that "
				  "no target can take");
		}
		rc = outcome.n_targets == 0 || unable == outcome.n_targets ? -1 : 0;
		if (rc)
			err_wrap(err, "preflight");
	}
	deploy_outcome_clear(&outcome);
	return rc;
}

/* ---- the ways, one row an issuer type -------------------------------------- */

static int issue_from_nobody(struct attempt *attempt, struct err *err)
{
	return err_set(err, ERR_CONFIG,
		       "'%s' is only watched: nobody is asked for a certificate",
		       attempt->pass->certificate->name);
}

static const struct {
	int (*obtain)(struct attempt *attempt, struct err *err);
	/* What more it must be, to be accepted; NULL: nothing. */
	int (*check)(const struct attempt *attempt, const struct cert *fresh,
		     struct err *err);
} ways[] = {
	[ISSUER_ACME] = { issue_by_acme, issue_check_acme },
	[ISSUER_STORE] = { issue_from_store, NULL },
	[ISSUER_NONE] = { issue_from_nobody, NULL },
	[ISSUER_SELF_SIGNED] = { issue_self_signed, NULL },
	[ISSUER_COMMAND] = { issue_by_command, issue_check_command },
};
static_assert(sizeof(ways) / sizeof(*ways) == ISSUER_COMMAND + 1, "a way per type");

/* ---- judged and kept ----------------------------------------------------- */

/* What was obtained is not one for us, and its key neither: keys that are of no use do
 * not pile up. Should we die in between, the next pass sweeps it (versions_sweep()). */
static void forget_version(struct attempt *attempt)
{
	struct pass *pass = attempt->pass;
	struct err ignored;

	pass->job.order_version = 0;
	pass->job.order_url[0] = '\0';
	if (!pass_save_job(pass, &ignored))
		(void)versions_sweep(pass->folder, pass->job.version, 0, &ignored);
}

static struct accept_facts facts_to_accept(const struct attempt *attempt,
					   const struct cert *fresh)
{
	const struct pass *pass = attempt->pass;

	return (struct accept_facts){
		.config = pass->certificate,
		.issuer = attempt->issuer->type,
		.fresh = fresh,
		.key = attempt->key,
		.old = pass->have_current ? pass->current.cert : NULL,
		.old_revoked = pass_is_revoked(pass),
		.now = pass->now,
	};
}

static int judge(struct attempt *attempt, const struct cert *fresh,
		 struct strlist *warnings, struct err *err)
{
	const struct accept_facts facts = facts_to_accept(attempt, fresh);

	if (accept_certificate(&facts, warnings, err))
		return -1;
	if (attempt->issuer->type == ISSUER_ACME)
		accept_wishes(&facts, &attempt->notes);
	return ways[attempt->issuer->type].check
		       ? ways[attempt->issuer->type].check(attempt, fresh, err)
		       : 0;
}

static void tell_changes(struct pass *pass, const struct strlist *warnings)
{
	for (size_t i = 0; i < warnings->n; i++) {
		pass_note(pass, "accept", "%s", warnings->items[i]);
		pass_tell(pass, EVENT_CA_CHANGED, NULL, warnings->items[i],
			  "check that every client of the service can live with it");
	}
}

/* What was asked for and not had: told when it is new, not with each renewal. */
static void tell_notes(struct attempt *attempt)
{
	struct pass *pass = attempt->pass;
	struct buf all;

	buf_init(&all, sizeof(pass->job.told_notes) - 1);
	for (size_t i = 0; i < attempt->notes.n; i++) {
		buf_printf(&all, "%s\n", attempt->notes.items[i]);
		if (!strstr(pass->job.told_notes, attempt->notes.items[i]))
			pass_tell(pass, EVENT_CA_CHANGED, NULL, attempt->notes.items[i],
				  "nothing, if the certificate will do without it; else "
				  "take another issuer");
	}
	str_copy(pass->job.told_notes, sizeof(pass->job.told_notes), buf_str(&all));
	buf_release(&all);
}

/* Whoever has issued begins anew, and so do those before it. */
static void remember_issuer(struct job *job, const struct attempt *attempt)
{
	const char *directory = attempt->issuer->directory;

	str_copy(job->last_issuer, sizeof(job->last_issuer), attempt->issuer->name);
	str_copy(job->last_directory, sizeof(job->last_directory),
		 directory ? directory : "");
	str_copy(job->chain_root, sizeof(job->chain_root),
		 attempt->chain_root ? attempt->chain_root : "");
	for (size_t i = 0; i < JOB_ISSUERS; i++)
		job->issuers[i].refusals = 0;
}

static int remember(struct attempt *attempt, struct err *err)
{
	struct job *job = &attempt->pass->job;

	job->version = job->order_version;
	job->order_version = 0;
	job->order_url[0] = '\0';
	job->last_renewed_at = attempt->pass->now;
	remember_issuer(job, attempt);
	job_forget_failures(job);
	return pass_save_job(attempt->pass, err);
}

/* It was a spare whose rehearsal failed: a certificate from it is a better proof. */
static void tell_it_issues(const struct attempt *attempt)
{
	char *whom = str_printf("issuer %s", attempt->issuer->name);

	pass_tell(attempt->pass, EVENT_RECOVERED, whom, "a certificate came from it",
		  NULL);
	free(whom);
}

static int accept_and_keep(struct attempt *attempt, struct err *err)
{
	struct pass *pass = attempt->pass;
	struct strlist warnings = { 0 };
	struct cert *fresh = NULL;
	char *fullchain = NULL;
	int rc = -1;

	pass->now = clock_wall();
	if (cert_parse(buf_str(&attempt->pem), attempt->pem.len, &fresh, err) ||
	    judge(attempt, fresh, &warnings, err)) {
		/* What could not be looked at is as good as it was. */
		if (err->kind != ERR_IO)
			forget_version(attempt);
		err_wrap(err, "accept the new certificate");
		goto out;
	}
	tell_changes(pass, &warnings);
	tell_notes(attempt);
	fullchain = cert_fullchain_pem(fresh);
	if (version_complete(pass->folder, pass->job.order_version, fullchain, err))
		goto out;
	rc = remember(attempt, err);
	if (!rc)
		tell_it_issues(attempt);
out:
	free(fullchain);
	strlist_clear(&warnings);
	cert_free(fresh);
	return rc;
}

/* ---- the issuers in turn ------------------------------------------------- */

/* Counts what it failed with, and says whether the next one is asked now. */
static bool goes_on(const struct attempt *attempt, const struct err *err)
{
	struct pass *pass = attempt->pass;
	struct issuer_record *record = job_issuer(&pass->job, attempt->issuer->name);
	struct failover_facts facts = {
		.err = err,
		.at_ca = attempt->issuer->type == ISSUER_ACME,
		.skipped = attempt->skipped,
		.limited = attempt->limited,
		.challenged = attempt->challenged,
		.refusals = record->refusals,
		.failover_after = pass->certificate->failover_after,
	};
	struct failover_verdict verdict;

	if (pass->have_current) {
		facts.lifetime_s = cert_lifetime_s(pass->current.cert);
		facts.remaining_s = cert_not_after(pass->current.cert) - clock_wall();
	}
	verdict = failover_decide(&facts);
	if (verdict.refusal)
		record->refusals++;
	record->failed_at = clock_wall();
	str_copy(record->text, sizeof(record->text), err->text);
	if (!verdict.next)
		pass_note(pass, "order",
			  "'%s' is asked again by the back-off; the next issuer after "
			  "%lld more refusals",
			  attempt->issuer->name, (long long)verdict.more);
	return verdict.next;
}

/* Sets *ret_next when it fails: the next issuer is asked now. */
static int issue_from(struct pass *pass, const struct issuer_config *issuer,
		      bool *ret_next, struct err *err)
{
	struct attempt attempt = { .pass = pass, .issuer = issuer };
	int rc;

	buf_init(&attempt.pem, 256 * 1024);
	pass_note(pass, "order", "asking '%s' for %s", issuer->name,
		  pass->certificate->hosts[0]);
	rc = ways[issuer->type].obtain(&attempt, err);
	sessions_rest(pass->in->sessions);
	if (!rc)
		rc = accept_and_keep(&attempt, err);
	if (rc && err->kind != ERR_CANCELLED)
		*ret_next = goes_on(&attempt, err);
	if (rc && err->retry_after_s && !attempt.held)
		pass->told_to_wait = true;
	if (rc)
		err_wrap(err, "issuer '%s'", issuer->name);
	EVP_PKEY_free(attempt.key);
	free(attempt.csr);
	free(attempt.chain_root);
	strlist_clear(&attempt.notes);
	buf_release(&attempt.pem);
	return rc;
}

/* Both issuers' words; as soon as one of them would answer again. */
static void join(struct err *err, const struct err *before)
{
	err_wrap(err, "%s", before->text);
	if (before->retry_after_s < err->retry_after_s)
		err->retry_after_s = before->retry_after_s;
}

int pass_issue(struct pass *pass, struct err *err)
{
	const char *const *names = pass->certificate->issuers;
	struct err before = { 0 };
	bool next = true;

	for (size_t i = 0; names[i] && next; i++) {
		const struct issuer_config *issuer = config_issuer(pass->in->config,
								   names[i]);

		if (!issue_from(pass, issuer, &next, err)) {
			pass->acted = true;
			return pass_reload(pass, err);
		}
		if (cancel_requested(pass->in->cancel))
			return err_set(err, ERR_CANCELLED, "stopped on request");
		if (names[i + 1] && next)
			pass_note(pass, "order", "%s; trying the next issuer", err->text);
		if (before.text[0])
			join(err, &before);
		before = *err;
	}
	return -1;
}

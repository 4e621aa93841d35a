/* issue_acme.c - ordered at a CA by RFC 8555. Fixes the order of persistence: leaf key,
 * then order URL, then the breaker's count, each durable before the request that depends
 * on it.
 *
 * Everything that would fail for sure is looked at before an order is made. An order that
 * failed because a challenge did is followed by another with the next challenge, at most
 * as many as the certificate has. */
#include "daemon/issue.h"

#include <stdlib.h>
#include <string.h>

#include "acme/acme.h"
#include "base/clock.h"
#include "daemon/limits.h"
#include "daemon/prove.h"
#include "daemon/sessions.h"

struct ordering { /* one issuer's turn */
	struct attempt *attempt;
	struct provers provers;
	struct acme_session *session;
	char *replaces; /* certID of the predecessor; NULL: none */
	enum limits_order as;
	bool names_stay; /* the predecessor has the same names */
	bool resumed;    /* one is under way: what forbids a new one was not looked at */
};

/* ---- what must be durable before a request goes out ---------------------- */

/* A state file that was damaged and begun anew is no failure, but it is news. */
static void tell_damage(struct pass *pass, int rc, const struct err *err)
{
	if (rc)
		pass_note(pass, "limits", "%s", err->text);
	else if (err->kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err->text, NULL);
}

static int look_at_dns(struct ordering *ordering, struct err *err);
static int look_at_limits(struct ordering *ordering, struct err *err);

/* One without `replaces` is a renewal like others, and not exempt from all limits. */
static int on_before_order(void *ctx, bool replaces, struct err *err)
{
	struct ordering *ordering = ctx;

	if (!replaces && ordering->as == LIMITS_ARI)
		ordering->as = ordering->names_stay ? LIMITS_RENEWAL : LIMITS_FRESH;
	if (ordering->resumed) {
		ordering->resumed = false;
		if (issue_check_breaker(ordering->attempt, err)) {
			ordering->attempt->skipped = true;
			return -1;
		}
		if (look_at_dns(ordering, err))
			return -1;
	}
	return look_at_limits(ordering, err);
}

static int on_order_created(void *ctx, const char *order_url, struct err *err)
{
	struct ordering *ordering = ctx;
	struct pass *pass = ordering->attempt->pass;
	struct job *job = &pass->job;
	struct err noted;
	int rc;

	if (strlen(order_url) >= sizeof(job->order_url))
		return err_set(err, ERR_REFUSED, "order URL of %zu characters",
			       strlen(order_url));
	str_copy(job->order_url, sizeof(job->order_url), order_url);
	if (pass_save_job(pass, err))
		return -1;
	rc = limits_note_order(pass->in->config->state_dir, ordering->attempt->issuer,
			       ordering->as, clock_wall(), &noted);
	tell_damage(pass, rc, &noted);
	return 0;
}

static int on_before_finalize(void *ctx, struct err *err)
{
	const struct ordering *ordering = ctx;

	return issue_count(ordering->attempt, err);
}

static void on_progress(void *ctx, const char *stage, const char *detail)
{
	const struct ordering *ordering = ctx;

	pass_note(ordering->attempt->pass, stage, "%s", detail);
}

/* ---- what came of an order ------------------------------------------------- */

void issue_learn_date(struct pass *pass, const struct acme_session *session)
{
	struct clock_reading now = clock_reading_now();

	if (!acme_session_date(session, &pass->out->date, &pass->out->date_mono_ms))
		return;
	pass->out->saw_date = true;
	clock_trust_observe(&pass->trust, pass->out->date, pass->out->date_mono_ms, &now);
}

/* What the CA's limits count from now on. */
static void note_limits(const struct ordering *ordering, const struct acme_result *result,
			const struct err *failure)
{
	struct pass *pass = ordering->attempt->pass;
	const struct issuer_config *issuer = ordering->attempt->issuer;
	const char *const *names = pass->certificate->hosts;
	const char *dir = pass->in->config->state_dir;
	int64_t now = clock_wall();
	struct err err = { 0 };
	int rc;

	if (!failure) {
		rc = limits_note_certificate(dir, issuer, names, ordering->as, now, &err);
		tell_damage(pass, rc, &err);
		return;
	}
	rc = limits_note_failure(dir, issuer, &result->challenged, now, &err);
	tell_damage(pass, rc, &err);
	rc = limits_note_refusal(dir, issuer, names, failure, now, &err);
	tell_damage(pass, rc, &err);
}

/* Once each, however many orders it took. */
static void take_notes(struct attempt *attempt, const struct acme_result *result)
{
	for (size_t i = 0; i < result->notes.n; i++) {
		if (strlist_has(&attempt->notes, result->notes.items[i]))
			continue;
		strlist_add(&attempt->notes, result->notes.items[i]);
		pass_note(attempt->pass, "order", "%s", result->notes.items[i]);
	}
	if (result->chains.n) {
		free(attempt->chain_root);
		attempt->chain_root = str_dup(result->chains.items[0]);
	}
}

/* The order has led nowhere that a second look could mend: forget it, keep the key. */
static void give_up_order(struct pass *pass)
{
	struct err ignored;

	pass->job.order_url[0] = '\0';
	(void)pass_save_job(pass, &ignored);
}

/* ---- the order ------------------------------------------------------------ */

static struct acme_request request_of(struct ordering *ordering)
{
	const struct attempt *attempt = ordering->attempt;
	const struct certificate_config *certificate = attempt->pass->certificate;
	const struct job *job = &attempt->pass->job;
	int64_t now = clock_wall();

	return (struct acme_request){
		.names = certificate->hosts,
		.order_url = job->order_url[0] ? job->order_url : NULL,
		.replaces = ordering->replaces,
		.key = attempt->key,
		.csr = attempt->csr,
		.common_name = certificate->common_name,
		.profile = certificate->profile,
		.profile_required = certificate->profile_required,
		.not_before = certificate->backdate_s ? now - certificate->backdate_s : 0,
		.not_after = certificate->lifetime_s ? now + certificate->lifetime_s : 0,
		.chain = certificate->chain,
		.solvers = ordering->provers.solvers,
		.n_solvers = ordering->provers.n,
		.record = { .ctx = ordering,
			    .before_order = on_before_order,
			    .order_created = on_order_created,
			    .before_finalize = on_before_finalize,
			    .progress = on_progress },
	};
}

/* One order. Sets *ret_again: another would be answered by another challenge. */
static int order(struct ordering *ordering, bool *ret_again, struct err *err)
{
	struct attempt *attempt = ordering->attempt;
	struct acme_request request = request_of(ordering);
	struct acme_result result;
	int rc;

	acme_result_init(&result);
	rc = acme_obtain(ordering->session, &request, &result, err);
	if (!rc)
		rc = buf_append(&attempt->pem, result.pem.data, result.pem.len);
	take_notes(attempt, &result);
	note_limits(ordering, &result, rc ? err : NULL);
	attempt->challenged = result.challenged.n > 0 || ordering->provers.unable;
	*ret_again = rc && err->kind != ERR_CANCELLED &&
		     provers_fall_back(&ordering->provers, &result.challenged, err);
	if (rc && attempt->challenged)
		provers_explain(&ordering->provers, err);
	if (rc && (err->kind == ERR_REFUSED || result.challenged.n))
		give_up_order(attempt->pass);
	acme_result_clear(&result);
	return rc;
}

static int order_in_rounds(struct ordering *ordering, struct err *err)
{
	struct attempt *attempt = ordering->attempt;
	struct err before = { 0 }, ignored;
	bool again = false;
	int rc = -1;

	for (size_t round = 0; round < ordering->provers.n; round++) {
		rc = order(ordering, &again, err);
		if (!rc || !again)
			break;
		pass_note(attempt->pass, "order",
			  "%s; ordering again with the next challenge", err->text);
		before = *err;
	}
	if (rc && before.text[0] && strcmp(before.text, err->text) != 0)
		err_wrap(err, "%s", before.text);
	issue_learn_date(attempt->pass, ordering->session);
	(void)sessions_remember(attempt->pass->in->sessions, attempt->issuer, &ignored);
	return rc;
}

/* ---- before the order ------------------------------------------------------ */

/* What we have, and what the CA would count a new order as. */
static void find_predecessor(struct ordering *ordering,
			     const struct acme_directory *directory)
{
	const struct attempt *attempt = ordering->attempt;
	const struct pass *pass = attempt->pass;

	ordering->as = LIMITS_FRESH;
	if (!pass->have_current ||
	    !job_came_from(&pass->job, attempt->issuer->name, attempt->issuer->directory))
		return;
	ordering->names_stay = cert_names_are(pass->current.cert,
					      pass->certificate->hosts);
	if (ordering->names_stay)
		ordering->as = LIMITS_RENEWAL;
	ordering->replaces = cert_ari_id(pass->current.cert);
	if (ordering->replaces && directory->renewal_info)
		ordering->as = LIMITS_ARI;
}

static int look_at_dns(struct ordering *ordering, struct err *err)
{
	struct attempt *attempt = ordering->attempt;
	const struct issuer_config *issuer = attempt->issuer;
	const char *url = acme_session_account_url(ordering->session);
	const struct acme_directory *directory;
	const char *const *domains;

	if (acme_session_directory(ordering->session, &directory, err))
		return -1;
	domains = issuer->caa && issuer->caa[0]
			  ? issuer->caa
			  : (const char *const *)directory->caa_identities.items;
	if (provers_know(&ordering->provers, url, domains, err))
		return -1;
	return issue_check_caa(attempt, &ordering->provers, domains, err);
}

static int look_at_limits(struct ordering *ordering, struct err *err)
{
	struct attempt *attempt = ordering->attempt;
	const struct pass *pass = attempt->pass;
	struct err damage;
	int rc;

	rc = limits_check(pass->in->config->state_dir, attempt->issuer,
			  pass->certificate->hosts, ordering->as, clock_wall(), err);
	attempt->limited = rc != 0;
	if (!rc) {
		damage = *err;
		tell_damage(attempt->pass, 0, &damage);
	}
	return rc;
}

/* Everything that only the CA, the account and the DNS tell. An order that is under way
 * has passed it; should it be gone, on_before_order() looks. */
static int look_before(struct ordering *ordering, struct err *err)
{
	const struct acme_directory *directory;

	if (acme_session_directory(ordering->session, &directory, err))
		return -1;
	find_predecessor(ordering, directory);
	ordering->resumed = ordering->attempt->pass->job.order_url[0] != '\0';
	if (ordering->resumed)
		return 0;
	return look_at_dns(ordering, err) || look_at_limits(ordering, err) ? -1 : 0;
}

/* Without the CA's own certificate clients have to guess it. Fine where our trust knows
 * the leaf's issuer (a root), and where it has always been so. */
int issue_check_acme(const struct attempt *attempt, const struct cert *fresh,
		     struct err *err)
{
	const struct pass *pass = attempt->pass;
	char *chain = cert_chain_pem(fresh);
	char *old_chain = pass->have_current ? cert_chain_pem(pass->current.cert) : NULL;
	struct err why;
	int rc = 0;

	if (!chain[0] && !(old_chain && !old_chain[0]) &&
	    cert_verify_chain(fresh, attempt->issuer->ca_bundle, true, &why))
		rc = err_set(
			err, ERR_REFUSED,
			"the CA sent no certificate of its own in the chain, and "
			"the leaf's issuer '%s' is no root that we know: clients "
			"could not verify it, nothing was deployed; if it is a root, "
			"put it into 'ca_bundle' of the issuer",
			cert_issuer_text(fresh));
	free(old_chain);
	free(chain);
	return rc;
}

int issue_by_acme(struct attempt *attempt, struct err *err)
{
	struct pass *pass = attempt->pass;
	struct ordering ordering = { .attempt = attempt };
	int rc = -1;

	provers_open(&ordering.provers, pass);
	if (provers_check(&ordering.provers, err)) {
		err_wrap(err, "preflight");
		goto out;
	}
	issue_leave_others(attempt);
	/* An order of this CA that has come as far as finalize is already counted. */
	if (!pass->job.order_url[0] && issue_check_breaker(attempt, err)) {
		attempt->skipped = true;
		goto out;
	}
	if (sessions_get(pass->in->sessions, attempt->issuer, &ordering.session, err) ||
	    look_before(&ordering, err) || issue_prepare_key(attempt, err))
		goto out;
	rc = order_in_rounds(&ordering, err);
out:
	free(ordering.replaces);
	provers_close(&ordering.provers);
	return rc;
}

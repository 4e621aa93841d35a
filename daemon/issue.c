/* issue.c - from "due" to a new certificate that we accept: preflight, then the issuers
 * in turn. Fixes the order of persistence: leaf key, then order URL, then the breaker's
 * count, each durable before the request that depends on it. */
#include "daemon/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/acme.h"
#include "acme/key.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "base/files.h"
#include "daemon/accept.h"
#include "daemon/breaker.h"
#include "daemon/facts.h"
#include "daemon/sessions.h"
#include "hooks/http01.h"

struct attempt { /* one issuer's turn */
	struct pass *pass;
	const struct issuer_config *issuer;
	EVP_PKEY *key;
};

/* ---- preflight ----------------------------------------------------------- */

static int check_challenge(const struct pass *pass, struct err *err)
{
	const struct certificate_config *certificate = pass->certificate;
	struct err taken;

	if (certificate->webroot)
		return webroot_check(certificate->webroot, err);
	if (!http01_check(pass->in->http01, certificate->listen, err))
		return 0;
	if (err->kind == ERR_TRANSIENT) {
		taken = *err;
		err_set(err, ERR_TRANSIENT,
			"%s: stop it, or if it is the web server that answers for these "
			"names, give its folder as 'webroot:' of the challenge",
			taken.text);
	}
	return -1;
}

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
	if (!rc && check_challenge(pass, err))
		rc = err_wrap(err, "preflight");
	return rc;
}

/* ---- what must be durable before a request goes out ---------------------- */

static int on_order_created(void *ctx, const char *order_url, struct err *err)
{
	struct attempt *attempt = ctx;
	struct job *job = &attempt->pass->job;

	if (strlen(order_url) >= sizeof(job->order_url))
		return err_set(err, ERR_REFUSED, "order URL of %zu characters",
			       strlen(order_url));
	str_copy(job->order_url, sizeof(job->order_url), order_url);
	return pass_save_job(attempt->pass, err);
}

/* A state file that was damaged and begun anew is no failure, but it is news. */
static void tell_damage(struct pass *pass, const struct err *err)
{
	if (err->kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err->text, NULL);
}

static int on_before_finalize(void *ctx, struct err *err)
{
	struct attempt *attempt = ctx;
	struct pass *pass = attempt->pass;

	if (breaker_count(pass->in->config->state_dir, pass->certificate->hosts,
			  attempt->issuer->name, clock_wall(), err))
		return -1;
	tell_damage(pass, err);
	return 0;
}

static void on_progress(void *ctx, const char *stage, const char *detail)
{
	struct attempt *attempt = ctx;

	pass_note(attempt->pass, stage, "%s", detail);
}

/* ---- the challenge, from hooks/ ------------------------------------------ */

static int present(void *ctx, const struct acme_challenge *challenge, struct err *err)
{
	const struct pass *pass = ctx;

	if (pass->certificate->webroot)
		return webroot_serve(pass->certificate->webroot, challenge->token,
				     challenge->key_authorization, err);
	return http01_serve(pass->in->http01, pass->certificate->listen, challenge->token,
			    challenge->key_authorization, err);
}

static void cleanup(void *ctx, const struct acme_challenge *challenge)
{
	struct pass *pass = ctx;
	struct err err;

	if (!pass->certificate->webroot)
		http01_withdraw(pass->in->http01, pass->certificate->listen,
				challenge->token);
	else if (webroot_withdraw(pass->certificate->webroot, challenge->token, &err))
		pass_note(pass, "challenge", "could not clean up: %s", err.text);
}

/* ---- the key ------------------------------------------------------------- */

/* The key of an order that was begun, or of one that never came to a certificate. */
static int load_waiting_key(const struct pass *pass, EVP_PKEY **ret_key)
{
	struct version waiting;
	struct err err;
	int rc = -1;

	if (!pass->job.order_version ||
	    version_load(pass->folder, pass->job.order_version, &waiting, &err))
		return -1;
	if (!waiting.cert &&
	    (pass->certificate->key_reuse ||
	     !strcmp(key_type_name(waiting.key), pass->certificate->key_type))) {
		EVP_PKEY_up_ref(waiting.key);
		*ret_key = waiting.key;
		rc = 0;
	}
	version_clear(&waiting);
	return rc;
}

static int64_t newest_number(const struct pass *pass)
{
	int64_t *numbers = NULL, newest = 0;
	size_t n = 0;
	struct err err;

	if (!versions_list(pass->folder, &numbers, &n, &err) && n)
		newest = numbers[n - 1];
	free(numbers);
	return newest > pass->job.version ? newest : pass->job.version;
}

static int make_key(struct pass *pass, EVP_PKEY **ret_key, struct err *err)
{
	const struct certificate_config *certificate = pass->certificate;
	EVP_PKEY *key = NULL;
	int64_t n = newest_number(pass) + 1;

	if (certificate->key_reuse && pass->have_current &&
	    !strcmp(key_type_name(pass->current.key), certificate->key_type)) {
		EVP_PKEY_up_ref(pass->current.key);
		key = pass->current.key;
	} else if (key_generate(certificate->key_type, &key, err)) {
		return -1;
	}
	if (version_create(pass->folder, n, key, err)) {
		EVP_PKEY_free(key);
		return -1;
	}
	pass->job.order_version = n;
	pass->job.order_url[0] = '\0';
	*ret_key = key;
	return 0;
}

/* Key and order number are durable when this returns. An order of another issuer is left:
 * it was never finalized, and expires at its CA. */
static int prepare_key(struct attempt *attempt, struct err *err)
{
	struct pass *pass = attempt->pass;
	struct job *job = &pass->job;

	if (strcmp(job->order_issuer, attempt->issuer->name) != 0 ||
	    strcmp(job->order_directory, attempt->issuer->directory) != 0)
		job->order_url[0] = '\0';
	if (load_waiting_key(pass, &attempt->key) && make_key(pass, &attempt->key, err))
		return -1;
	str_copy(job->order_issuer, sizeof(job->order_issuer), attempt->issuer->name);
	str_copy(job->order_directory, sizeof(job->order_directory),
		 attempt->issuer->directory);
	return pass_save_job(pass, err);
}

/* ---- one issuer ---------------------------------------------------------- */

static int check_breaker(struct attempt *attempt, struct err *err)
{
	struct pass *pass = attempt->pass;
	struct breaker_verdict verdict;
	char when[CLOCK_TEXT_MAX];
	int64_t *issued = NULL, interval;
	size_t n = 0;

	if (breaker_read(pass->in->config->state_dir, pass->certificate->hosts,
			 attempt->issuer->name, &issued, &n, err))
		return -1;
	tell_damage(pass, err);
	interval = facts_renewal_interval(pass->certificate,
					  pass->have_current ? pass->current.cert : NULL);
	verdict = breaker_decide(issued, n, interval, pass->now);
	free(issued);
	if (verdict.allowed)
		return 0;
	if (!pass->by_hand)
		pass_tell(
			pass, EVENT_CIRCUIT_OPEN, NULL, verdict.text,
			"find out why it is renewed so often before the CA's limits do");
	clock_format_people(verdict.retry_at, when);
	err_set(err, ERR_TRANSIENT,
		"the circuit breaker is open: %s; the next one is allowed at %s",
		verdict.text, when);
	if (verdict.retry_at > pass->now)
		err->retry_after_s = (uint32_t)(verdict.retry_at - pass->now);
	return -1;
}

static void learn_date(struct pass *pass, const struct acme_session *session)
{
	struct clock_reading now = clock_reading_now();

	if (!acme_session_date(session, &pass->out->date, &pass->out->date_mono_ms))
		return;
	pass->out->saw_date = true;
	clock_trust_observe(&pass->trust, pass->out->date, pass->out->date_mono_ms, &now);
}

static int obtain(struct attempt *attempt, struct buf *pem, struct err *err)
{
	struct pass *pass = attempt->pass;
	struct job *job = &pass->job;
	struct acme_session *session;
	struct err ignored;
	char *replaces = NULL;
	struct acme_request request = {
		.names = pass->certificate->hosts,
		.order_url = job->order_url[0] ? job->order_url : NULL,
		.key = attempt->key,
		.common_name = pass->certificate->common_name,
		.solver = { .ctx = pass,
			    .type = "http-01",
			    .present = present,
			    .cleanup = cleanup },
		.record = { .ctx = attempt,
			    .order_created = on_order_created,
			    .before_finalize = on_before_finalize,
			    .progress = on_progress },
	};
	int rc;

	if (sessions_get(pass->in->sessions, attempt->issuer, &session, err))
		return -1;
	if (pass->have_current && !strcmp(job->last_issuer, attempt->issuer->name))
		request.replaces = replaces = cert_ari_id(pass->current.cert);
	rc = acme_obtain(session, &request, pem, err);
	free(replaces);
	learn_date(pass, session);
	(void)sessions_remember(pass->in->sessions, attempt->issuer, &ignored);
	return rc;
}

/* The order has led nowhere that a second look could mend: forget it, keep the key. */
static void give_up_order(struct pass *pass)
{
	struct err ignored;

	pass->job.order_url[0] = '\0';
	(void)pass_save_job(pass, &ignored);
}

/* Without the CA's own certificate clients have to guess it. Fine where our trust knows
 * the leaf's issuer (a root), and where it has always been so. */
static int check_complete(const struct attempt *attempt, const struct cert *fresh,
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

static int accept_and_keep(struct attempt *attempt, const struct buf *pem,
			   struct err *err)
{
	struct pass *pass = attempt->pass;
	struct job *job = &pass->job;
	struct strlist warnings = { 0 };
	struct cert *fresh = NULL;
	char *fullchain = NULL;
	int rc = -1;

	pass->now = clock_wall();
	if (cert_parse((const char *)pem->data, pem->len, &fresh, err) ||
	    accept_certificate(pass->certificate, fresh, attempt->key,
			       pass->have_current ? pass->current.cert : NULL, pass->now,
			       &warnings, err) ||
	    check_complete(attempt, fresh, err)) {
		job->order_version = 0; /* this key's certificate is not one for us */
		give_up_order(pass);
		err_wrap(err, "accept the new certificate");
		goto out;
	}
	for (size_t i = 0; i < warnings.n; i++) {
		pass_note(pass, "accept", "%s", warnings.items[i]);
		pass_tell(pass, EVENT_CA_CHANGED, NULL, warnings.items[i],
			  "check that every client of the service can live with it");
	}
	fullchain = cert_fullchain_pem(fresh);
	if (version_complete(pass->folder, job->order_version, fullchain, err))
		goto out;
	job->version = job->order_version;
	job->order_version = 0;
	job->order_url[0] = '\0';
	job->last_renewed_at = pass->now;
	str_copy(job->last_issuer, sizeof(job->last_issuer), attempt->issuer->name);
	memset(&job->renewal, 0, sizeof(job->renewal));
	memset(&job->deployment, 0, sizeof(job->deployment));
	job->rounds_since_expiry = 0;
	rc = pass_save_job(pass, err);
out:
	free(fullchain);
	strlist_clear(&warnings);
	cert_free(fresh);
	return rc;
}

static int issue_from(struct pass *pass, const struct issuer_config *issuer,
		      struct err *err)
{
	struct attempt attempt = { .pass = pass, .issuer = issuer };
	struct buf pem;
	int rc = -1;

	buf_init(&pem, 256 * 1024);
	pass_note(pass, "order", "asking '%s' for %s", issuer->name,
		  pass->certificate->hosts[0]);
	/* An order that has come as far as finalize is already counted. */
	if (!pass->job.order_url[0] && check_breaker(&attempt, err))
		goto out;
	if (prepare_key(&attempt, err))
		goto out;
	if (obtain(&attempt, &pem, err)) {
		if (err->kind == ERR_REFUSED)
			give_up_order(pass);
		goto out;
	}
	rc = accept_and_keep(&attempt, &pem, err);
out:
	if (rc)
		err_wrap(err, "issuer '%s'", issuer->name);
	EVP_PKEY_free(attempt.key);
	buf_release(&pem);
	return rc;
}

int pass_issue(struct pass *pass, struct err *err)
{
	const char *const *names = pass->certificate->issuers;
	struct err before = { 0 };

	for (size_t i = 0; names[i]; i++) {
		const struct issuer_config *issuer = config_issuer(pass->in->config,
								   names[i]);

		if (!issue_from(pass, issuer, err)) {
			pass->acted = true;
			return pass_reload(pass, err);
		}
		if (cancel_requested(pass->in->cancel))
			return err_set(err, ERR_CANCELLED, "stopped on request");
		if (names[i + 1])
			pass_note(pass, "order", "%s; trying the next issuer", err->text);
		if (before.text[0])
			err_wrap(err, "%s", before.text);
		before = *err;
	}
	return -1;
}

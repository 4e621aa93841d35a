/* issue_acme.c - ordered at a CA by RFC 8555. Fixes the order of persistence: leaf key,
 * then order URL, then the breaker's count, each durable before the request that depends
 * on it. */
#include "daemon/issue.h"

#include <stdlib.h>
#include <string.h>

#include "acme/acme.h"
#include "base/clock.h"
#include "daemon/sessions.h"
#include "hooks/http01.h"

/* ---- the challenge, from hooks/ ------------------------------------------ */

static const struct challenge *http_challenge(const struct pass *pass)
{
	const struct certificate_config *certificate = pass->certificate;

	for (size_t i = 0; i < certificate->n_challenges; i++) {
		if (certificate->challenges[i].type == HTTP_01)
			return &certificate->challenges[i];
	}
	return NULL;
}

static int check_challenge(const struct pass *pass, struct err *err)
{
	const struct challenge *challenge = http_challenge(pass);
	struct err taken;

	if (!challenge)
		return err_set(err, ERR_CONFIG, "no challenge of 'type: http-01'");
	if (challenge->webroot)
		return webroot_check(challenge->webroot, err);
	if (!http01_check(pass->in->http01, challenge->listen, err))
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

static int present(void *ctx, const struct acme_challenge *challenge, struct err *err)
{
	const struct pass *pass = ctx;

	const struct challenge *way = http_challenge(pass);

	if (way->webroot)
		return webroot_serve(way->webroot, challenge->token,
				     challenge->key_authorization, err);
	return http01_serve(pass->in->http01, way->listen, challenge->token,
			    challenge->key_authorization, err);
}

static void cleanup(void *ctx, const struct acme_challenge *challenge)
{
	struct pass *pass = ctx;
	const struct challenge *way = http_challenge(pass);
	struct err err;

	if (!way->webroot)
		http01_withdraw(pass->in->http01, way->listen, challenge->token);
	else if (webroot_withdraw(way->webroot, challenge->token, &err))
		pass_note(pass, "challenge", "could not clean up: %s", err.text);
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

static int on_before_finalize(void *ctx, struct err *err)
{
	return issue_count(ctx, err);
}

static void on_progress(void *ctx, const char *stage, const char *detail)
{
	struct attempt *attempt = ctx;

	pass_note(attempt->pass, stage, "%s", detail);
}

/* ---- the order ------------------------------------------------------------ */

static void learn_date(struct pass *pass, const struct acme_session *session)
{
	struct clock_reading now = clock_reading_now();

	if (!acme_session_date(session, &pass->out->date, &pass->out->date_mono_ms))
		return;
	pass->out->saw_date = true;
	clock_trust_observe(&pass->trust, pass->out->date, pass->out->date_mono_ms, &now);
}

static int order(struct attempt *attempt, struct err *err)
{
	struct pass *pass = attempt->pass;
	struct job *job = &pass->job;
	struct acme_session *session;
	struct err ignored;
	char *replaces = NULL;
	const struct acme_solver solver = {
		.ctx = pass, .type = "http-01", .present = present, .cleanup = cleanup
	};
	struct acme_result result;
	struct acme_request request = {
		.names = pass->certificate->hosts,
		.order_url = job->order_url[0] ? job->order_url : NULL,
		.key = attempt->key,
		.common_name = pass->certificate->common_name,
		.solvers = &solver,
		.n_solvers = 1,
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
	acme_result_init(&result);
	rc = acme_obtain(session, &request, &result, err);
	if (!rc)
		rc = buf_append(&attempt->pem, result.pem.data, result.pem.len);
	acme_result_clear(&result);
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

	if (check_challenge(pass, err))
		return err_wrap(err, "preflight");
	issue_leave_others(attempt);
	/* An order of this CA that has come as far as finalize is already counted. */
	if (!pass->job.order_url[0] && issue_check_breaker(attempt, err))
		return -1;
	if (issue_prepare_key(attempt, err))
		return -1;
	if (order(attempt, err)) {
		if (err->kind == ERR_REFUSED)
			give_up_order(pass);
		return -1;
	}
	return 0;
}

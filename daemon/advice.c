/* advice.c - the CA's advice when to renew (RFC 9773). Advice is all it is: whatever goes
 * wrong here, the certificate's age still makes it due. */
#include "daemon/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/acme.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "daemon/sessions.h"

#define ASK_AGAIN_AFTER_FAILURE_S (6 * 3600) /* RFC 9773 4.3.3 */

static void forget_advice(struct job *job)
{
	job->ari_id[0] = '\0';
	job->ari_explanation[0] = '\0';
	job->ari_at = job->ari_start = job->ari_end = job->ari_ask_again_at = 0;
}

/* Picks a moment inside a window once; an unchanged window keeps its moment, or each poll
 * would roll the dice again (RFC 9773 4.2). */
static void take_advice(struct pass *pass, const struct acme_renewal_info *info)
{
	struct job *job = &pass->job;
	char at[CLOCK_TEXT_MAX];

	job->ari_ask_again_at = pass->now + info->retry_after_s;
	if (job->ari_at && job->ari_start == info->start_at &&
	    job->ari_end == info->end_at)
		return;
	job->ari_start = info->start_at;
	job->ari_end = info->end_at;
	job->ari_at = info->start_at + (int64_t)(random_fraction() *
						 (double)(info->end_at - info->start_at));
	str_copy(job->ari_explanation, sizeof(job->ari_explanation),
		 info->explanation_url);
	clock_format_people(job->ari_at, at);
	pass_note(pass, "advice", "the CA suggests a renewal window; picked %s%s%s", at,
		  info->explanation_url[0] ? ", see " : "", info->explanation_url);
}

static const struct issuer_config *issuer_of_current(const struct pass *pass)
{
	return pass->job.last_issuer[0]
		       ? config_issuer(pass->in->config, pass->job.last_issuer)
		       : NULL;
}

void pass_ask_advice(struct pass *pass)
{
	const struct issuer_config *issuer = issuer_of_current(pass);
	struct acme_session *session;
	struct acme_renewal_info info;
	struct job *job = &pass->job;
	struct err err;
	char *id;

	if (!pass->have_current || !pass->certificate->follow_ari || !issuer ||
	    issuer->type != ISSUER_ACME ||
	    cert_not_after(pass->current.cert) <= pass->now)
		return;
	id = cert_ari_id(pass->current.cert);
	if (!id || strlen(id) >= sizeof(job->ari_id))
		goto out;
	if (strcmp(id, job->ari_id) != 0) { /* advice is bound to its certificate */
		forget_advice(job);
		str_copy(job->ari_id, sizeof(job->ari_id), id);
	}
	if (pass->now < job->ari_ask_again_at)
		goto out;
	job->ari_ask_again_at = pass->now + ASK_AGAIN_AFTER_FAILURE_S;
	if (!sessions_get(pass->in->sessions, issuer, &session, &err) &&
	    !acme_renewal_info(session, id, &info, &err))
		take_advice(pass, &info);
	else if (err.kind != ERR_NOT_FOUND)
		pass_note(pass, "advice", "no advice from the CA: %s", err.text);
	sessions_rest(pass->in->sessions);
out:
	free(id);
}

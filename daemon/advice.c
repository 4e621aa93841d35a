/* advice.c - the CA's advice when to renew (RFC 9773). Advice is all it is: whatever goes
 * wrong here, the certificate's age still makes it due.
 *
 * Asked about the certificate in hand only, at the CA that issued it, right after it was
 * issued and then as often as the CA wants; not after it has expired, and not while
 * renewing it fails: the advice to renew has been taken then. Nor while the disk does not
 * take the moment of the next question: without it, each pass would ask. Nothing is lost
 * by that, because on such a disk nothing can be ordered either. */
#include "daemon/advice.h"

#include <stdlib.h>
#include <string.h>

#include "acme/acme.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "daemon/sessions.h"

#define FIRST_WAIT_S INT64_C(60)
#define LONG_WAIT_S INT64_C(6 * 3600) /* RFC 9773 4.3.3 */
#define DAY_S INT64_C(86400)
#define DOUBLINGS 9 /* 60 s << 9 is more than 6 h */

/* What passes by itself is asked again soon, and ever less often; an answer that is none,
 * in six hours; a CA whose directory has no such thing when that is read again. */
int64_t advice_ask_again_s(const struct err *err, unsigned failures)
{
	int64_t wait_s;

	if (err->kind == ERR_NOT_FOUND)
		return DAY_S;
	if (err->kind != ERR_TRANSIENT)
		return LONG_WAIT_S;
	wait_s = FIRST_WAIT_S << (failures > DOUBLINGS ? DOUBLINGS : failures - 1);
	if ((int64_t)err->retry_after_s > wait_s)
		wait_s = err->retry_after_s;
	return wait_s < LONG_WAIT_S ? wait_s : LONG_WAIT_S;
}

static void forget_advice(struct job *job)
{
	job->ari_id[0] = '\0';
	job->ari_explanation[0] = '\0';
	job->ari_failures = 0;
	job->ari_at = job->ari_start = job->ari_end = job->ari_ask_again_at = 0;
}

/* Picks a moment inside a window once; an unchanged window keeps its moment, or each poll
 * would roll the dice again (RFC 9773 4.2). One that is past is due now. */
static void take_advice(struct pass *pass, const struct acme_renewal_info *info)
{
	struct job *job = &pass->job;
	char at[CLOCK_TEXT_MAX];

	job->ari_failures = 0;
	job->ari_ask_again_at = pass->now + info->retry_after_s;
	str_copy(job->ari_explanation, sizeof(job->ari_explanation),
		 info->explanation_url);
	if (job->ari_at && job->ari_start == info->start_at &&
	    job->ari_end == info->end_at)
		return;
	job->ari_start = info->start_at;
	job->ari_end = info->end_at;
	job->ari_at = info->start_at + (int64_t)(random_fraction() *
						 (double)(info->end_at - info->start_at));
	clock_format_people(job->ari_at, at);
	pass_note(pass, "advice", "the CA suggests a renewal window; picked %s%s%s", at,
		  info->explanation_url[0] ? ", see " : "", info->explanation_url);
}

static void take_failure(struct pass *pass, const struct err *err)
{
	struct job *job = &pass->job;

	job->ari_failures++;
	job->ari_ask_again_at = pass->now + advice_ask_again_s(err, job->ari_failures);
	if (err->kind != ERR_NOT_FOUND)
		pass_note(pass, "advice", "no advice from the CA: %s", err->text);
}

/* Who issued what we have: another CA, or the same name's other directory, knows nothing
 * of it. */
static const struct issuer_config *issuer_of_current(const struct pass *pass)
{
	const struct job *job = &pass->job;
	const struct issuer_config *issuer = job->last_issuer[0]
						     ? config_issuer(pass->in->config,
								     job->last_issuer)
						     : NULL;

	if (!issuer || issuer->type != ISSUER_ACME ||
	    !job_came_from(job, issuer->name, issuer->directory))
		return NULL;
	return issuer;
}

static bool is_wanted(const struct pass *pass)
{
	return pass->have_current && pass->certificate->follow_ari &&
	       !cert_has_expired(pass->current.cert, pass->now) &&
	       !pass_is_revoked(pass) && !pass->job.renewal.count;
}

int64_t pass_advice_at(const struct pass *pass)
{
	if (!is_wanted(pass) || !issuer_of_current(pass) || !pass->job.ari_ask_again_at)
		return CLOCK_NEVER;
	return pass->job.ari_ask_again_at;
}

void pass_ask_advice(struct pass *pass)
{
	const struct issuer_config *issuer = issuer_of_current(pass);
	struct acme_session *session;
	struct acme_renewal_info info;
	struct job *job = &pass->job;
	struct err err;
	char *id;

	if (!is_wanted(pass) || !issuer)
		return;
	id = cert_ari_id(pass->current.cert);
	if (!id || strlen(id) >= sizeof(job->ari_id))
		goto out;
	if (strcmp(id, job->ari_id) != 0) { /* advice is bound to its certificate */
		forget_advice(job);
		str_copy(job->ari_id, sizeof(job->ari_id), id);
	}
	if (pass->now < job->ari_ask_again_at || pass->in->not_saved)
		goto out;
	if (!sessions_get(pass->in->sessions, issuer, &session, &err) &&
	    !acme_renewal_info(session, id, &info, &err))
		take_advice(pass, &info);
	else
		take_failure(pass, &err);
	sessions_rest(pass->in->sessions);
out:
	free(id);
}

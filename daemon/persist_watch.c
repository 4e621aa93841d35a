/* persist_watch.c - dns-persist-01's record ends (persistUntil) or vanishes while nobody
 * orders anything: looked at once a day, told at 30 and 10 days and when it is gone. */
#include "daemon/persist.h"

#include <stdlib.h>

#include "acme/acme.h"
#include "base/clock.h"
#include "daemon/prove.h"
#include "daemon/sessions.h"

#define LOOK_EVERY_S INT64_C(86400)

/* The CA that the record is for: the first that is asked. */
static const struct issuer_config *first_ca(const struct pass *pass)
{
	for (size_t i = 0; pass->certificate->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			pass->in->config, pass->certificate->issuers[i]);

		if (issuer && issuer->type == ISSUER_ACME)
			return issuer;
	}
	return NULL;
}

static bool is_used(const struct pass *pass)
{
	for (size_t i = 0; i < pass->certificate->n_challenges; i++)
		if (pass->certificate->challenges[i].type == DNS_PERSIST_01)
			return true;
	return false;
}

/* Looks at one name. Sets *ret_text (gives) when there is something to say. */
static enum persist_step look_at(struct pass *pass, struct persist_question *question,
				 int64_t *ret_until, char **ret_text)
{
	char when[CLOCK_TEXT_MAX];
	enum persist_step step;
	struct err err;

	if (persist_look(pass, question, ret_until, &err)) {
		if (err.kind != ERR_CONFIG)
			return PERSIST_WELL; /* the DNS does not tell */
		*ret_text = str_dup(err.text);
		*ret_until = 0;
		return PERSIST_MISSING;
	}
	step = persist_step(*ret_until, pass->now);
	clock_format_people_local(*ret_until, when);
	if (step != PERSIST_WELL)
		*ret_text = str_printf("the dns-persist-01 record of '%s' ends on %s",
				       question->identifier, when);
	return step;
}

static void tell(struct pass *pass, enum persist_step step, const char *text)
{
	static const enum severity severities[] = {
		[PERSIST_WELL] = SEVERITY_NOTICE,
		[PERSIST_SOON] = SEVERITY_NOTICE,
		[PERSIST_NEAR] = SEVERITY_WARNING,
		[PERSIST_MISSING] = SEVERITY_CRITICAL,
	};

	if (step > (enum persist_step)pass->job.persist_step)
		pass_tell_as(pass, EVENT_CHALLENGE, severities[step], NULL, text,
			     "publish the record anew, or nothing can be renewed by it",
			     -1);
}

static void look_at_all(struct pass *pass, struct persist_question *question)
{
	enum persist_step worst = PERSIST_WELL, step;
	int64_t until, first = CLOCK_NEVER;
	char *text = NULL, *worst_text = NULL;
	struct provers provers;

	provers_open(&provers, pass);
	for (size_t i = 0; pass->certificate->hosts[i]; i++) {
		struct prover *prover;

		question->identifier = pass->certificate->hosts[i];
		prover = provers_for(&provers, question->identifier);
		if (!prover || prover->challenge->type != DNS_PERSIST_01)
			continue;
		text = NULL;
		until = CLOCK_NEVER;
		step = look_at(pass, question, &until, &text);
		first = until < first ? until : first;
		if (step > worst) {
			free(worst_text);
			worst_text = text;
			worst = step;
		} else {
			free(text);
		}
	}
	if (worst_text)
		tell(pass, worst, worst_text);
	pass->job.persist_step = (unsigned)worst;
	pass->job.persist_until = first == CLOCK_NEVER ? 0 : first;
	free(worst_text);
	provers_close(&provers);
}

void pass_watch_persist(struct pass *pass)
{
	const struct issuer_config *issuer = first_ca(pass);
	const struct acme_directory *directory;
	struct persist_question question = { 0 };
	struct acme_session *session;
	struct err err;

	if (!issuer || !is_used(pass) || pass->now < pass->job.persist_look_at ||
	    pass->in->not_saved)
		return;
	pass->job.persist_look_at = pass->now + LOOK_EVERY_S;
	if (sessions_get(pass->in->sessions, issuer, &session, &err) ||
	    acme_session_directory(session, &directory, &err)) {
		pass_note(pass, "challenge", "%s", err.text);
	} else {
		question.account_url = acme_session_account_url(session);
		question.issuer_domains =
			issuer->caa && issuer->caa[0]
				? issuer->caa
				: (const char *const *)directory->caa_identities.items;
		if (question.account_url && question.issuer_domains)
			look_at_all(pass, &question);
	}
}

#include "daemon/rehearsal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/random.h"
#include "daemon/alerts.h"
#include "daemon/findings.h"
#include "daemon/pass.h"
#include "daemon/rehearsal_when.h"

/* ---- what has nothing to do with a CA -------------------------------------- */

static void look_at_targets(struct pass *pass)
{
	struct deploy_outcome outcome = { 0 };
	struct err err;
	int rc = deploy_preflight(&pass->deployment, &outcome, &err);

	for (size_t i = 0; i < outcome.n_targets; i++)
		pass_find_result(pass, outcome.targets[i].err.kind != ERR_NONE,
				 outcome.targets[i].target, "target",
				 "it could be deployed now", &outcome.targets[i].err);
	if (rc && !outcome.n_targets)
		pass_find(pass, FINDING_FAILED, NULL, "targets", "%s", err.text);
	deploy_outcome_clear(&outcome);
}

static void look_at_clock(struct pass *pass)
{
	struct clock_reading reading = clock_reading_now();
	char why[160];
	bool trusted = clock_trusted(&pass->trust, &reading, why);

	pass_find(pass, trusted ? FINDING_OK : FINDING_NOTE, NULL, "clock", "%s", why);
}

static void look_at_alerts(struct pass *pass)
{
	const struct config *config = pass->in->config;
	struct err err;

	if (!config->n_alerts)
		pass_find(pass, FINDING_NOTE, NULL, "alerts",
			  "nobody is told of trouble: there are no `alerts:`");
	for (size_t i = 0; i < config->n_alerts; i++) {
		const struct channel channel = alert_channel(&config->alerts[i]);

		pass_find_result(pass, channel_check(&channel, pass->in->cancel, &err),
				 config->alerts[i].name, "alerts", "it can be reached",
				 &err);
	}
}

/* ---- one issuer, and what is remembered of it ------------------------------- */

static void load(struct pass *pass, struct rehearsals *ret)
{
	struct err err;

	*ret = (struct rehearsals){ 0 };
	if (rehearsal_read(pass->folder, ret, &err) || err.kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err.text, NULL);
}

static void save(struct pass *pass, const struct rehearsals *rehearsals)
{
	struct err err;

	if (rehearsal_write(pass->folder, rehearsals, &err))
		pass_tell(pass, EVENT_FAILED, NULL, err.text,
			  "make room in the state directory and let it be written");
}

static void tell(struct pass *pass, const struct rehearsal *done, bool alerts)
{
	/* A name that no target can have: only its own success closes it. */
	char *whom = str_printf("issuer %s", done->issuer);
	char *what = str_printf("rehearsal of '%s' with issuer '%s': %s",
				pass->certificate->name, done->issuer, done->text);
	char *todo = str_printf("it would not be there when it is needed: repair what it "
				"names, then `certrenewd rehearse %s`",
				pass->certificate->name);

	if (done->well)
		pass_tell(pass, EVENT_RECOVERED, whom, what, NULL);
	else if (alerts)
		pass_tell(pass, EVENT_REHEARSAL_FAILED, whom, what, todo);
	free(todo);
	free(what);
	free(whom);
}

/* Rehearses it and remembers what came of it. `alerts`: nobody is watching. */
static void rehearse_one(struct pass *pass, const struct issuer_config *issuer,
			 bool alerts)
{
	char first[1024] = "", ignored[1];
	unsigned before = pass_findings_failed(pass, 0, ignored, sizeof(ignored)), failed;
	struct rehearsals rehearsals;
	struct rehearsal *done;

	load(pass, &rehearsals);
	done = rehearsal_ensure(&rehearsals, issuer->name);
	rehearse_issuer(pass, issuer, alerts, &done->ordered);
	failed = pass_findings_failed(pass, before, first, sizeof(first));
	if (!cancel_requested(pass->in->cancel)) {
		done->at = clock_wall();
		done->well = !failed;
		done->next_at = rehearsal_next(true, done->well, done->at,
					       random_fraction());
		str_copy(done->text, sizeof(done->text),
			 failed          ? first
			 : done->ordered ? "a certificate was obtained on trial"
					 : "all is well, as far as no order is needed");
		save(pass, &rehearsals);
		tell(pass, done, alerts);
	}
	rehearsals_clear(&rehearsals);
}

/* ---- the command ------------------------------------------------------------ */

int pass_rehearse(struct pass *pass, struct err *err)
{
	char first[1024] = "";
	unsigned failed;
	size_t asked = 0;

	for (size_t i = 0; pass->certificate->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			pass->in->config, pass->certificate->issuers[i]);

		if (issuer->type != ISSUER_ACME)
			continue;
		rehearse_one(pass, issuer, false);
		asked++;
		if (cancel_check(pass->in->cancel, err))
			return -1;
	}
	if (!asked)
		pass_find(pass, FINDING_NOTE, NULL, "issuers",
			  "none of them is a CA that is asked by ACME");
	look_at_targets(pass);
	look_at_clock(pass);
	look_at_alerts(pass);
	failed = pass_findings_failed(pass, 0, first, sizeof(first));
	if (failed)
		return err_set(err, ERR_REFUSED,
			       "rehearsal of '%s': %u of %d checks failed; the first: %s",
			       pass->certificate->name, failed,
			       cJSON_GetArraySize(pass->out->findings), first);
	return 0;
}

/* ---- spares ----------------------------------------------------------------- */

static const struct issuer_config *spare(const struct pass *pass, const char *name)
{
	const struct issuer_config *issuer = config_issuer(pass->in->config, name);

	return issuer && issuer->type == ISSUER_ACME &&
			       strcmp(name, pass->job.last_issuer) != 0
		       ? issuer
		       : NULL;
}

/* Is there nothing else to do or to worry about? */
static bool calm(const struct pass *pass)
{
	return pass->have_current && pass->job.last_issuer[0] && pass_deployed(pass) &&
	       !pass_is_revoked(pass) && !pass_revocation_pending(pass) &&
	       !pass->job.renewal.count && !pass->job.deployment.count &&
	       cert_not_after(pass->current.cert) > pass->now;
}

/* The spare whose turn is first; NULL: none. Those that have no turn yet get one. */
static const struct issuer_config *
first_spare(const struct pass *pass, struct rehearsals *rehearsals, bool *ret_new)
{
	const struct issuer_config *first = NULL, *issuer;
	int64_t at = CLOCK_NEVER;

	*ret_new = false;
	for (size_t i = 0; pass->certificate->issuers[i]; i++) {
		struct rehearsal *one;

		issuer = spare(pass, pass->certificate->issuers[i]);
		if (!issuer)
			continue;
		one = rehearsal_ensure(rehearsals, issuer->name);
		if (!one->next_at) {
			one->next_at = rehearsal_next(false, true, pass->now,
						      random_fraction());
			*ret_new = true;
		}
		if (one->next_at < at) {
			at = one->next_at;
			first = issuer;
		}
	}
	return first;
}

void pass_rehearse_spares(struct pass *pass)
{
	const struct issuer_config *issuer;
	struct rehearsals rehearsals;
	bool fresh, due = false;

	if (pass->acted || !calm(pass))
		return;
	load(pass, &rehearsals);
	issuer = first_spare(pass, &rehearsals, &fresh);
	if (fresh)
		save(pass, &rehearsals);
	if (issuer)
		due = rehearsal_of(&rehearsals, issuer->name)->next_at <= pass->now;
	rehearsals_clear(&rehearsals);
	if (due)
		rehearse_one(pass, issuer, true);
}

int64_t pass_rehearsal_at(const struct pass *pass)
{
	struct rehearsals rehearsals = { 0 };
	const struct issuer_config *issuer = NULL;
	int64_t at = CLOCK_NEVER;
	struct err ignored;
	bool fresh;

	if (!calm(pass) || rehearsal_read(pass->folder, &rehearsals, &ignored))
		return CLOCK_NEVER;
	issuer = first_spare(pass, &rehearsals, &fresh);
	if (issuer)
		at = rehearsal_of(&rehearsals, issuer->name)->next_at;
	rehearsals_clear(&rehearsals);
	return at;
}

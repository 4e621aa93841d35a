/* rehearsal_whole.c - everything that the next renewal of a certificate needs, tried in
 * the order in which it will be needed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/files.h"
#include "daemon/alerts.h"
#include "daemon/findings.h"
#include "daemon/rehearsal_parts.h"
#include "hooks/trial.h"

/* A key, a chain, journals, alerts: some KiB each. */
static const struct disk_room needed = { .bytes = INT64_C(4194304), .entries = 64 };

/* ---- targets ------------------------------------------------------------------ */

/* Row by row, with what the application will not see. */
static bool try_target(struct pass *pass, const struct target *target)
{
	size_t n;
	const struct target_trial *trials = target_trials(&n);
	bool all = true, well = true;
	struct err err;

	for (size_t i = 0; i < n && (well || !trials[i - 1].stops); i++) {
		if (cancel_requested(pass->in->cancel))
			break;
		well = !trials[i].concerns(target) ||
		       pass_find_result(pass, trials[i].run(target, &err), target->name,
					trials[i].check, trials[i].well, &err);
		all = all && well;
	}
	return all;
}

/* The finding says which target it is about; so does the sentence. */
static const char *without_target(const char *sentence, const char *target)
{
	char *prefix = str_printf("target '%s': ", target);
	size_t skip = str_starts(sentence, prefix) ? strlen(prefix) : 0;

	free(prefix);
	return sentence + skip;
}

/* As before every order; of a target whose trial has failed nothing is said twice. */
static void look_at_targets(struct pass *pass, const bool *well)
{
	struct deployment quiet = pass->deployment;
	struct deploy_outcome outcome = { 0 };
	struct err err;
	int rc;

	quiet.note = NULL; /* what it would say are the findings */
	rc = deploy_preflight(&quiet, &outcome, &err);
	for (size_t i = 0; i < outcome.n_targets; i++) {
		const struct target_outcome *one = &outcome.targets[i];
		bool failed = one->err.kind != ERR_NONE;

		if (well[i])
			pass_find(pass, failed ? FINDING_FAILED : FINDING_OK, one->target,
				  "target", "%s",
				  failed ? without_target(one->err.text, one->target)
					 : "it could be deployed now");
	}
	if (rc && !outcome.n_targets)
		pass_find(pass, FINDING_FAILED, NULL, "targets", "%s", err.text);
	deploy_outcome_clear(&outcome);
}

static void try_targets(struct pass *pass)
{
	const struct certificate_config *certificate = pass->certificate;
	bool *well = mem_calloc(certificate->n_targets + 1, sizeof(*well));

	for (size_t i = 0; i < certificate->n_targets; i++)
		well[i] = pass->state.targets[i].mode == MODE_OPERATOR ||
			  try_target(pass, &certificate->targets[i]);
	look_at_targets(pass, well);
	free(well);
}

static void try_state(struct pass *pass)
{
	const char *folder = pass->in->config->state_dir;
	struct err err;
	int rc = disk_check(folder, &needed, &err);

	pass_find_result(pass, rc, NULL, "disk", "the state directory has room", &err);
}

/* ---- what a renewal does without ------------------------------------------------ */

/* A clock that nobody could confirm yet is a note; one that is wrong is not. */
static void look_at_clock(struct pass *pass)
{
	struct clock_reading reading = clock_reading_now();
	char why[160];

	if (clock_trusted(&pass->trust, &reading, why))
		pass_find(pass, FINDING_OK, NULL, "clock", "%s", why);
	else if (pass->trust.disagreed || pass->out->saw_date)
		pass_find(pass, FINDING_FAILED, NULL, "clock",
			  "%s: set it; until then nothing old is deleted, and nothing "
			  "falls back",
			  why);
	else
		pass_find(pass, FINDING_NOTE, NULL, "clock", "%s", why);
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
				 config->alerts[i].name, "alerts",
				 channel.kind == CHANNEL_KIND_WEBHOOK
					 ? "it can be reached"
					 : "its program is there; whom it reaches cannot "
					   "be tried without an alert",
				 &err);
	}
}

/* ---- issuers -------------------------------------------------------------------- */

static bool look_at_program(struct pass *pass, const struct issuer_config *issuer)
{
	const char *path = issuer->program.argv[0];
	struct file_facts facts;
	struct err err;
	int rc = file_inspect(path, &facts, &err);

	if (!rc && facts.type == FILE_ABSENT)
		rc = err_set(&err, ERR_NOT_FOUND, "'%s' does not exist", path);
	return pass_find_result(pass, rc, issuer->name, "program", "it is there", &err);
}

/* In turn, as a renewal asks them: by habit until one is well, on command all. Gives how
 * many were asked, and *ret_well: of those. */
static unsigned try_issuers(struct pass *pass, enum rehearsal_way way, unsigned *ret_well)
{
	unsigned asked = 0;

	*ret_well = 0;
	for (size_t i = 0; pass->certificate->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			pass->in->config, pass->certificate->issuers[i]);
		bool well;

		if (issuer->type != ISSUER_ACME && issuer->type != ISSUER_COMMAND)
			continue;
		if (cancel_requested(pass->in->cancel) ||
		    (way == REHEARSE_BY_HABIT && *ret_well))
			break;
		well = issuer->type == ISSUER_ACME ? rehearse_issuer(pass, issuer, way)
						   : look_at_program(pass, issuer);
		*ret_well += well;
		asked++;
	}
	if (!asked)
		pass_find(pass, FINDING_NOTE, NULL, "issuers",
			  "none of them is a CA that is asked by ACME");
	return asked;
}

static bool ordered_lately(struct pass *pass)
{
	struct rehearsals rehearsals;
	bool ordered = false;

	rehearsals_load(pass, &rehearsals);
	for (size_t i = 0; i < rehearsals.n; i++)
		ordered = ordered ||
			  (rehearsals.items[i].well && rehearsals.items[i].ordered);
	rehearsals_clear(&rehearsals);
	return ordered;
}

/* ---- the whole -------------------------------------------------------------------- */

/* What failed behind the first `skip`, into `ret->why`: two of them, because the CA that
 * does not answer is not all that there is to repair; and how many more. */
static bool take_failure(const struct pass *pass, unsigned skip,
			 enum rehearsal_outcome as, struct rehearsal_whole *ret)
{
	char first[512] = "", second[448] = "";
	unsigned n = pass_findings_failed(pass, skip, first, sizeof(first));

	if (!n)
		return false;
	if (n > 1)
		(void)pass_findings_failed(pass, skip + 1, second, sizeof(second));
	if (n > 2)
		snprintf(ret->why, sizeof(ret->why), "%s; and because %s; and %u more",
			 first, second, n - 2);
	else
		snprintf(ret->why, sizeof(ret->why), "%s%s%s", first,
			 n > 1 ? "; and because " : "", second);
	ret->outcome = as;
	return true;
}

void rehearse_whole(struct pass *pass, enum rehearsal_way way,
		    struct rehearsal_whole *ret)
{
	char ignored[1];
	unsigned asked = 0, well = 0, of_issuers;

	*ret = (struct rehearsal_whole){ .deployment = pass->waits };
	if (!pass->waits)
		asked = try_issuers(pass, way, &well);
	of_issuers = pass_findings_failed(pass, 0, ignored, sizeof(ignored));
	try_state(pass);
	try_targets(pass);
	if (asked && !well)
		(void)take_failure(pass, 0, REHEARSED_FAILED, ret);
	else
		(void)take_failure(pass, of_issuers, REHEARSED_FAILED, ret);
	look_at_clock(pass);
	look_at_alerts(pass);
	if (ret->outcome == REHEARSED_NOT && !take_failure(pass, 0, REHEARSED_BUT, ret))
		ret->outcome = REHEARSED_WELL;
	ret->ordered = ordered_lately(pass);
	ret->at = clock_wall();
	if (cancel_requested(pass->in->cancel))
		ret->outcome = REHEARSED_NOT;
}

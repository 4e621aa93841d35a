/* rehearsal_habit.c - the daemon rehearses the next renewal by itself: when nothing else
 * is to be done, one certificate at a time, within minutes, and giving way to whoever
 * wants the certificate meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/files.h"
#include "daemon/facts.h"
#include "daemon/findings.h"
#include "daemon/rehearsal_parts.h"
#include "daemon/rehearsal_when.h"
#include "daemon/resolve.h"

#define LIMIT_MINUTES 10
#define PUT_OFF_S INT64_C(600) /* after it gave way, or while another is at it */
#define WHOM "next renewal"    /* a name that no target can have */

/* ---- when ------------------------------------------------------------------------ */

bool rehearsal_is_calm(const struct pass *pass)
{
	return pass->have_current && pass_deployed(pass) && !pass_is_revoked(pass) &&
	       !pass_revocation_pending(pass) && !pass->job.renewal.count &&
	       !pass->job.deployment.count &&
	       !cert_has_expired(pass->current.cert, pass->now);
}

/* The certificate is at hand, and its target waits for its window. */
static bool is_waiting(const struct pass *pass)
{
	return pass->have_current && pass->waits && !pass_is_revoked(pass) &&
	       !pass_revocation_pending(pass) && !pass->job.deployment.count &&
	       !cert_has_expired(pass->current.cert, pass->now);
}

/* Is it us who renew it? */
static bool is_ours(const struct pass *pass)
{
	const struct config *config = pass->in->config;

	return facts_has_issuer(config, pass->certificate, ISSUER_ACME) ||
	       facts_has_issuer(config, pass->certificate, ISSUER_COMMAND) ||
	       facts_has_issuer(config, pass->certificate, ISSUER_SELF_SIGNED);
}

static bool may_rehearse(const struct pass *pass)
{
	return pass->certificate->rehearse_every_s && is_ours(pass) &&
	       (rehearsal_is_calm(pass) || is_waiting(pass));
}

static int64_t renewal_at(const struct pass *pass)
{
	const struct renewal_facts facts = facts_for_renewal(
		pass->in->config, pass->certificate,
		pass->have_current ? pass->current.cert : NULL, &pass->job);

	return renewal_decide(&facts, &pass->certificate->renew_at, pass->now).due_at;
}

/* When the first window opens after `at`; CLOCK_NEVER: no target has one. */
static int64_t window_at(const struct pass *pass, int64_t at)
{
	int64_t first = CLOCK_NEVER;

	for (size_t i = 0; at != CLOCK_NEVER && i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];
		int64_t opens;

		if (!target->n_windows)
			continue;
		opens = window_next(target->windows, target->n_windows, at,
				    window_local_zone);
		first = opens < first ? opens : first;
	}
	return first;
}

static struct rehearsal_verdict decide(const struct pass *pass,
				       const struct rehearsal_whole *last)
{
	bool waiting = !rehearsal_is_calm(pass);
	const struct rehearsal_facts facts = {
		.name = pass->certificate->name,
		.every_s = pass->certificate->rehearse_every_s,
		.lifetime_s = cert_lifetime_s(pass->current.cert),
		.at = last->at,
		.well = last->outcome <= REHEARSED_WELL,
		.next_at = last->next_at,
		.not_before = last->not_before,
		.renewed_at = pass->job.last_renewed_at,
		.renew_at = renewal_at(pass),
		.window_at = window_at(pass, waiting ? pass->now : renewal_at(pass)),
		.waiting = waiting,
	};

	return rehearsal_decide(&facts, pass->now);
}

int64_t pass_rehearsal_at(const struct pass *pass)
{
	struct rehearsals rehearsals = { 0 };
	struct err ignored;
	int64_t at;

	if (!may_rehearse(pass) || rehearsal_read(pass->folder, &rehearsals, &ignored))
		return CLOCK_NEVER;
	at = decide(pass, &rehearsals.whole).at;
	rehearsals_clear(&rehearsals);
	/* Due, and yet this pass did without: it had other work, or could not even write
	 * down that it was put off. */
	return at > pass->now ? at : pass->now + PUT_OFF_S;
}

/* ---- what came of it ----------------------------------------------------------------
 */

static void plan_next(struct pass *pass, struct rehearsal_whole *whole)
{
	whole->next_at = 0;
	whole->not_before = 0;
	if (!may_rehearse(pass))
		return;
	whole->next_at = decide(pass, whole).at;
	if (whole->next_at == CLOCK_NEVER)
		whole->next_at = 0;
}

static void tell(struct pass *pass, const struct rehearsal_whole *whole,
		 const char *sentence, const char *day)
{
	char *todo = str_printf("repair what it names before %s, then `certrenewd "
				"rehearse %s`",
				day, pass->certificate->name);

	if (whole->outcome == REHEARSED_WELL)
		pass_tell(pass, EVENT_RECOVERED, WHOM, sentence, NULL);
	else
		pass_tell(pass, EVENT_REHEARSAL_FAILED, WHOM, sentence, todo);
	free(todo);
}

void rehearsal_conclude(struct pass *pass, const struct rehearsal_whole *done,
			enum rehearsal_way way)
{
	struct rehearsal_whole whole = *done;
	struct rehearsals rehearsals;
	char day[CLOCK_TEXT_MAX];
	char *sentence;
	int64_t at;

	pass->now = clock_wall();
	rehearsals_load(pass, &rehearsals);
	plan_next(pass, &whole);
	rehearsals.whole = whole;
	(void)rehearsals_save(pass, &rehearsals);
	rehearsals_clear(&rehearsals);
	at = renewal_at(pass);
	if (whole.deployment)
		at = window_at(pass, pass->now);
	clock_format_day(at, pass->now, day);
	sentence = rehearsal_sentence(&whole, pass->certificate->name, at, pass->now);
	if (way == REHEARSE_BY_HABIT || whole.outcome == REHEARSED_WELL) {
		pass_note(pass, "rehearsal", "%s", sentence);
		tell(pass, &whole, sentence, day);
	}
	free(sentence);
}

/* ---- doing it -------------------------------------------------------------------------
 */

/* What failed is over when the renewal went well: the best proof that there is. */
static void forget_what_is_over(struct pass *pass, struct rehearsals *rehearsals)
{
	struct rehearsal_whole *whole = &rehearsals->whole;

	if (whole->outcome < REHEARSED_BUT ||
	    !rehearsal_is_over(whole, pass->job.last_renewed_at, pass->state.verified_at))
		return;
	pass_tell(pass, EVENT_RECOVERED, WHOM,
		  whole->deployment ? "it was brought in" : "it was renewed", NULL);
	whole->outcome = REHEARSED_NOT;
	whole->why[0] = '\0';
	(void)rehearsals_save(pass, rehearsals);
}

/* Within limits; *ret as rehearse_whole(). */
static void rehearse_bounded(struct pass *pass, struct rehearsal_whole *ret)
{
	const struct pipeline_input *in = pass->in;
	struct pipeline_input bounded = *in;
	struct cancel *limit = cancel_new_bounded(in->cancel, in->give_way,
						  LIMIT_MINUTES * INT64_C(60000));

	bounded.cancel = limit;
	pass->in = &bounded;
	pass->deployment.cancel = limit;
	resolve_close(pass); /* it keeps whom it listens to */
	rehearse_whole(pass, REHEARSE_BY_HABIT, ret);
	resolve_close(pass);
	pass->in = in;
	pass->deployment.cancel = in->cancel;
	if (!cancel_requested(in->cancel) && !cancel_requested(in->give_way))
		rehearsal_settle(ret, LIMIT_MINUTES);
	cancel_free(limit);
}

static int put_off(struct pass *pass)
{
	struct rehearsals rehearsals;
	int rc;

	rehearsals_load(pass, &rehearsals);
	rehearsals.whole.not_before = clock_wall() + PUT_OFF_S;
	rc = rehearsals_save(pass, &rehearsals);
	rehearsals_clear(&rehearsals);
	return rc;
}

static void rehearse(struct pass *pass, const char *why)
{
	char *path;
	struct file_lock *turn = NULL;
	struct rehearsal_whole whole;
	struct err busy;

	/* Until it has ended: not at once again, should we die of it. One that cannot be
	 * remembered would ask the CA all day: what keeps it from being is told. */
	if (put_off(pass))
		return;
	path = path_join(pass->in->config->state_dir, "rehearsal.lock");
	if (!file_lock_take(path, &turn, &busy)) {
		pass_note(pass, "rehearsal", "of the next renewal, %s", why);
		rehearse_bounded(pass, &whole);
		if (whole.outcome != REHEARSED_NOT)
			rehearsal_conclude(pass, &whole, REHEARSE_BY_HABIT);
	}
	file_lock_release(turn);
	free(path);
}

void pass_rehearse_by_habit(struct pass *pass)
{
	struct rehearsals rehearsals;
	struct rehearsal_verdict verdict;

	if (pass->acted || !may_rehearse(pass))
		return;
	rehearsals_load(pass, &rehearsals);
	forget_what_is_over(pass, &rehearsals);
	verdict = decide(pass, &rehearsals.whole);
	if (verdict.reason == REHEARSE_FIRST && !rehearsals.whole.next_at) {
		rehearsals.whole.next_at = verdict.at;
		(void)rehearsals_save(pass, &rehearsals);
	}
	rehearsals_clear(&rehearsals);
	if (verdict.at <= pass->now)
		rehearse(pass, rehearsal_reason_text(verdict.reason));
}

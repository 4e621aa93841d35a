/* ladder.c - when time has run out: climbs the rungs, and where the operator wants it
 * takes a target to plain HTTP. The decision is daemon/expired.h, the act
 * hooks/fallback.h, the words ladder_tell.c. */
#include "daemon/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/rung.h"
#include "hooks/fallback.h"
#include "hooks/observe.h"

/* How soon a clock that somebody may have confirmed meanwhile is looked at again. */
#define CLOCK_AGAIN_S 300

static bool clock_is_trusted(const struct pass *pass)
{
	struct clock_reading reading = clock_reading_now();
	char why[160];

	return clock_trusted(&pass->trust, &reading, why);
}

static bool is_valid(const struct pass *pass)
{
	return pass->have_current && !cert_has_expired(pass->current.cert, pass->now) &&
	       !pass_is_revoked(pass);
}

static void look_again_at(struct pass *pass, int64_t at)
{
	if (!pass->ladder_at || at < pass->ladder_at)
		pass->ladder_at = at;
}

/* ---- falling back -------------------------------------------------------- */

/* What is known so far survives a death in the middle. */
static void remember(struct pass *pass)
{
	struct err err;

	if (pass_save_job(pass, &err))
		pass_note(pass, "fallback", "%s", err.text);
}

static void fall_back(struct pass *pass, size_t i, const char *why)
{
	const struct target *target = &pass->certificate->targets[i];
	struct strlist notes = { 0 };
	const struct fallback_wish wish = { .notes = &notes };
	struct failures *failures = job_fallback(&pass->job, target->name);
	struct err err, unread;
	int rc;

	remember(pass);
	rc = fallback_enter(&pass->deployment, target, &wish, &err);
	pass->touched = true;
	if (pass_reload_state(pass, &unread))
		pass_note(pass, "fallback", "journals unreadable: %s", unread.text);
	if (!rc) {
		*failures = (struct failures){ 0 };
		pass->fell_back = true;
		pass_tell_fallback(pass, target, why, &notes);
	} else if (pass->state.targets[i].mode == MODE_OPERATOR) {
		pass_tell_taken_over(pass, target->name, err.text);
	} else if (err.kind != ERR_CANCELLED) {
		pass_count_failure(pass, failures, &err);
		pass_tell_fallback_failed(pass, target, &err);
	}
	strlist_clear(&notes);
}

static void abandon(struct pass *pass, size_t i, const char *why)
{
	const struct target *target = &pass->certificate->targets[i];
	struct err err;

	pass_note(pass, "fallback", "'%s' does not fall back after all: %s", target->name,
		  why);
	if (fallback_abandon(&pass->deployment, target, why, &err))
		pass_tell_fallback_failed(pass, target, &err);
	if (pass_reload_state(pass, &err))
		pass_note(pass, "fallback", "journals unreadable: %s", err.text);
}

/* ---- one that was interrupted -------------------------------------------- */

/* Was this certificate served before it began to fall back? Then it is none that came
 * meanwhile. */
static bool was_served(const struct pass *pass, size_t i)
{
	return pass->state.exists && pass->state.targets[i].end == DEPLOY_DONE &&
	       str_equal(pass->state.sha1, cert_sha1(pass->current.cert));
}

static void resume(struct pass *pass, size_t i)
{
	const struct target *target = &pass->certificate->targets[i];
	struct fallback_look look = fallback_look(pass->folder, target->name);
	struct err err;

	if (pass->state.targets[i].mode == MODE_OPERATOR) {
		abandon(pass, i, "an operator has taken it over");
		return;
	}
	if (!look.by_operator && target->when_expired != EXPIRED_HTTP) {
		abandon(pass, i, "'when_expired' is not 'http' any more");
		return;
	}
	if (is_valid(pass) && !was_served(pass, i) &&
	    pass->job.deployment.count < EXPIRED_DEPLOYS) {
		pass_note(pass, "fallback",
			  "'%s' was falling back; a certificate has come meanwhile",
			  target->name);
		(void)pass_deploy(pass, false, &err); /* has told */
		look = fallback_look(pass->folder, target->name);
	}
	if (!look.unfinished || (!look.touched && !look.by_operator))
		return; /* the ladder decides anew: nothing was changed yet */
	if (look.back && job_fallback_of(&pass->job, target->name)->next_at > pass->now)
		return;
	fall_back(pass, i,
		  look.by_operator ? "an operator asked for it"
				   : "its certificate has expired, and it was "
				     "interrupted while falling back");
}

void pass_resume_fallbacks(struct pass *pass)
{
	for (size_t i = 0; i < pass->certificate->n_targets; i++)
		if (pass->state.targets[i].falling)
			resume(pass, i);
}

/* ---- what is really there ------------------------------------------------ */

/* What all endpoints together show: until when it can be served; 0: no TLS anywhere. */
static int64_t seen_until(struct pass *pass, const struct target *target)
{
	int64_t until = 0;

	for (size_t i = 0; i < target->n_verify; i++) {
		struct probe_result seen;

		probe_endpoint(&target->verify[i], 5, pass->in->cancel, &seen);
		if (seen.kind == PROBE_TLS && (!until || seen.not_after < until))
			until = seen.not_after;
	}
	return until;
}

/* Did somebody repair it by hand? A certificate that is valid is served, or tls.json
 * chooses another than ours: whoever did that is not overruled by plain HTTP. */
static bool is_in_hand(struct pass *pass, size_t i)
{
	const struct target *target = &pass->certificate->targets[i];
	struct target_view view = { 0 };
	bool theirs = false;

	if (!cert_is_over(seen_until(pass, target), pass->now))
		return true;
	if (!was_served(pass, i))
		return false;
	observe_files(target, &view);
	if (view.has_tls_json)
		theirs = !view.tls_json_present ||
			 (!view.files_problem[0] &&
			  (!view.tls_enabled ||
			   !str_equal_nocase(view.tls_json_sha1,
					     cert_sha1(pass->current.cert))));
	target_view_clear(&view);
	return theirs;
}

static void leave_in_hand(struct pass *pass, size_t i)
{
	const struct target *target = &pass->certificate->targets[i];
	char *what;

	if (pass->state.targets[i].falling)
		abandon(pass, i, "somebody has repaired it by hand");
	what = str_printf("'%s' is not taken to plain HTTP: somebody else has chosen its "
			  "certificate meanwhile",
			  target->name);
	pass_tell_taken_over(pass, target->name, what);
	free(what);
}

static bool is_stopped(const struct target *target)
{
	enum service_state state;
	struct err ignored;

	return !service_inspect(&target->service, &state, &ignored) &&
	       state == SERVICE_IS_STOPPED;
}

/* ---- the rungs ----------------------------------------------------------- */

/* In plain HTTP there is nothing that could expire; an operator's certificate is what
 * its endpoints show. */
static int64_t served_until(struct pass *pass, size_t i)
{
	switch (pass->state.targets[i].mode) {
	case MODE_HTTPS:
		return pass_served_until(pass, i);
	case MODE_OPERATOR:
		return seen_until(pass, &pass->certificate->targets[i]);
	case MODE_FALLBACK:
		break;
	}
	return 0;
}

static struct rung_known known_of(struct pass *pass, size_t i)
{
	struct rung_known known = {
		.target = &pass->certificate->targets[i],
		.state = &pass->state.targets[i],
		.job = &pass->job,
		.current = pass->have_current ? pass->current.cert : NULL,
		.deployed = pass_target_deployed(pass, i),
		.until = served_until(pass, i),
		.clock_trusted = clock_is_trusted(pass),
		.now = pass->now,
	};

	if (known.until && cert_is_over(known.until, pass->now)) {
		known.older_at_hand = pass_older_is_at_hand(pass, known.target->name);
		known.stopped = is_stopped(known.target);
	}
	return known;
}

static void act(struct pass *pass, size_t i, const struct expired_verdict *verdict)
{
	const struct target *target = &pass->certificate->targets[i];
	int64_t fallback_at;

	switch (verdict->step) {
	case LADDER_FALLBACK:
		if (is_in_hand(pass, i))
			leave_in_hand(pass, i);
		else
			fall_back(pass, i, verdict->why);
		break;
	case LADDER_OLDER:
		pass_try_older(pass, target->name);
		look_again_at(pass,
			      job_target_of(&pass->job, target->name)->older.next_at);
		break;
	case LADDER_NO_CLOCK:
		pass_tell_no_clock(pass, target);
		look_again_at(pass, pass->now + CLOCK_AGAIN_S);
		break;
	case LADDER_STOPPED:
		pass_tell_stopped(pass, target);
		look_again_at(pass, pass->now + CLOCK_AGAIN_S);
		break;
	case LADDER_NONE:
	case LADDER_RENEW:
	case LADDER_DEPLOY:
	case LADDER_LATER:
		break;
	}
	fallback_at = job_fallback_of(&pass->job, target->name)->next_at;
	if (fallback_at > pass->now)
		look_again_at(pass, fallback_at);
}

/* One that speaks plain HTTP: is that still so, or has somebody given it a certificate?
 */
static void look_on_http(struct pass *pass, size_t i)
{
	const struct target *target = &pass->certificate->targets[i];
	bool theirs = false;
	struct err err;

	/* A way back that was interrupted knows by its journal whose file it is. */
	if (!pass->state.targets[i].unfinished &&
	    fallback_yield(&pass->deployment, target, &theirs, &err))
		pass_note(pass, "fallback", "%s", err.text);
	if (!theirs) {
		pass_tell_still_on_http(pass, target);
		return;
	}
	if (pass_reload_state(pass, &err))
		pass_note(pass, "fallback", "journals unreadable: %s", err.text);
	pass_tell_taken_over(pass, target->name,
			     "an operator has written tls.json while plain HTTP was "
			     "served: it is left alone until 'deploy'");
}

static void climb(struct pass *pass, size_t i)
{
	const struct target_state *state = &pass->state.targets[i];
	struct rung_known known;
	struct expired_facts facts;
	struct expired_verdict verdict;

	if (state->mode == MODE_FALLBACK)
		look_on_http(pass, i);
	state = &pass->state.targets[i];
	known = known_of(pass, i);
	facts = rung_facts(&known);
	verdict = expired_decide(&facts, pass->now);
	if (known.until && cert_is_over(known.until, pass->now))
		pass_tell_expired(pass, &known, &verdict);
	if (verdict.step == LADDER_NONE && state->falling && state->mode == MODE_HTTPS)
		abandon(pass, i, verdict.why);
	act(pass, i, &verdict);
}

void pass_expired_ladder(struct pass *pass)
{
	for (size_t i = 0; i < pass->certificate->n_targets; i++)
		climb(pass, i);
	pass_tell_left_on_http(pass);
}

/* rollout_tell.c - what people hear of a deployment: how each target ended, and that a
 * new certificate is served.
 *
 * What happens if we die here? A journal says how its transaction ended before anybody is
 * told, and with it which run has moved it. job.json has the runs that got as far as
 * handing over what they had to tell (pass_save_job()); what another one has ended is
 * told by the next pass. Troubles that were told already are withheld then by the alerts,
 * and `renewed` has a key there. */
#include "daemon/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define NO_RUNS "-" /* no journal was moved yet */

/* What each way for a target to end means to somebody who is asleep. */
static const struct {
	bool failed;
	enum event_kind kind;
	const char *todo;
} ends[] = {
	[DEPLOY_PENDING] = { true, EVENT_FAILED, "repair the target; it is tried again" },
	[DEPLOY_DONE] = { false, EVENT_RECOVERED, NULL },
	[DEPLOY_ROLLED_BACK] = { true, EVENT_FAILED,
				 "repair the target; it is tried again with the "
				 "certificate at hand, without a new order" },
	[DEPLOY_BROKEN] = { true, EVENT_BROKEN,
			    "the service may be down: look at it now; both ways are "
			    "tried again" },
	[DEPLOY_WAITING] = { false, EVENT_WAITING_FOR_SERVICE,
			     "start the service when you are ready; its certificate is "
			     "in place and is verified then" },
	[DEPLOY_OPERATOR] = { false, EVENT_DRIFT, NULL }, /* with the command, below */
};

bool pass_end_failed(enum deploy_end end)
{
	return ends[end].failed;
}

/* With what was done besides: settings that are put back after plain HTTP, say. Gives. */
static char *describe_served(const char *sha1, const struct target_outcome *target)
{
	struct buf text;
	char *served;

	buf_init(&text, 64 * 1024);
	buf_printf(&text, "'%s' serves %s", target->target, sha1);
	for (size_t i = 0; i < target->notes.n; i++)
		buf_printf(&text, "; %s", target->notes.items[i]);
	served = str_dup(buf_str(&text));
	buf_release(&text);
	return served;
}

void pass_tell_end(struct pass *pass, const struct target_outcome *target)
{
	const char *what = target->err.text;
	char *served = NULL;

	if (target->end == DEPLOY_DONE) {
		served = describe_served(cert_sha1(pass->current.cert), target);
		what = served;
	} else if (!what[0]) {
		what = deploy_end_name(target->end);
	}
	if (target->end == DEPLOY_OPERATOR)
		pass_tell_taken_over(pass, target->target, what);
	else
		pass_tell(pass, ends[target->end].kind, target->target, what,
			  ends[target->end].todo);
	for (size_t i = 0; i < target->notes.n; i++)
		pass_note(pass, "note", "%s: %s", target->target, target->notes.items[i]);
	free(served);
}

/* "; watched until ..." where a target soaks. Gives. */
static char *describe_soak(const struct pass *pass)
{
	char when[CLOCK_TEXT_MAX];
	int64_t soak_s = 0;

	for (size_t i = 0; i < pass->certificate->n_targets; i++)
		if (pass->certificate->targets[i].soak_s > soak_s)
			soak_s = pass->certificate->targets[i].soak_s;
	clock_format_people_local(pass->now + soak_s, when);
	return soak_s ? str_printf("; watched until %s", when) : str_dup("");
}

/* The same certificate in one more target is not a new one. */
void pass_note_renewed(struct pass *pass)
{
	str_copy(pass->job.told_sha1, sizeof(pass->job.told_sha1),
		 cert_sha1(pass->current.cert));
}

void pass_tell_renewed(struct pass *pass)
{
	const char *issuer = pass->job.last_issuer;
	char until[CLOCK_TEXT_MAX];
	char *what, *soak = describe_soak(pass);

	clock_format_people_local(cert_not_after(pass->current.cert), until);
	what = str_printf("'%s' serves its new certificate %s%s%s%s, valid until %s%s",
			  pass->certificate->name, cert_sha1(pass->current.cert),
			  issuer[0] ? " from '" : "", issuer, issuer[0] ? "'" : "", until,
			  soak);
	free(soak);
	if (!str_equal(pass->job.told_sha1, cert_sha1(pass->current.cert)))
		pass_tell_once(pass, EVENT_RENEWED, what, cert_sha1(pass->current.cert));
	pass_note_renewed(pass);
	if (!pass->job.renewal.count) /* else the one that is wanted is still not there */
		pass_tell(pass, EVENT_RECOVERED, NULL, what, NULL);
	free(what);
}

/* ---- of a run that died ---------------------------------------------------- */

static bool has_run(const char *runs, const char *run)
{
	size_t len = strlen(run);
	const char *at = runs;

	while ((at = strstr(at, run))) {
		if ((at == runs || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
		at += len;
	}
	return false;
}

/* Ended, by a run that has not told it. What this run has moved it tells itself. */
static bool is_untold(const struct pass *pass, const struct target_state *state)
{
	return state->run[0] && !state->unfinished && !state->falling &&
	       !str_equal(state->run, pass->in->run) &&
	       !has_run(pass->job.told_runs, state->run);
}

static void tell_untold(struct pass *pass, const struct target_state *state)
{
	struct target_outcome outcome = { .target = state->target, .end = state->end };

	pass_note(pass, "tell", "'%s': how run %s ended was not told yet", state->target,
		  state->run);
	/* What an operator did he knows, and what waits is tried again. */
	if (state->by_operator || state->end == DEPLOY_PENDING ||
	    state->end == DEPLOY_OPERATOR)
		return;
	/* An older one than that in hand: how it stands the ladder tells. */
	if (!str_equal(pass->state.sha1, cert_sha1(pass->current.cert)))
		return;
	if (state->end != DEPLOY_DONE && state->why[0])
		err_set(&outcome.err, ERR_TRANSIENT, "%s", state->why);
	pass_tell_end(pass, &outcome);
}

/* A file of an older version knows no runs, and has told. */
void pass_tell_untold(struct pass *pass)
{
	bool any = false;

	if (!pass->have_current || (pass->job.told_sha1[0] && !pass->job.told_runs[0]))
		return;
	for (size_t i = 0; i < pass->state.n_targets; i++) {
		if (!is_untold(pass, &pass->state.targets[i]))
			continue;
		any = true;
		tell_untold(pass, &pass->state.targets[i]);
	}
	if (any && pass_deployed(pass) && pass->state.verified_at &&
	    !str_equal(pass->job.told_sha1, cert_sha1(pass->current.cert)))
		pass_tell_renewed(pass);
	pass_hand_out(pass);
}

void pass_note_told(struct pass *pass)
{
	char *runs = pass->job.told_runs;
	struct buf all;

	buf_init(&all, sizeof(pass->job.told_runs) - 1);
	for (size_t i = 0; i < pass->state.n_targets; i++) {
		const char *run = pass->state.targets[i].run;

		if (run[0] && !has_run(buf_str(&all), run))
			buf_printf(&all, "%s%s", all.len ? " " : "", run);
	}
	str_copy(runs, sizeof(pass->job.told_runs), all.len ? buf_str(&all) : NO_RUNS);
	buf_release(&all);
}

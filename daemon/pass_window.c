/* pass_window.c - which targets of a pass wait for their maintenance window. The decision
 * is daemon/window.h. */
#include "daemon/pass.h"

#include <stdlib.h>

#include "base/clock.h"
#include "daemon/revoked.h"
#include "daemon/window.h"

/* As far as the journals say: of this certificate what was before, else what they brought
 * in last. */
static bool serves_a_revoked_one(const struct pass *pass,
				 const struct target_state *state)
{
	bool begun = str_equal(pass->state.sha1, cert_sha1(pass->current.cert));

	return revoked_has(pass->job.revoked, begun ? state->old_sha1 : pass->state.sha1);
}

/* An operator does not wait, and what was begun is ended. */
static bool waits_for_nothing(const struct pass *pass, size_t i)
{
	const struct target_state *state = &pass->state.targets[i];

	return !pass->certificate->targets[i].n_windows || !pass->have_current ||
	       pass->in->command == PIPELINE_DEPLOY ||
	       pass->in->command == PIPELINE_HTTPS ||
	       (pass->in->command == PIPELINE_RENEW && pass->in->force) ||
	       serves_a_revoked_one(pass, state) || state->unfinished ||
	       state->end == DEPLOY_BROKEN || state->end == DEPLOY_WAITING ||
	       pass_target_deployed(pass, i);
}

int64_t pass_restart_at(struct pass *pass, size_t i, int64_t served_until)
{
	const struct target *target = &pass->certificate->targets[i];
	const struct window_facts facts = {
		.windows = target->windows,
		.n = target->n_windows,
		.served_until = served_until,
		.lifetime_s = cert_lifetime_s(pass->current.cert),
	};

	return target->n_windows ? window_decide(&facts, pass->now, window_local_zone).at
				 : pass->now;
}

static struct window_verdict own_window(struct pass *pass, size_t i, int64_t at)
{
	const struct target *target = &pass->certificate->targets[i];
	const struct window_facts facts = {
		.windows = target->windows,
		.n = target->n_windows,
		.served_until = waits_for_nothing(pass, i) ? 0
							   : pass_served_until(pass, i),
		.lifetime_s = pass->have_current ? cert_lifetime_s(pass->current.cert)
						 : 0,
		.unprotected = pass->state.targets[i].mode == MODE_FALLBACK,
	};

	if (waits_for_nothing(pass, i))
		return (struct window_verdict){ at, false };
	return window_decide(&facts, at, window_local_zone);
}

struct window_verdict pass_window(struct pass *pass, size_t i, int64_t at)
{
	struct window_verdict verdict = own_window(pass, i, at);
	int64_t rests_until = pass_rests_until(pass, i);

	if (verdict.at < rests_until)
		verdict = (struct window_verdict){ rests_until, false };
	return verdict;
}

int64_t pass_windows_open_at(struct pass *pass, int64_t at)
{
	int64_t first = CLOCK_NEVER;

	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		struct window_verdict verdict;

		if (pass_target_deployed(pass, i))
			continue;
		verdict = pass_window(pass, i, at);
		first = verdict.at < first ? verdict.at : first;
	}
	return first == CLOCK_NEVER ? at : first;
}

bool *pass_held(struct pass *pass, bool *ret_any)
{
	size_t n = pass->certificate->n_targets;
	bool *held = mem_calloc(n + 1, sizeof(*held));

	*ret_any = false;
	for (size_t i = 0; i < n; i++) {
		const struct target *target = &pass->certificate->targets[i];
		struct window_verdict verdict = pass_window(pass, i, pass->now);
		char when[CLOCK_TEXT_MAX];

		held[i] = verdict.at > pass->now;
		*ret_any = *ret_any || held[i];
		clock_format_people_local(verdict.at, when);
		if (held[i])
			pass_note(pass, "window",
				  "%s: the certificate is at hand; the restart waits "
				  "until %s (%s)",
				  target->name, when,
				  pass_rests_until(pass, i)
					  ? "it was put back once today, which did not "
					    "help"
				  : verdict.outside
					  ? "before what is served runs out, no "
					    "maintenance window begins"
					  : "its maintenance window");
		else if (verdict.outside)
			pass_note(pass, "window",
				  "%s: deployed outside its maintenance window, because "
				  "what is served would run out before it begins",
				  target->name);
	}
	return held;
}

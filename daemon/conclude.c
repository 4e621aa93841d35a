/* conclude.c - what came of a pass, in one sentence and an exit code. */
#include "daemon/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void pass_conclude(struct pass *pass, enum exit_code code, const char *text)
{
	pass->out->exit_code = code;
	str_copy(pass->out->text, sizeof(pass->out->text), text);
}

/* A store has what it has: asking it harder brings nothing. */
bool pass_can_be_forced(const struct pass *pass)
{
	for (size_t i = 0; pass->certificate->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			pass->in->config, pass->certificate->issuers[i]);

		if (issuer && issuer->type != ISSUER_STORE)
			return true;
	}
	return false;
}

/* The first target that an operator has taken over; NULL: none. */
static const struct target *operators_target(const struct pass *pass, size_t *ret_n)
{
	const struct target *first = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		if (pass->state.targets[i].mode != MODE_OPERATOR)
			continue;
		first = first ? first : &pass->certificate->targets[i];
		++*ret_n;
	}
	return first;
}

/* At hand, and brought in when the application may be restarted. */
static char *describe_window(struct pass *pass)
{
	char when[CLOCK_TEXT_MAX];

	clock_format_people_local(pass_windows_open_at(pass, clock_wall()), when);
	return str_printf("'%s' has its new certificate at hand; the restart waits for "
			  "the maintenance window, until %s, or now with `certrenewd "
			  "deploy %s`",
			  pass->certificate->name, when, pass->certificate->name);
}

/* Nothing to renew, but what is at hand is not served yet. */
static char *describe_waiting_deployment(const struct pass *pass)
{
	const struct failures *failures = &pass->job.deployment;
	char when[CLOCK_TEXT_MAX];

	clock_format_people_local(failures->next_at, when);
	return str_printf(
		"'%s' has a certificate that is not served everywhere yet%s%s; "
		"next try %s, or now with `certrenewd deploy %s`",
		pass->certificate->name, failures->count ? ", the last try failed: " : "",
		failures->count ? failures->text : "", when, pass->certificate->name);
}

/* By a deployment that failed: it shares no restart until then (companions.c). */
static bool is_kept_back(const struct pass *pass)
{
	return pass->job.deployment.count && pass->job.deployment.next_at > pass->now;
}

/* Is it brought in with the next one of its service? */
static bool is_held(const struct pass *pass)
{
	return pass->in->hold && pass->have_current && !is_kept_back(pass);
}

/* Success means that it was seen served: a service that waits for its administrator is
 * not there yet, and nobody looked at what an operator has taken over. */
void pass_conclude_deployment(struct pass *pass)
{
	const char *name = pass->certificate->name;
	bool done = pass_deployed(pass);
	size_t n;
	const struct target *theirs = operators_target(pass, &n);
	char *text;

	if (!done && pass->waits)
		text = describe_window(pass);
	else if (!done && is_kept_back(pass))
		text = describe_waiting_deployment(pass);
	else if (!done && is_held(pass))
		text = str_printf(
			"'%s' has its new certificate at hand; it is brought in "
			"with the next one of its service, by one restart",
			name);
	else if (!done)
		text = str_printf("'%s' is in place, but not every target serves it yet: "
				  "see `certrenewd status %s`",
				  name, name);
	else if (theirs)
		text = str_printf("'%s' is at hand with %s, but target '%s' is left to "
				  "the operator who took it over, until `certrenewd "
				  "deploy %s`",
				  name, cert_sha1(pass->current.cert), theirs->name,
				  name);
	else
		text = str_printf("'%s' is served with %s", name,
				  cert_sha1(pass->current.cert));
	done = (done && n < pass->certificate->n_targets) || pass->waits || is_held(pass);
	pass_conclude(pass, done ? EXIT_CODE_DONE : EXIT_CODE_FAILED, text);
	free(text);
}

void pass_conclude_renewal(struct pass *pass, const struct renewal_verdict *verdict)
{
	/* It is served, but not the one that is wanted: that is not what was asked for,
	 * whatever else was done meanwhile. */
	bool failed = verdict->reason != NOT_DUE && pass->job.renewal.count;
	bool held_back = failed && pass_deployed(pass);
	char when[CLOCK_TEXT_MAX];
	char *text;

	if ((pass->acted && !held_back) ||
	    (!failed &&
	     (pass->in->bring_in || (is_held(pass) && !pass_deployed(pass))))) {
		pass_conclude_deployment(pass);
		return;
	}
	if (verdict->reason == NOT_DUE && !pass_deployed(pass)) {
		text = pass->waits ? describe_window(pass)
				   : describe_waiting_deployment(pass);
		pass_conclude(pass, EXIT_CODE_NOTHING, text);
	} else if (verdict->reason != NOT_DUE) {
		clock_format_people_local(pass->job.renewal.next_at, when);
		text = str_printf(
			"'%s' is due (%s), but the last try failed: %s; next try %s, "
			"or now with --force",
			pass->certificate->name, renewal_reason_text(verdict->reason),
			pass->job.renewal.text, when);
		pass_conclude(pass, EXIT_CODE_NOTHING, text);
	} else {
		clock_format_people_local(verdict->due_at, when);
		text = str_printf("'%s' is not due until %s; %s", pass->certificate->name,
				  when,
				  pass_can_be_forced(pass)
					  ? "--force renews it now"
					  : "nobody has put a newer certificate into "
					    "its store yet");
		pass_conclude(pass, EXIT_CODE_NOTHING, text);
	}
	free(text);
}

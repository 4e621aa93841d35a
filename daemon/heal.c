/* heal.c - puts back what drifted and is nobody's decision, by the one way in which files
 * of an application are written: a deployment, with its journal, its proof and its way
 * back. What was found and what came of it is told as `drift`. */
#include "daemon/inspection.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "daemon/backoff.h"
#include "hooks/mode.h"

static const struct target *target_of(const struct pass *pass,
				      const struct inspection *seen)
{
	return &pass->certificate->targets[seen->i];
}

static void save(struct pass *pass, const struct inspection *seen)
{
	struct err err;

	if (healing_write(pass->folder, target_of(pass, seen)->name, &seen->healing,
			  &err))
		pass_note(pass, "inspect", "%s", err.text);
}

/* ---- telling ------------------------------------------------------------- */

/* "<what was found>; <what was done>". Takes `done`. */
static void tell(struct pass *pass, const struct inspection *seen, char *done)
{
	char *found = inspection_words(pass, seen);
	char *what = str_printf("%s; %s", found, done);

	pass_tell(pass, EVENT_DRIFT, target_of(pass, seen)->name, what, NULL);
	free(what);
	free(found);
	free(done);
}

/* The way back to our certificate, as a clause: `deploy` alone refuses to write over a
 * tls.json that it cannot read, and into a folder that another server keeps. Gives. */
static char *way_back(const struct pass *pass, const struct inspection *seen)
{
	const struct target *target = target_of(pass, seen);
	const char *name = pass->certificate->name;
	const char *sha1 = cert_sha1(pass->current.cert);
	struct err kept;

	if (owner_check(&pass->owner, target->tls_json, &kept) && kept.kind == ERR_CONFIG)
		return str_printf("left to you: %s", kept.text);
	if (seen->facts.file == DRIFT_FILE_UNREADABLE)
		return str_printf("left to you: repair '%s', or move it away; then "
				  "`certrenewd deploy %s` brings %s back",
				  target->tls_json, name, sha1);
	return str_printf("left to you%s `certrenewd deploy %s` brings %s back",
			  seen->verdict.action == DRIFT_OPERATOR ? ", until" : ":", name,
			  sha1);
}

static void leave(struct pass *pass, const struct inspection *seen)
{
	struct err err;

	if (seen->facts.key_lost) {
		tell(pass, seen, str_dup("its key is lost, so a new one is ordered"));
		return;
	}
	tell(pass, seen, way_back(pass, seen));
	if (seen->verdict.action != DRIFT_OPERATOR)
		return;
	pass->state.targets[seen->i].mode = MODE_OPERATOR;
	if (target_mode_write(pass->folder, target_of(pass, seen)->name, MODE_OPERATOR,
			      &err))
		pass_note(pass, "inspect", "%s", err.text);
}

static void postpone(struct pass *pass, const struct inspection *seen)
{
	const char *name = pass->certificate->name;
	char when[CLOCK_TEXT_MAX];

	clock_format_people_local(seen->verdict.at, when);
	tell(pass, seen,
	     str_printf("it is put back %s %s, or now with `certrenewd deploy %s`",
			seen->healing.failures ? "again" : "when a restart is due,", when,
			name));
}

/* ---- putting back -------------------------------------------------------- */

/* Thumbprints of ours that settings shall not name any more. Gives. */
static char *older_of(const struct pass *pass, const struct inspection *list, size_t n)
{
	struct buf words;
	char *text;

	buf_init(&words, 64 * 1024);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < list[i].healing.n_written; k++) {
			const char *sha1 = list[i].healing.written[k].sha1;

			if (!str_equal(sha1, cert_sha1(pass->current.cert)))
				buf_printf(&words, "%s ", sha1);
		}
	text = str_dup(buf_str(&words));
	buf_release(&words);
	return text;
}

/* Before the restart, so that a death does not allow a second one. */
static int begin(struct pass *pass, struct inspection *seen)
{
	struct healing *healing = &seen->healing;
	struct err err;

	if (!seen->verdict.restart)
		return 0;
	healing->restarted_at = pass->now;
	str_copy(healing->rests_sha1, sizeof(healing->rests_sha1),
		 cert_sha1(pass->current.cert));
	if (!healing_write(pass->folder, target_of(pass, seen)->name, healing, &err))
		return 0;
	tell(pass, seen, str_printf("it is not put back: %s", err.text));
	return -1;
}

static void succeeded(struct pass *pass, struct inspection *seen)
{
	bool waits = pass->state.targets[seen->i].end == DEPLOY_WAITING;

	seen->healing.failures = 0;
	seen->healing.retry_at = 0;
	seen->healing.rests_sha1[0] = '\0';
	tell(pass, seen,
	     str_dup(waits ? "put back; its service is stopped and is not started"
		     : seen->verdict.restart
			     ? "put back, with a restart of the application"
			     : "put back; the application was not restarted"));
}

/* An application that serves nothing loses nothing by another restart. */
static bool serves_anything(struct pass *pass, const struct inspection *seen)
{
	struct target_view view = { 0 };
	bool any = false;

	observe_endpoints(target_of(pass, seen), pass->in->cancel, &view);
	for (size_t i = 0; i < view.n_endpoints; i++)
		any = any || view.endpoints[i].kind != PROBE_NOTHING;
	target_view_clear(&view);
	return any;
}

static void failed(struct pass *pass, struct inspection *seen, const struct err *err)
{
	const struct target_state *state = &pass->state.targets[seen->i];
	struct healing *healing = &seen->healing;
	struct backoff_facts facts = {
		.failures = ++healing->failures,
		.lifetime_s = cert_lifetime_s(pass->current.cert),
		.remaining_s = cert_not_after(pass->current.cert) - pass->now,
	};

	healing->retry_at = pass->now + backoff_next(&facts, random_fraction());
	if (state->end == DEPLOY_BROKEN && !serves_anything(pass, seen))
		healing->rests_sha1[0] = '\0';
	tell(pass, seen,
	     str_printf("putting it back failed: %s",
			state->why[0] && state->end != DEPLOY_DONE ? state->why
								   : err->text));
}

/* `failure` NULL: the deployment says that all went well. */
static void end(struct pass *pass, struct inspection *seen, const struct err *failure)
{
	struct healing noted;
	struct err ignored, none = { 0 };

	/* tls.json was noted meanwhile: our copy of that list is old. */
	if (!healing_read(pass->folder, target_of(pass, seen)->name, &noted, &ignored) &&
	    noted.n_written) {
		memcpy(seen->healing.written, noted.written, sizeof(noted.written));
		seen->healing.n_written = noted.n_written;
	}
	if (pass->state.targets[seen->i].end == DEPLOY_WAITING ||
	    (pass_target_deployed(pass, seen->i) && !failure))
		succeeded(pass, seen);
	else
		failed(pass, seen, failure ? failure : &none);
	save(pass, seen);
}

/* What was found is told before what came of it: `recovered` closes `drift`. */
static void run(struct pass *pass, struct inspection *list, size_t n, const bool *held)
{
	struct event_list before = pass->out->events, told;
	struct failures failures = pass->job.deployment;
	struct err err = { 0 };
	bool well;
	char *older = older_of(pass, list, n);

	memset(&pass->out->events, 0, sizeof(pass->out->events));
	pass->deployment.older = older;
	well = !pass_bring_back(pass, held, &err);
	pass->deployment.older = NULL;
	free(older);
	if (pass_deployed(pass)) /* it is healing that has failed, with its own back-off
				  */
		pass->job.deployment = failures;
	told = pass->out->events;
	pass->out->events = before;
	for (size_t i = 0; i < n; i++)
		if (!held[list[i].i])
			end(pass, &list[i], well ? NULL : &err);
	for (size_t i = 0; i < told.n; i++)
		event_list_add(&pass->out->events, &told.items[i]);
	event_list_clear(&told);
}

void pass_heal(struct pass *pass, struct inspection *list, size_t n)
{
	bool *held = mem_calloc(n + 1, sizeof(*held));
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		held[list[i].i] = true;
		switch (list[i].verdict.action) {
		case DRIFT_NONE:
			break;
		case DRIFT_REPORT:
		case DRIFT_OPERATOR:
			leave(pass, &list[i]);
			break;
		case DRIFT_LATER:
			postpone(pass, &list[i]);
			break;
		case DRIFT_HEAL:
			held[list[i].i] = begin(pass, &list[i]) != 0;
			any = any || !held[list[i].i];
			break;
		}
	}
	if (any)
		run(pass, list, n, held);
	free(held);
}

/* ladder_tell.c - what people hear of the expired ladder: each rung, what was tried on
 * it, and what to do. */
#include "daemon/pass.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/files.h"
#include "daemon/rung.h"
#include "hooks/fallback.h"
#include "hooks/mode.h"
#include "hooks/probe.h"

#define LOOK_TIMEOUT_S 5
#define WORDS_MAX ((size_t)16 * 1024)

static const char *address_of(const struct target *target)
{
	return target->http ? target->http : "its HTTP port";
}

void pass_tell_expired(struct pass *pass, const struct rung_known *known,
		       const struct expired_verdict *verdict)
{
	const char *name = pass->certificate->name;
	bool theirs = known->state->mode == MODE_OPERATOR;
	char when[CLOCK_TEXT_MAX];
	struct buf what;
	char *todo;

	clock_format_people_local(known->until, when);
	buf_init(&what, WORDS_MAX);
	buf_printf(&what, "the certificate that '%s' serves expired on %s%s: ",
		   known->target->name, when,
		   known->clock_trusted ? "" : ", by a clock that nobody confirms");
	rung_words(known, verdict, &what);
	todo = theirs ? str_printf("clients refuse this service now: replace it, or give "
				   "the target back with `certrenewd deploy %s`",
				   name)
		      : str_printf(
				"clients refuse this service now: repair what the last "
				"failure names, then `certrenewd renew %s --force`",
				name);
	pass_tell(pass, EVENT_EXPIRED, known->target->name, buf_str(&what), todo);
	free(todo);
	buf_release(&what);
}

/* Which rungs were climbed in vain. */
static void say_rungs(const struct pass *pass, const struct target *target,
		      struct buf *what)
{
	const struct job *job = &pass->job;
	const struct failures *older = &job_target_of(job, target->name)->older;

	if (job->renewal.count)
		buf_printf(what, "; the issuers were asked %u time%s in vain: %s",
			   job->renewal.count, job->renewal.count == 1 ? "" : "s",
			   job->renewal.text);
	if (job->deployment.count)
		buf_printf(what, "; the certificate at hand was tried %u time%s: %s",
			   job->deployment.count, job->deployment.count == 1 ? "" : "s",
			   job->deployment.text);
	if (older->count)
		buf_printf(what, "; an older one was tried %u time%s: %s", older->count,
			   older->count == 1 ? "" : "s", older->text);
}

static char *todo_on_http(const struct pass *pass)
{
	return str_printf(
		"everything sent to it can be read on the way: keep it away "
		"from open networks; it returns to HTTPS by itself as soon as "
		"a certificate is obtained, or now with `certrenewd fallback %s "
		"off` if there is one",
		pass->certificate->name);
}

void pass_tell_fallback(struct pass *pass, const struct target *target, const char *why,
			const struct strlist *notes)
{
	char *todo = todo_on_http(pass);
	struct buf what;

	buf_init(&what, WORDS_MAX);
	buf_printf(&what, "'%s' speaks plain HTTP now on %s: %s", target->name,
		   address_of(target), why);
	say_rungs(pass, target, &what);
	for (size_t i = 0; i < notes->n; i++)
		buf_printf(&what, "; %s", notes->items[i]);
	if (!target->firewall_guard && !target->before_fallback.argv)
		buf_puts(&what, "; no before_fallback keeps others away from it");
	pass_tell(pass, EVENT_FALLBACK, target->name, buf_str(&what), todo);
	buf_release(&what);
	free(todo);
}

/* A reminder: how often it is told is daemon/alerts.h's. */
void pass_tell_still_on_http(struct pass *pass, const struct target *target)
{
	char *todo = todo_on_http(pass);
	struct err unseen;
	struct buf what;

	buf_init(&what, WORDS_MAX);
	if (!target->http ||
	    !probe_http(target->http, LOOK_TIMEOUT_S, pass->in->cancel, &unseen))
		buf_printf(&what, "'%s' still speaks plain HTTP on %s", target->name,
			   address_of(target));
	else
		buf_printf(&what,
			   "'%s' was taken to plain HTTP, and it is not seen there: %s",
			   target->name, unseen.text);
	say_rungs(pass, target, &what);
	pass_tell(pass, EVENT_FALLBACK, target->name, buf_str(&what), todo);
	buf_release(&what);
	free(todo);
}

void pass_tell_fallback_failed(struct pass *pass, const struct target *target,
			       const struct err *err)
{
	const struct failures *failures = job_fallback_of(&pass->job, target->name);
	char when[CLOCK_TEXT_MAX];
	char *todo;

	if (!failures->next_at) {
		pass_tell(pass, EVENT_BROKEN, target->name, err->text,
			  "look at the service now: it is tried again");
		return;
	}
	clock_format_people_local(failures->next_at, when);
	todo = str_printf(
		"the service needs a hand now; it is tried again %s, or at once "
		"with `certrenewd fallback %s on`",
		when, pass->certificate->name);
	pass_tell(pass, EVENT_BROKEN, target->name, err->text, todo);
	free(todo);
}

void pass_tell_taken_over(struct pass *pass, const char *target, const char *what)
{
	bool guarded = fallback_look(pass->folder, target).touched;
	char *todo = str_printf("nothing, if that was you; `certrenewd deploy %s` takes "
				"the target back%s",
				pass->certificate->name,
				guarded ? "; until then the guard of before_fallback and "
					  "the settings that plain HTTP changed stay"
					: "");

	pass_tell(pass, EVENT_DRIFT, target, what, todo);
	free(todo);
}

void pass_tell_no_clock(struct pass *pass, const struct target *target)
{
	struct clock_reading reading = clock_reading_now();
	char why[160];
	char *what, *todo;

	(void)clock_trusted(&pass->trust, &reading, why);
	what = str_printf(
		"'%s' would fall back to HTTP, but the clock is not confirmed: %s",
		target->name, why);
	todo = str_printf("set the clock; `certrenewd fallback %s on` does it on your "
			  "word",
			  pass->certificate->name);
	pass_tell(pass, EVENT_CLOCK_UNCONFIRMED, target->name, what, todo);
	free(todo);
	free(what);
}

void pass_tell_stopped(struct pass *pass, const struct target *target)
{
	char *what = str_printf("'%s' would fall back to HTTP, but its administrator has "
				"stopped the service",
				target->name);

	pass_tell(pass, EVENT_WAITING_FOR_SERVICE, target->name, what,
		  "nothing, if nobody needs it; it falls back when the service runs, "
		  "unless a certificate is had by then");
	free(what);
}

/* ---- targets that the configuration has no more ---------------------------- */

static bool is_configured(const struct pass *pass, const char *name)
{
	for (size_t i = 0; i < pass->certificate->n_targets; i++)
		if (str_equal(pass->certificate->targets[i].name, name))
			return true;
	return false;
}

static void tell_left(struct pass *pass, const char *name)
{
	char *what = str_printf("target '%s' is no longer in the configuration, and "
				"speaks plain HTTP since we took it there: nobody brings "
				"it back",
				name);
	char *todo = str_printf(
		"put the target back and run `certrenewd fallback %s off`; "
		"or give it a certificate by hand and remove '%s/targets/"
		"%s'",
		pass->certificate->name, pass->folder, name);

	pass_tell(pass, EVENT_FALLBACK, name, what, todo);
	free(todo);
	free(what);
}

void pass_tell_left_on_http(struct pass *pass)
{
	char *targets = path_join(pass->folder, "targets");
	struct strlist names = { 0 };
	enum target_mode mode;
	struct err ignored;

	(void)dir_list(targets, &names, &ignored);
	for (size_t i = 0; i < names.n; i++)
		if (!is_configured(pass, names.items[i]) &&
		    !target_mode_read(pass->folder, names.items[i], &mode, &ignored) &&
		    mode == MODE_FALLBACK)
			tell_left(pass, names.items[i]);
	strlist_clear(&names);
	free(targets);
}

/* watch.c - the flow of a certificate that nobody here orders: look, compare with what
 * was seen before, tell. Nothing is ordered, deployed or restarted. */
#include "daemon/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/pass.h"
#include "daemon/schedule.h"
#include "daemon/watch_look.h"

#define HOW_TO_RENEW                                                                     \
	"whoever orders this certificate has to renew it and bring it in: certrenewd "   \
	"only watches it (issuers: [none])"

/* ---- look ---------------------------------------------------------------- */

static bool all_is_well(const struct pass *pass, const struct sightings *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct sighting *one = &list->items[i];

		if (one->problem || !one->sha1[0] ||
		    watch_decide(&pass->certificate->renew_at, one->not_before,
				 one->not_after, pass->now)
				    .step != WATCH_WELL)
			return false;
	}
	return true;
}

/* Endpoints are asked seldom while all is well; else as often as files, so that relief
 * is seen as soon as the trouble was. */
static bool endpoints_are_due(const struct pass *pass, const struct sightings *before)
{
	const struct config *config = pass->in->config;

	return pass->in->command == PIPELINE_RENEW || !all_is_well(pass, before) ||
	       pass->now >= schedule_inspection(pass->certificate->name,
						pass->job.inspected_endpoints_at,
						config->inspect_endpoints_every_s);
}

/* What was known of it stays, where nothing is seen now: its time runs on. */
static void take_over(struct sighting *now, const struct sighting *before)
{
	if (!before || now->sha1[0])
		return;
	str_copy(now->sha1, sizeof(now->sha1), before->sha1);
	now->not_before = before->not_before;
	now->not_after = before->not_after;
	now->seen_at = before->seen_at;
}

static void keep_endpoints(const struct target *target, const struct sightings *before,
			   struct sightings *list)
{
	for (size_t i = 0; i < target->n_verify; i++) {
		const char *where = target->verify[i].connect;
		const struct sighting *old = sightings_find(before, target->name, where);
		struct sighting *one = old ? sightings_add(list, target->name, where)
					   : NULL;

		take_over(one, old);
		if (one)
			one->problem = str_dup(old->problem);
	}
}

static void look(struct pass *pass, const struct sightings *before,
		 struct sightings *list)
{
	const struct look how = { .hosts = pass->certificate->hosts,
				  .cancel = pass->in->cancel,
				  .now = pass->now };
	bool endpoints = endpoints_are_due(pass, before);

	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];

		look_at_store(&how, target, list);
		if (endpoints)
			look_at_endpoints(&how, target, list);
		else
			keep_endpoints(target, before, list);
	}
	for (size_t i = 0; i < list->n; i++)
		take_over(&list->items[i], sightings_find(before, list->items[i].target,
							  list->items[i].where));
	pass->job.inspected_files_at = pass->now;
	if (endpoints)
		pass->job.inspected_endpoints_at = pass->now;
}

/* ---- tell ---------------------------------------------------------------- */

/* As pass_tell(), with the end of the certificate that it is about. */
static void tell(struct pass *pass, enum event_kind kind, enum severity severity,
		 const struct sighting *one, const char *what, const char *todo)
{
	struct event event = {
		.kind = kind,
		.severity = severity,
		.certificate = pass->certificate->name,
		.target = one->target,
		.what = what,
		.todo = todo,
		.run = pass->in->run,
		.not_after = one->not_after,
		.attempts_left = -1,
		.at = pass->now,
		.key = kind == EVENT_RENEWED ? one->sha1 : NULL,
	};

	event_list_add(&pass->out->events, &event);
}

static void tell_changed(struct pass *pass, const struct sighting *old,
			 const struct sighting *one)
{
	char until[CLOCK_TEXT_MAX];
	char *what;

	if (!old || !old->sha1[0] || !strcmp(old->sha1, one->sha1))
		return;
	clock_format_people_local(one->not_after, until);
	what = str_printf("another certificate is seen at %s: %s -> %s, valid until %s",
			  one->where, old->sha1, one->sha1, until);
	pass_note(pass, "watch", "%s", what);
	tell(pass, EVENT_RENEWED, SEVERITY_NOTICE, one, what, NULL);
	free(what);
}

static void tell_unseen(struct pass *pass, const struct sighting *one)
{
	char *what = str_printf("no certificate is seen at %s: %s", one->where,
				one->problem);

	pass_note(pass, "watch", "%s", what);
	tell(pass, EVENT_DRIFT, event_severity(EVENT_DRIFT), one, what,
	     "look whether the service runs and the place is the right one; it cannot be "
	     "watched while nothing is seen");
	free(what);
}

static void tell_step(struct pass *pass, const struct sighting *one, enum watch_step step)
{
	static const enum severity severities[] = {
		[WATCH_WELL] = SEVERITY_NOTICE,      [WATCH_NOTICE] = SEVERITY_NOTICE,
		[WATCH_WARNING] = SEVERITY_WARNING,  [WATCH_CRITICAL] = SEVERITY_CRITICAL,
		[WATCH_EXPIRED] = SEVERITY_CRITICAL,
	};
	char until[CLOCK_TEXT_MAX], left[CLOCK_TEXT_MAX];
	char *what;

	if (step == WATCH_WELL)
		return;
	clock_format_people_local(one->not_after, until);
	clock_format_duration(llabs((long long)(one->not_after - pass->now)), left);
	if (step == WATCH_EXPIRED)
		what = str_printf("the certificate %s at %s has expired on %s, %s ago",
				  one->sha1, one->where, until, left);
	else
		what = str_printf("the certificate %s at %s expires on %s, in %s, and "
				  "nobody has renewed it yet",
				  one->sha1, one->where, until, left);
	pass_note(pass, "watch", "%s", what);
	tell(pass, step == WATCH_EXPIRED ? EVENT_EXPIRED : EVENT_EXPIRING,
	     severities[step], one, what, HOW_TO_RENEW);
	free(what);
}

static void tell_well(struct pass *pass, const struct sighting *one)
{
	char until[CLOCK_TEXT_MAX];
	char *what;

	clock_format_people_local(one->not_after, until);
	what = str_printf("%s is seen at %s, valid until %s", one->sha1, one->where,
			  until);
	tell(pass, EVENT_RECOVERED, SEVERITY_NOTICE, one, what, NULL);
	free(what);
}

/* Returns when its certificate's step changes. */
static int64_t judge(struct pass *pass, const struct target *target,
		     const struct sightings *before, const struct sightings *list)
{
	const struct sighting *first = sightings_first_to_end(list, target->name);
	struct watch_verdict verdict = { WATCH_WELL, CLOCK_NEVER };
	bool seen = first != NULL;

	for (size_t i = 0; i < list->n; i++) {
		const struct sighting *one = &list->items[i];

		if (strcmp(one->target, target->name) != 0)
			continue;
		tell_changed(pass, sightings_find(before, one->target, one->where), one);
		if (!one->problem)
			continue;
		tell_unseen(pass, one);
		seen = false;
	}
	if (!first)
		return CLOCK_NEVER;
	verdict = watch_decide(&pass->certificate->renew_at, first->not_before,
			       first->not_after, pass->now);
	tell_step(pass, first, verdict.step);
	if (seen && verdict.step == WATCH_WELL)
		tell_well(pass, first);
	return verdict.next_at;
}

/* ---- the pass ------------------------------------------------------------ */

static void conclude(struct pass *pass, const struct sightings *list)
{
	const struct sighting *first = sightings_first_to_end(list, NULL);
	char until[CLOCK_TEXT_MAX] = "";

	if (first)
		clock_format_people_local(first->not_after, until);
	pass->out->exit_code = EXIT_CODE_NOTHING;
	snprintf(pass->out->text, sizeof(pass->out->text),
		 "'%s' is only watched (issuers: [none]): nothing is ordered or deployed "
		 "here; %s%s%s%s",
		 pass->certificate->name,
		 first ? "what is seen at " : "no certificate was seen yet",
		 first ? first->where : "", first ? " is valid until " : "", until);
}

static void plan_next(struct pass *pass, int64_t step_at)
{
	const struct config *config = pass->in->config;
	const struct schedule_facts when = {
		.now = pass->now,
		.renew_at = CLOCK_NEVER,
		.deploy_at = CLOCK_NEVER,
		.retire_at = CLOCK_NEVER,
		.expires_at = step_at,
		.ask_advice_at = CLOCK_NEVER,
		.rehearse_at = CLOCK_NEVER,
		.inspect_at = schedule_inspection(pass->certificate->name, pass->now,
						  config->inspect_files_every_s),
	};
	struct schedule_verdict next = schedule_next(&when);

	pass->out->next_at = next.at;
	str_copy(pass->out->next_why, sizeof(pass->out->next_why), next.why);
}

void pass_watch(struct pass *pass)
{
	struct sightings before = { 0 }, list = { 0 };
	int64_t step_at = CLOCK_NEVER;
	struct err err;

	if (sightings_read(pass->folder, &before, &err))
		pass_note(pass, "watch", "%s", err.text);
	else if (err.kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err.text, NULL);
	pass->now = clock_wall();
	look(pass, &before, &list);
	if (cancel_requested(pass->in->cancel))
		goto out; /* what was not seen says nothing then */
	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		int64_t at = judge(pass, &pass->certificate->targets[i], &before, &list);

		step_at = at < step_at ? at : step_at;
	}
	pass_hand_out(pass);
	if (sightings_write(pass->folder, &list, &err))
		pass_tell(pass, EVENT_FAILED, NULL, err.text,
			  "make room in the state directory and let it be written");
out:
	conclude(pass, &list);
	plan_next(pass, step_at);
	sightings_clear(&before);
	sightings_clear(&list);
}

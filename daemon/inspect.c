/* inspect.c - looks at what we left behind: files every hour, endpoints every six (as
 * configured, spread by the certificate's name), and tells when it is not ours any more.
 * Nothing is repaired here. */
#include "daemon/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "daemon/drift.h"
#include "daemon/schedule.h"
#include "daemon/served.h"
#include "hooks/mode.h"
#include "hooks/observe.h"
#include "hooks/settings.h"

#define AS_IT_SHOULD_BE "files, store and endpoints are as they should be"

/* Settings beside tls.json that somebody put back, with the certificate of before. */
static bool names_the_old(struct pass *pass, size_t i)
{
	const struct target *target = &pass->certificate->targets[i];
	const char *old = pass->state.targets[i].old_sha1;
	struct strlist found = { 0 };
	struct err ignored;
	bool any;
	char *what;

	if (!target->settings || !old[0] ||
	    str_equal_nocase(old, cert_sha1(pass->current.cert)))
		return false;
	(void)settings_find(target, old, &found, &ignored);
	any = found.n > 0;
	for (size_t k = 0; k < found.n; k++) {
		what = str_printf("'%s' names the certificate of before, %s",
				  found.items[k], old);
		pass_tell(pass, EVENT_DRIFT, target->name, what, NULL);
		free(what);
	}
	strlist_clear(&found);
	return any;
}

/* Which chain is really served; told when it is another than the preferred one that we
 * brought in, and when that has changed since the last look. */
static void note_chain(struct pass *pass, size_t i, const struct target_view *view)
{
	const struct served_facts facts = { .target = &pass->certificate->targets[i],
					    .view = view,
					    .stored = pass->current.cert,
					    .wanted = pass->certificate->chain };
	struct err err;
	cJSON *seen = served_read(pass->folder, &err);

	if (err.kind == ERR_CONFIG)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err.text, NULL);
	if (!served_update(seen, &facts))
		goto out;
	for (size_t k = 0; k < view->n_endpoints; k++) {
		char *what = served_complaint(&facts, k);

		if (what)
			pass_tell(pass, EVENT_CA_CHANGED, facts.target->name, what,
				  "the application or the system builds a chain of its "
				  "own: look at the intermediates that it has in its "
				  "stores; clients get what is served");
		free(what);
	}
	if (served_write(pass->folder, seen, &err))
		pass_note(pass, "inspect", "%s", err.text);
out:
	cJSON_Delete(seen);
}

/* Returns true when everything of it was looked at and is as we left it. */
static bool inspect_target(struct pass *pass, size_t i, bool endpoints)
{
	const struct target *target = &pass->certificate->targets[i];
	struct target_view view = { 0 };
	struct drift_finding finding;
	struct err err;
	bool seen;

	observe_files(target, &view);
	seen = endpoints && view.service != SERVICE_IS_STOPPED;
	if (seen) {
		observe_endpoints(target, pass->in->cancel, &view);
		note_chain(pass, i, &view);
	}
	finding = drift_judge(target, pass->certificate->name, &view, pass->current.cert);
	target_view_clear(&view);
	if (!finding.drifted)
		return !names_the_old(pass, i) && seen;
	pass_tell(pass, EVENT_DRIFT, target->name, finding.what, NULL);
	if (finding.taken_over) {
		pass->state.targets[i].mode = MODE_OPERATOR;
		if (target_mode_write(pass->folder, target->name, MODE_OPERATOR, &err))
			pass_note(pass, "inspect", "%s", err.text);
	}
	return false;
}

/* Troubles that no look at a target ends: its certificate has expired, its old one stays
 * because nobody confirms the clock. */
static bool trouble_stays(const struct pass *pass)
{
	struct clock_reading reading = clock_reading_now();
	char why[160];

	return cert_not_after(pass->current.cert) <= pass->now ||
	       !clock_trusted(&pass->trust, &reading, why);
}

/* Gives whether all of them are well. What an operator has taken over is not. */
static bool inspect_targets(struct pass *pass, bool endpoints)
{
	bool all = true, stays = trouble_stays(pass);

	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		bool well = pass->state.targets[i].mode == MODE_HTTPS &&
			    inspect_target(pass, i, endpoints) && !stays;

		if (well)
			pass_tell(pass, EVENT_RECOVERED,
				  pass->certificate->targets[i].name, AS_IT_SHOULD_BE,
				  NULL);
		all = all && well;
	}
	return all;
}

void pass_inspect(struct pass *pass)
{
	const struct config *config = pass->in->config;
	struct job *job = &pass->job;
	bool endpoints, well;

	if (!pass_deployed(pass) ||
	    pass->now < schedule_inspection(pass->certificate->name,
					    job->inspected_files_at,
					    config->inspect_files_every_s))
		return;
	endpoints = pass->now >= schedule_inspection(pass->certificate->name,
						     job->inspected_endpoints_at,
						     config->inspect_endpoints_every_s);
	well = inspect_targets(pass, endpoints);
	job->inspected_files_at = pass->now;
	if (endpoints)
		job->inspected_endpoints_at = pass->now;
	if (well && !job->renewal.count && !job->deployment.count)
		pass_tell(pass, EVENT_RECOVERED, NULL, AS_IT_SHOULD_BE, NULL);
}

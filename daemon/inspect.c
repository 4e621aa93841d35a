/* inspect.c - looks at what we left behind: files every hour, endpoints every six (as
 * configured, spread by the certificate's name), and tells when it is not ours any more.
 * Nothing is repaired here. */
#include "daemon/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/drift.h"
#include "daemon/schedule.h"
#include "hooks/mode.h"
#include "hooks/observe.h"

/* Returns false when this target has drifted. */
static bool inspect_target(struct pass *pass, size_t i, bool endpoints)
{
	const struct target *target = &pass->certificate->targets[i];
	struct target_view view = { 0 };
	struct drift_finding finding;
	struct err err;

	observe_files(target, &view);
	if (endpoints && view.service != SERVICE_STOPPED)
		observe_endpoints(target, pass->in->cancel, &view);
	finding = drift_judge(target, pass->certificate->name, &view, pass->current.cert);
	target_view_clear(&view);
	if (!finding.drifted)
		return true;
	pass_tell(pass, EVENT_DRIFT, target->name, finding.what, NULL);
	if (finding.taken_over) {
		pass->state.targets[i].mode = MODE_OPERATOR;
		if (target_mode_write(pass->folder, target->name, MODE_OPERATOR, &err))
			pass_note(pass, "inspect", "%s", err.text);
	}
	return false;
}

void pass_inspect(struct pass *pass)
{
	const struct config *config = pass->in->config;
	struct job *job = &pass->job;
	bool endpoints, well = true;

	if (!pass_deployed(pass) ||
	    pass->now < schedule_inspection(pass->certificate->name,
					    job->inspected_files_at,
					    config->inspect_files_every_s))
		return;
	endpoints = pass->now >= schedule_inspection(pass->certificate->name,
						     job->inspected_endpoints_at,
						     config->inspect_endpoints_every_s);
	for (size_t i = 0; i < pass->certificate->n_targets; i++)
		if (pass->state.targets[i].mode == MODE_HTTPS)
			well = inspect_target(pass, i, endpoints) && well;
	job->inspected_files_at = pass->now;
	if (endpoints)
		job->inspected_endpoints_at = pass->now;
	if (well && endpoints && !job->renewal.count && !job->deployment.count &&
	    cert_not_after(pass->current.cert) > pass->now)
		pass_tell(pass, EVENT_RECOVERED, NULL,
			  "files, store and endpoints are as they should be", NULL);
}

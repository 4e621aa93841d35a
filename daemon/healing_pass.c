/* healing_pass.c - what a pass asks healing.json, and tells it. */
#include <string.h>

#include "base/str.h"
#include "daemon/drift.h"
#include "daemon/healing.h"
#include "daemon/pass.h"

void pass_note_written(struct pass *pass, size_t i)
{
	const struct target *target = &pass->certificate->targets[i];
	char hash[CERT_SHA256_HEX];
	struct healing healing;
	struct target_view view;
	struct err err;

	observe_tls_json(target, &view);
	if (view.has_tls_json &&
	    !(view.tls_enabled &&
	      str_equal_nocase(view.tls_json_sha1, cert_sha1(pass->current.cert))))
		return; /* somebody else has written it since */
	if (healing_read(pass->folder, target->name, &healing, &err) ||
	    healing_hash(target->tls_json, hash, &err) ||
	    (healing_note(&healing, cert_sha1(pass->current.cert), hash) &&
	     healing_write(pass->folder, target->name, &healing, &err)))
		pass_note(pass, "inspect", "%s", err.text);
}

/* What was begun is ended, a service that its administrator starts is verified, and an
 * operator does not wait. */
static bool never_rests(const struct pass *pass, const struct target_state *state)
{
	return !pass->have_current || state->unfinished || state->end == DEPLOY_WAITING ||
	       pass->in->command == PIPELINE_DEPLOY ||
	       pass->in->command == PIPELINE_HTTPS ||
	       (pass->in->command == PIPELINE_RENEW && pass->in->force);
}

int64_t pass_rests_until(struct pass *pass, size_t i)
{
	struct healing healing;
	struct err err;

	if (never_rests(pass, &pass->state.targets[i]) || pass_target_deployed(pass, i) ||
	    healing_read(pass->folder, pass->certificate->targets[i].name, &healing,
			 &err) ||
	    !str_equal(healing.rests_sha1, cert_sha1(pass->current.cert)))
		return 0;
	return drift_rests_until(healing.restarted_at, pass->now);
}

#include "daemon/drift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static struct drift_finding found(bool taken_over, const char *what, const char *detail)
{
	struct drift_finding finding = { .drifted = true, .taken_over = taken_over };

	char *text = str_printf("%s%s", what, detail);

	str_copy(finding.what, sizeof(finding.what), text);
	free(text);
	return finding;
}

/* What an operator did on purpose looks like this, and is not undone. */
static struct drift_finding judge_tls_json(const struct target_view *view,
					   const struct cert *ours)
{
	if (!view->has_tls_json)
		return (struct drift_finding){ 0 };
	if (!view->tls_json_present)
		return found(true, "tls.json was removed", "");
	if (!view->tls_json_sha1[0] && view->files_problem[0])
		return found(false, "tls.json cannot be read: ", view->files_problem);
	if (!view->tls_enabled)
		return found(true, "tls.json says that TLS is off", "");
	if (!str_equal_nocase(view->tls_json_sha1, cert_sha1(ours)))
		return found(true,
			     "tls.json names another certificate: ", view->tls_json_sha1);
	return (struct drift_finding){ 0 };
}

static struct drift_finding judge_store(const struct target *target,
					const struct target_view *view,
					const struct cert *ours)
{
	if (target->store.type == STORE_NONE)
		return (struct drift_finding){ 0 };
	if (view->files_problem[0])
		return found(false,
			     "the store is not as it should be: ", view->files_problem);
	if (!view->store_sha1[0])
		return found(false, "the store is empty", "");
	if (!str_equal_nocase(view->store_sha1, cert_sha1(ours)))
		return found(false,
			     "the store names another certificate: ", view->store_sha1);
	if (!view->key_usable)
		return found(false,
			     "the key in the store does not belong to its certificate",
			     "");
	return (struct drift_finding){ 0 };
}

static struct drift_finding judge_endpoints(const struct target *target,
					    const struct target_view *view,
					    const struct cert *ours)
{
	char what[160];

	for (size_t i = 0; view->endpoints && i < view->n_endpoints; i++) {
		const struct probe_result *seen = &view->endpoints[i];

		if (seen->kind == PROBE_TLS && !strcmp(seen->sha256, cert_sha256(ours)))
			continue;
		snprintf(what, sizeof(what), "%s %s ", target->verify[i].connect,
			 seen->kind == PROBE_TLS       ? "serves another certificate:"
			 : seen->kind == PROBE_NOTHING ? "does not answer:"
						       : "does not speak TLS:");
		return found(false, what,
			     seen->kind == PROBE_TLS ? seen->sha1 : seen->detail);
	}
	return (struct drift_finding){ 0 };
}

struct drift_finding drift_judge(const struct target *target, const char *certificate,
				 const struct target_view *view, const struct cert *ours)
{
	struct drift_finding finding = judge_tls_json(view, ours);
	size_t used;

	if (!finding.drifted)
		finding = judge_store(target, view, ours);
	if (!finding.drifted)
		finding = judge_endpoints(target, view, ours);
	if (!finding.drifted)
		return finding;
	used = strlen(finding.what);
	if (used < sizeof(finding.what))
		snprintf(finding.what + used, sizeof(finding.what) - used,
			 "; `certrenewd deploy %s` brings %s back", certificate,
			 cert_sha1(ours));
	return finding;
}

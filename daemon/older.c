/* older.c - an older certificate that is valid still, while what is served has expired
 * and the newest one is no help: tried three times each, the newest of them first. */
#include "daemon/pass.h"

#include <stdlib.h>

#include "base/clock.h"
#include "daemon/expired.h"
#include "daemon/revoked.h"

/* Tried often enough already? Those between it and the newest were. */
static bool is_used_up(const struct job *job, int64_t n)
{
	if (!job->older_version || n < job->older_version)
		return false;
	return n > job->older_version || job->older.count >= EXPIRED_DEPLOYS;
}

static bool is_of_use(const struct pass *pass, const struct version *version)
{
	const struct cert *cert = version->cert;

	return cert && cert_not_after(cert) > pass->now &&
	       cert_not_before(cert) <= pass->now &&
	       cert_names_cover(cert, pass->certificate->hosts) &&
	       !revoked_has(pass->job.revoked, cert_sha1(cert)) &&
	       !(version->key && pass_key_is_burnt(pass, version->key));
}

int pass_find_older(struct pass *pass, struct version *ret)
{
	int64_t *numbers = NULL;
	size_t n = 0;
	struct err ignored;
	int rc = -1;

	if (!pass->have_current || versions_list(pass->folder, &numbers, &n, &ignored))
		return -1;
	for (size_t i = n; i-- > 0 && rc;) {
		if (numbers[i] >= pass->current.n || is_used_up(&pass->job, numbers[i]) ||
		    version_load(pass->folder, numbers[i], ret, &ignored))
			continue;
		if (is_of_use(pass, ret))
			rc = 0;
		else
			version_clear(ret);
	}
	free(numbers);
	return rc;
}

bool pass_older_is_at_hand(struct pass *pass)
{
	struct version version;

	if (pass_find_older(pass, &version))
		return false;
	version_clear(&version);
	return true;
}

void pass_try_older(struct pass *pass, const char *target)
{
	struct job *job = &pass->job;
	struct version version;
	struct err err;

	if (pass_find_older(pass, &version))
		return;
	if (job->older_version != version.n) {
		job->older_version = version.n;
		job->older = (struct failures){ 0 };
	}
	if (job->older.next_at > pass->now) {
		version_clear(&version);
		return;
	}
	pass_note(pass, "older", "%s is valid still: trying it on '%s'",
		  cert_sha1(version.cert), target);
	if (pass_deploy_version(pass, &version, target, &err))
		pass_count_failure(pass, &job->older, &err);
	else
		job->older = (struct failures){ 0 };
	version_clear(&version);
}

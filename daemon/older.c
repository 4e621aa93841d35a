/* older.c - an older certificate that is valid still, while what is served has expired
 * and the newest one is no help: tried three times each and target, the newest of them
 * first. */
#include "daemon/pass.h"

#include <stdlib.h>

#include "base/clock.h"
#include "daemon/expired.h"
#include "daemon/revoked.h"

/* Tried often enough already? Those between it and the newest were. */
static bool is_used_up(const struct target_record *row, int64_t n)
{
	if (!row->older_version || n < row->older_version)
		return false;
	return n > row->older_version || row->older.count >= EXPIRED_DEPLOYS;
}

static bool is_of_use(const struct pass *pass, const struct version *version)
{
	const struct cert *cert = version->cert;

	return cert && !cert_has_expired(cert, pass->now) &&
	       cert_not_before(cert) <= pass->now &&
	       cert_names_cover(cert, pass->certificate->hosts) &&
	       !revoked_has(pass->job.revoked, cert_sha1(cert)) &&
	       !(version->key && pass_key_is_burnt(pass, version->key));
}

int pass_find_older(struct pass *pass, const char *target, struct version *ret)
{
	const struct target_record *row = job_target_of(&pass->job, target);
	int64_t *numbers = NULL;
	size_t n = 0;
	struct err ignored;
	int rc = -1;

	if (!pass->have_current || versions_list(pass->folder, &numbers, &n, &ignored))
		return -1;
	for (size_t i = n; i-- > 0 && rc;) {
		if (numbers[i] >= pass->current.n || is_used_up(row, numbers[i]) ||
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

bool pass_older_is_at_hand(struct pass *pass, const char *target)
{
	struct version version;

	if (pass_find_older(pass, target, &version))
		return false;
	version_clear(&version);
	return true;
}

void pass_try_older(struct pass *pass, const char *target)
{
	struct target_record *row;
	struct version version;
	struct err err;

	if (pass_find_older(pass, target, &version))
		return;
	row = job_target(&pass->job, target);
	if (row->older_version != version.n) {
		row->older_version = version.n;
		row->older = (struct failures){ 0 };
	}
	if (row->older.next_at > pass->now) {
		version_clear(&version);
		return;
	}
	pass_note(pass, "older", "%s is valid still: trying it on '%s'",
		  cert_sha1(version.cert), target);
	if (pass_deploy_version(pass, &version, target, &err))
		pass_count_failure(pass, &row->older, &err);
	else
		row->older = (struct failures){ 0 };
	version_clear(&version);
}

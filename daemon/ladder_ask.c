/* ladder_ask.c - the operator's word about plain HTTP: `fallback NAME on`, and whether
 * `fallback NAME off` has anything to come back with. */
#include "daemon/pass.h"

#include <stdlib.h>

#include "base/clock.h"
#include "daemon/revoked.h"
#include "hooks/fallback.h"
#include "hooks/store.h"

static bool is_wanted(const struct target *target, const char *only)
{
	return !only || str_equal(only, target->name);
}

static int fall_back(struct pass *pass, const struct target *target, struct err *err)
{
	struct strlist notes = { 0 };
	const struct fallback_wish wish = { .by_operator = true, .notes = &notes };
	int rc = fallback_enter(&pass->deployment, target, &wish, err);

	if (!rc) {
		*job_fallback(&pass->job, target->name) = (struct failures){ 0 };
		pass_tell_fallback(pass, target, "an operator asked for it", &notes);
		pass->acted = true;
	}
	strlist_clear(&notes);
	return rc;
}

/* One that cannot keeps the others from nothing; the first failure is the answer. */
int pass_fallback(struct pass *pass, const char *only, struct err *err)
{
	size_t named = 0, tried = 0;
	struct err failure;
	int rc = 0;

	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];

		if (!is_wanted(target, only))
			continue;
		named++;
		if (!target->http)
			continue;
		tried++;
		if (!fall_back(pass, target, &failure))
			continue;
		if (!rc)
			*err = failure;
		rc = -1;
	}
	if (!named && only)
		return err_set(err, ERR_CONFIG, "there is no target '%s' in '%s'", only,
			       pass->certificate->name);
	if (!tried)
		return err_set(err, ERR_CONFIG,
			       "no target of '%s' has an `http:` address to fall back to",
			       pass->certificate->name);
	return rc;
}

/* What the target has that is not the one at hand, and until when that is valid. */
struct elsewhere {
	char sha1[CERT_SHA1_HEX];
	int64_t not_after;
};

static bool is_better(const struct pass *pass, const char *sha1, int64_t not_after)
{
	return !cert_is_over(not_after, pass->now) &&
	       !str_equal(sha1, cert_sha1(pass->current.cert)) &&
	       !revoked_has(pass->job.revoked, sha1);
}

/* The one that tls.json names, in either case, if the application could serve it. */
static bool names_better(const struct pass *pass, const struct target *target,
			 struct elsewhere *ret)
{
	const struct store *store = &target->store;
	unsigned char digest[CERT_SHA1_HEX / 2];
	char sha1[CERT_SHA1_HEX];
	struct target_view view;
	struct cert *named = NULL;
	struct err err;

	observe_tls_json(target, &view);
	if (!view.tls_enabled || hex_decode(view.tls_json_sha1, digest, sizeof(digest)))
		return false;
	hex_encode(digest, sizeof(digest), true, sha1);
	if (store_find(store, sha1, &named, &err))
		return false;
	if (!store_signs(store, sha1, &err)) {
		str_copy(ret->sha1, sizeof(ret->sha1), sha1);
		ret->not_after = cert_not_after(named);
	}
	cert_free(named);
	return is_better(pass, ret->sha1, ret->not_after);
}

static bool serves_better(const struct pass *pass, const struct target *target,
			  struct elsewhere *ret)
{
	struct target_view view = { 0 };
	bool better = false;

	observe_endpoints(target, pass->in->cancel, &view);
	for (size_t i = 0; i < view.n_endpoints && !better; i++) {
		const struct probe_result *seen = &view.endpoints[i];

		better = seen->kind == PROBE_TLS &&
			 is_better(pass, seen->sha1, seen->not_after);
		if (!better)
			continue;
		str_copy(ret->sha1, sizeof(ret->sha1), seen->sha1);
		ret->not_after = seen->not_after;
	}
	target_view_clear(&view);
	return better;
}

static int refuse_expired(const struct pass *pass, const struct target *target,
			  const char *instead, struct err *err)
{
	const char *name = pass->certificate->name;
	char when[CLOCK_TEXT_MAX];

	clock_format_people_local(cert_not_after(pass->current.cert), when);
	return err_set(err, ERR_CONFIG,
		       "'%s' has no valid certificate for '%s': the one at hand expired "
		       "on %s; repair what the last renewal failed with, then "
		       "`certrenewd renew %s --force`%s",
		       name, target->name, when, name, instead);
}

/* Nobody asked for HTTPS to be lost: what is valid there stays, if the clock that says so
 * is right. */
static int check_better(const struct pass *pass, const struct target *target,
			struct err *err)
{
	struct clock_reading reading = clock_reading_now();
	struct elsewhere there = { 0 };
	char until[CLOCK_TEXT_MAX];
	char *instead;
	int rc;

	if (!clock_trusted(&pass->trust, &reading, NULL) ||
	    (!names_better(pass, target, &there) && !serves_better(pass, target, &there)))
		return 0;
	clock_format_people_local(there.not_after, until);
	instead = str_printf("; what is there, %s, is valid until %s and stays",
			     there.sha1, until);
	rc = refuse_expired(pass, target, instead, err);
	free(instead);
	return rc;
}

/* An expired certificate ends what the ladder, or an operator with a better one, has
 * done; the next look would undo it. */
int pass_check_deployable(struct pass *pass, struct err *err)
{
	int rc = 0;

	if (!pass->have_current || !cert_has_expired(pass->current.cert, pass->now))
		return 0;
	for (size_t i = 0; !rc && i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];
		enum target_mode mode = pass->state.targets[i].mode;

		if (!is_wanted(target, pass->in->only))
			continue;
		if (mode == MODE_HTTPS)
			rc = check_better(pass, target, err);
		else if (mode == MODE_OPERATOR)
			rc = refuse_expired(pass, target, "", err);
		else if (target->when_expired == EXPIRED_HTTP)
			rc = refuse_expired(pass, target,
					    ", or write `when_expired: keep` to have "
					    "HTTPS with the expired one",
					    err);
	}
	return rc;
}

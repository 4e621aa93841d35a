/* ladder_ask.c - the operator's word about plain HTTP: `fallback NAME on`, and whether
 * `fallback NAME off` has anything to come back with. */
#include "daemon/pass.h"

#include "base/clock.h"
#include "hooks/fallback.h"

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

/* An expired certificate ends what the ladder, or an operator with a better one, has
 * done; the next look would undo it. */
int pass_check_deployable(struct pass *pass, struct err *err)
{
	char when[CLOCK_TEXT_MAX];

	if (!pass->have_current || cert_not_after(pass->current.cert) > pass->now)
		return 0;
	for (size_t i = 0; i < pass->certificate->n_targets; i++) {
		const struct target *target = &pass->certificate->targets[i];
		enum target_mode mode = pass->state.targets[i].mode;

		if (!is_wanted(target, pass->in->only) || mode == MODE_HTTPS ||
		    (mode == MODE_FALLBACK && target->when_expired != EXPIRED_HTTP))
			continue;
		clock_format_people_local(cert_not_after(pass->current.cert), when);
		return err_set(err, ERR_CONFIG,
			       "'%s' has no valid certificate for '%s': the one at hand "
			       "expired on %s; repair what the last renewal failed with, "
			       "then `certrenewd renew %s --force`%s",
			       pass->certificate->name, target->name, when,
			       pass->certificate->name,
			       mode == MODE_FALLBACK
				       ? ", or write `when_expired: keep` to have HTTPS "
					 "with the expired one"
				       : "");
	}
	return 0;
}

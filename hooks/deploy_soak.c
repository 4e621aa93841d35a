/* Between verified and retired: what was proven is looked at again for the soak time of
 * its target, and taken back when it does not last. The looks are spread by the caller;
 * nobody waits here. */
#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "hooks/transaction.h"

#define LOOK_TIMEOUT_S 10
#define ROUNDS 3
#define PAUSE_MS 1000

static bool is_soaking(const struct member *member)
{
	return member_is_done(member) && member->journal.soak_until != 0;
}

/* Chosen by somebody else meanwhile: inspection tells that, and nothing is taken back. */
static bool is_theirs_now(const struct member *member)
{
	const char *path = member->target->tls_json;
	const struct saved *saved = path ? journal_file(&member->journal, path) : NULL;
	enum saved_look look;
	struct err ignored;

	return saved && !saved_look(saved, &look, &ignored) && look == LOOK_FOREIGN;
}

static int look_at_endpoint(const struct member *member, const struct endpoint *endpoint,
			    struct err *err)
{
	const char *sha1 = cert_sha1(member->deployment->material->cert);
	struct probe_result seen;

	probe_endpoint(endpoint, LOOK_TIMEOUT_S, member->deployment->cancel, &seen);
	if (seen.kind == PROBE_TLS && str_equal(seen.sha1, sha1))
		return 0;
	if (seen.kind == PROBE_TLS)
		return err_set(err, ERR_TRANSIENT, "%s serves %s instead of it",
			       endpoint->connect, seen.sha1);
	return err_set(err, ERR_TRANSIENT, "%s shows %s (%s)", endpoint->connect,
		       probe_kind_name(seen.kind), seen.detail);
}

/* *ret_stopped: its administrator has stopped it, so there is nothing to see. */
static int look_at_service(const struct group *group, bool *ret_stopped, struct err *err)
{
	enum service_state state;
	char *name;

	*ret_stopped = false;
	if (group_inspect(group, &state, err))
		return -1;
	*ret_stopped = state == SERVICE_IS_STOPPED;
	if (state != SERVICE_IS_FAILED && state != SERVICE_IS_MISSING)
		return 0;
	name = service_describe(&group->members[0]->target->service);
	err_set(err, ERR_TRANSIENT, "the service '%s' is %s", name,
		service_state_name(state));
	free(name);
	return -1;
}

static int look_once(struct group *group, bool *ret_stopped, struct err *err)
{
	if (look_at_service(group, ret_stopped, err))
		return -1;
	for (size_t i = 0; i < group->n && !*ret_stopped; i++) {
		const struct member *member = group->members[i];

		if (!is_soaking(member) || is_theirs_now(member))
			continue;
		for (size_t k = 0; k < member->target->n_verify; k++) {
			if (!look_at_endpoint(member, &member->target->verify[k], err))
				continue;
			group->culprit = member->target->name;
			return -1;
		}
	}
	return 0;
}

/* One failed look may be a blink: three in a row are none. */
static int look(struct group *group, bool *ret_stopped, struct err *err)
{
	for (int round = 1;; round++) {
		if (!look_once(group, ret_stopped, err))
			return 0;
		if (cancel_check(group->deployment->cancel, err) || round == ROUNDS)
			return -1;
		if (clock_sleep_ms(PAUSE_MS, group->deployment->cancel))
			return err_set(err, ERR_CANCELLED, "stopped on request");
	}
}

/* It lasted: what is still to come is retirement. */
static int end_soak(struct member *member, struct err *err)
{
	const struct journal_change change = {
		.state = member->journal.state,
		.end = DEPLOY_DONE,
		.text = "watched for its soak time: it was served all the while",
	};

	if (!is_soaking(member) || member->journal.soak_until > clock_wall() ||
	    is_theirs_now(member))
		return 0;
	member->journal.soak_until = 0;
	return member_end(member, &change, NULL, err);
}

static bool any_soaking(const struct group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (is_soaking(group->members[i]))
			return true;
	return false;
}

static int soak_group(struct group *group, struct err *err)
{
	bool stopped;
	struct err cause;

	if (!any_soaking(group))
		return 0;
	if (!look(group, &stopped, &cause)) {
		for (size_t i = 0; i < group->n && !stopped; i++)
			if (end_soak(group->members[i], err))
				return -1;
		return 0;
	}
	if (cause.kind == ERR_CANCELLED) {
		*err = cause;
		return -1;
	}
	err_wrap(&cause, "it was served, and did not last through its soak time");
	for (size_t i = 0; i < group->n; i++)
		member_say_end(group->members[i], DEPLOY_PENDING, ERR_NONE, NULL);
	return group_undo(group, &cause, err);
}

/* Those that a group can be taken back to its baseline with. */
static void select_done(struct member *members, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct member *member = &members[i];

		member->selected = member_is_done(member) &&
				   member->journal.state == STEP_VERIFIED;
		member_say_end(member, member->journal.end, ERR_NONE, NULL);
	}
}

static bool all_done(const struct member *members, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!member_is_done(&members[i]) && members[i].mode != MODE_OPERATOR)
			return false;
	return true;
}

int deploy_soak(const struct deployment *deployment, struct deploy_outcome *ret,
		struct err *err)
{
	struct journal certificate = { 0 };
	struct member *members = NULL;
	size_t n = deployment->n_targets;
	int rc = -1;

	if (members_open(deployment, ret, &members, NULL, err) ||
	    journal_open(&certificate, deployment, NULL, "journal.json", NULL, err))
		goto out;
	select_done(members, n);
	if (members_by_group(members, n, soak_group, err))
		goto out;
	ret->all_done = all_done(members, n);
	if (!ret->all_done &&
	    certificate_reopen(&certificate, "it did not last through its soak time",
			       err))
		goto out;
	rc = 0;
out:
	journal_release(&certificate);
	members_close(members, n);
	return rc;
}

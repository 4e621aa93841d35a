/* Taking back what was pointed for a restart that somebody else did, and that failed. */
#include "hooks/transaction.h"

static bool is_pointed(const struct member *member, const struct service *service)
{
	const struct journal *journal = &member->journal;

	return service_same(&member->target->service, service) &&
	       journal_is_about(journal, member->deployment->material) &&
	       journal_unfinished(journal) && !journal->back &&
	       journal->state >= STEP_POINTED;
}

/* Served already: the failure was not its own. */
static bool is_served(const struct member *member)
{
	return member->target->n_verify > 0 &&
	       member_serves(member, cert_sha1(member->deployment->material->cert));
}

static int unpoint(struct group *group, struct err *err)
{
	struct err cause;
	bool served = true;

	for (size_t i = 0; i < group->n; i++)
		served = served && is_served(group->members[i]);
	if (served)
		return 0;
	err_set(&cause, ERR_TRANSIENT,
		"the restart that it shared with another "
		"certificate of its service failed");
	return group_unpoint(group, &cause, err);
}

int deploy_unpoint(const struct deployment *deployment, const struct service *service,
		   bool *ret_any, struct err *err)
{
	struct deploy_outcome outcome = { 0 };
	struct member *members = NULL;
	size_t n = deployment->n_targets;
	int rc = -1;

	*ret_any = false;
	if (!members_open(deployment, &outcome, &members, NULL, err)) {
		for (size_t i = 0; i < n; i++)
			members[i].selected = is_pointed(&members[i], service);
		rc = members_by_group(members, n, unpoint, err);
		for (size_t i = 0; i < n; i++)
			*ret_any = *ret_any || outcome.targets[i].end != DEPLOY_PENDING;
		members_close(members, n);
	}
	deploy_outcome_clear(&outcome);
	return rc;
}

/* The service of a group, as the transaction uses it. */
#include "hooks/transaction.h"

const struct service *group_service(const struct group *group)
{
	return &group->members[0]->target->service;
}

int group_inspect(const struct group *group, enum service_state *ret, struct err *err)
{
	*ret = SERVICE_IS_UNKNOWN;
	if (group_service(group)->kind == SERVICE_NONE)
		return 0;
	return service_inspect(group_service(group), ret, err);
}

int group_restart(const struct group *group, struct err *err)
{
	const struct service *service = group_service(group);
	bool interruptible = service->kind != SERVICE_COMMAND;

	if (service->kind == SERVICE_NONE)
		return 0;
	return service_apply(service, interruptible ? group->deployment->cancel : NULL,
			     err);
}

int group_restart_back(const struct group *group, struct err *err)
{
	const struct service *service = group_service(group);
	enum service_state state;

	if (service->kind == SERVICE_NONE)
		return 0;
	if (!service_inspect(service, &state, err) &&
	    (state == SERVICE_IS_RUNNING || state == SERVICE_IS_UNKNOWN) &&
	    !service_apply(service, NULL, err))
		return 0;
	return service_start(service, NULL, err);
}

int group_start(const struct group *group, struct err *err)
{
	const struct service *service = group_service(group);
	enum service_state state;

	if (service->kind == SERVICE_NONE)
		return 0;
	if (!service_inspect(service, &state, err) && state == SERVICE_IS_RUNNING)
		return 0;
	return service_start(service, NULL, err);
}

/* service_no_systemd.c - in the place of service_systemd.c where libsystemd is missing.
 */
#include "base/service_system.h"

static int say_missing(const char *name, struct err *err)
{
	return err_set(
		err, ERR_CONFIG,
		"'%s': this program was built without systemd support; use `service: "
		"{command: [...]}`, or build it with libsystemd installed",
		name);
}

int unit_inspect(const struct service *service, enum service_state *ret, struct err *err)
{
	(void)ret;
	return say_missing(service->name, err);
}

int unit_check_rights(const struct service *service, enum unit_verb verb, struct err *err)
{
	(void)verb;
	return say_missing(service->name, err);
}

int unit_act(const struct service *service, enum unit_verb verb, int64_t timeout_s,
	     const struct cancel *cancel, struct err *err)
{
	(void)verb;
	(void)timeout_s;
	(void)cancel;
	return say_missing(service->name, err);
}

#include "daemon/posix/notify.h"

#include <systemd/sd-daemon.h>

void notify_send(const char *state, const char *status)
{
	if (status)
		(void)sd_notifyf(0, "%s\nSTATUS=%s", state, status);
	else
		(void)sd_notify(0, state);
}

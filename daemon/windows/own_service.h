/* own_service.h - our own service in the service control manager's database. */
#ifndef DAEMON_WINDOWS_OWN_SERVICE_H
#define DAEMON_WINDOWS_OWN_SERVICE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Makes the service, or brings one that is there up to date; it is not started. Borrows
 * `command_line`, quoted as CreateProcess reads it. What this Windows would not set is
 * added to `notes`, a sentence each. */
int own_service_install(const char *command_line, struct strlist *notes, struct err *err);

/* Stops it, waits until a transaction under way has reached a safe point, and removes it.
 * *ret_was: was there one? */
int own_service_remove(bool *ret_was, struct err *err);

#endif

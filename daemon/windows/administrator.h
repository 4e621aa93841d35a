/* administrator.h - are we allowed at all?  Accounts with User Account Control carry
 * their membership switched off until they are asked. */
#ifndef DAEMON_WINDOWS_ADMINISTRATOR_H
#define DAEMON_WINDOWS_ADMINISTRATOR_H

#include "base/err.h"

/* Is this process run by an administrator (or SYSTEM) with the rights of one? Else
 * ERR_DENIED with the sentence that says how. */
int administrator_check(struct err *err);

#endif

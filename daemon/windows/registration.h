/* registration.h - what Windows is told about our program beside the service: the source
 * of our events, and that no report of a crash may be made of our memory. */
#ifndef DAEMON_WINDOWS_REGISTRATION_H
#define DAEMON_WINDOWS_REGISTRATION_H

#include "base/err.h"

/* Tells it; again is fine. `program`: absolute path of our .exe. */
int registration_add(const char *program, struct err *err);

/* Takes it back; what is not there is fine. */
int registration_remove(const char *program, struct err *err);

#endif

/* notify.h - sd_notify where libsystemd was there to build with, silence elsewhere. */
#ifndef DAEMON_POSIX_NOTIFY_H
#define DAEMON_POSIX_NOTIFY_H

/* Sends `state` ("READY=1") and, unless NULL, STATUS=`status`. */
void notify_send(const char *state, const char *status);

#endif

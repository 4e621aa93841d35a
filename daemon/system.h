/* system.h - what the daemon needs of the system and libuv does not give: the service
 * manager's notifications, who may speak to us, whose files these are. Twin files. */
#ifndef DAEMON_SYSTEM_H
#define DAEMON_SYSTEM_H

#include <stdbool.h>

#include <uv.h>

#include "base/err.h"

/* Is the state directory ours alone? ERR_DENIED when it belongs to another account or
 * others may enter; the sentence says what to do. */
int system_check_state_dir(const char *path, struct err *err);

/* Becomes the owner of the state directory when an administrator runs a command for a
 * daemon that has an account of its own. Nothing to do when it does not exist yet. */
int system_become_owner_of(const char *path, struct err *err);

/* Little memory kept for later, no core dumps, no privileges through setuid children,
 * umask 077, broken pipes are errors and not signals. For the start of the process. */
void system_harden(void);

/* May the peer of this connection command us (its account is ours, or root)? */
bool system_peer_allowed(const uv_pipe_t *pipe);

/* Takes every right from others and `x` from us on a socket of ours (0600). */
int system_guard_socket(const char *path, struct err *err);

/* Is standard error a terminal / the journal? */
bool system_stderr_is_terminal(void);
bool system_stdout_is_terminal(void);

/* Tells the service manager (sd_notify); without one, nothing happens. `status` is one
 * line for people, NULL leaves it. */
void system_notify_ready(const char *status);
void system_notify_reloading(void);
void system_notify_stopping(void);
void system_notify_alive(const char *status); /* the watchdog's beat */

/* Gives memory that is free back to the system after a pass. */
void system_trim_memory(void);

#endif

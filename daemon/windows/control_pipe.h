/* control_pipe.h - the named pipe of the control channel, as both ends see it. */
#ifndef DAEMON_WINDOWS_CONTROL_PIPE_H
#define DAEMON_WINDOWS_CONTROL_PIPE_H

#include <uv.h>
#include <windows.h>

#include "base/err.h"

/* Gives a handle of a pipe to libuv, which closes it with `pipe`. Takes `handle`. */
int control_pipe_open(uv_pipe_t *pipe, HANDLE handle, struct err *err);

#endif

/* control_channel.h - what a control channel is made of on this system: a socket in the
 * state directory, or a named pipe. Twin files; private to control.c and control_call.c.
 *
 * Whoever comes in through control_listener_accept() may command us: on POSIX the socket
 * is 0600 and the peer's account is ours or root's, on Windows the pipe's access list
 * holds SYSTEM and Administrators alone. */
#ifndef DAEMON_CONTROL_CHANNEL_H
#define DAEMON_CONTROL_CHANNEL_H

#include <uv.h>

#include "base/err.h"

struct control_listener;

/* Listens at `path` (control_path()), replacing a socket that nobody answers on.
 * `arrived` is called on the loop's thread for each connection; it calls
 * control_listener_accept() once. Gives *ret, on failure too (close it, free it).
 * ERR_DENIED when somebody else holds the name. */
int control_listener_new(uv_loop_t *loop, const char *path, void (*arrived)(void *ctx),
			 void *ctx, struct control_listener **ret, struct err *err);

/* Puts the connection into `pipe`, which is initialised. -1 when it is gone already, or
 * when its account may not command us; the caller closes `pipe` then. */
int control_listener_accept(struct control_listener *listener, uv_pipe_t *pipe);

/* Stops listening; its handle dies with the loop's next turn. */
void control_listener_close(struct control_listener *listener);

/* Frees it, when the loop has closed its handle; NULL is fine. */
void control_listener_free(struct control_listener *listener);

/* Connects `pipe`, which is initialised, to the daemon at `path`, and makes sure that it
 * is the daemon. The errors are those of control_call(); the caller closes `pipe`. */
int control_connect(const char *path, uv_pipe_t *pipe, struct err *err);

#endif

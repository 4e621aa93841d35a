/* control.h - the control channel: how a command speaks to the daemon that runs.
 *
 * A socket in the state directory (0600 in a 0700 folder; the peer's account is checked),
 * on Windows a named pipe. One JSON object a line: the client sends one request
 * {"command": "renew", "names": ["xu"], "force": true, "target": null}; the daemon
 * says {"heard": <its process id>} at once, then lines {"step", "target", "certificate",
 * "text"} as things happen, and a last one {"exit": 0, "text": "...", ...}. Requests are
 * bounded: 64 KiB, 5 s, 16 clients.
 *
 * Nothing is begun for a client that has gone before it could be told that it was heard:
 * what was asked of a daemon that hung is not done when it wakes up. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include <uv.h>

#include <cjson/cJSON.h>

#include "base/err.h"

/* ---- the daemon's side, on its loop -------------------------------------- */

struct control;
struct control_client; /* counted: the connection holds one, each hold another */

/* A whole request came in. Borrows `request`. The handler answers now or holds the client
 * and answers later; it ends with control_finish(). */
typedef void control_handler(void *ctx, struct control_client *client,
			     const cJSON *request);

/* Listens at `path`, replacing a socket that nobody answers on. Gives *ret_control, on
 * failure too: its handles are the loop's, so it is closed and freed all the same. */
int control_new(uv_loop_t *loop, const char *path, control_handler *handler, void *ctx,
		struct control **ret_control, struct err *err);

/* Closes listener and connections; handles die with the loop's next turn. */
void control_close(struct control *control);

/* Frees it, when the loop has closed its handles; NULL is fine. */
void control_free(struct control *control);

/* One more, one less, who uses the client: it lives until the last lets go. */
void control_hold(struct control_client *client);
void control_release(struct control_client *client); /* NULL is fine */

/* Sends one line. A client that has gone is fine. Borrows `line`. */
void control_send(struct control_client *client, const cJSON *line);

/* Sends the last line with "exit" and "text" added to `line` (taken; NULL for nothing
 * more) and hangs up. */
void control_finish(struct control_client *client, int exit_code, const char *text,
		    cJSON *line);

/* ---- the command's side -------------------------------------------------- */

#define CONTROL_HEARD_MS 5000 /* as long may the daemon take to hear */

/* Sends `request` and hands every line to `on_line` until the last, which is given in
 * *ret_last (cJSON_Delete). A request with a member "within_ms" waits that long from one
 * line to the next; else the work takes as long as it takes, once it was heard.
 * ERR_NOT_FOUND when no daemon listens, ERR_DENIED when it does not let us in,
 * ERR_TRANSIENT when it does not hear or does not answer in time, ERR_IO when it went
 * away. */
int control_call(const char *path, const cJSON *request,
		 void (*on_line)(void *ctx, const cJSON *line), void *ctx,
		 cJSON **ret_last, struct err *err);

/* Where the channel of a state directory is: a socket in it, a pipe named after it. Gives
 * (control_listener.c). */
char *control_path(const char *state_dir);

#endif

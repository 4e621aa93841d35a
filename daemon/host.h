/* host.h - who runs the daemon: a person in a console, systemd, or the service control
 * manager of Windows. They tell us to stop and to read the configuration again, and want
 * to know how we stand. Twin files.
 *
 *     host_run(options) calls daemon_run(options, host)
 *         host_watch(host, loop, calls)    stop and reload arrive on the loop's thread
 *         host_ready(host, ...)            ... the daemon's life ...
 *         host_stopping(host)
 *         host_unwatch(host)               before the loop's handles are closed
 *
 * A console's Ctrl-C, SIGTERM, the SCM's stop and preshutdown are one thing here: stop at
 * the next journal boundary. SIGHUP and the SCM's parameter change are the other. */
#ifndef DAEMON_HOST_H
#define DAEMON_HOST_H

#include <uv.h>

#include "daemon/exit_code.h"
#include "daemon/options.h"

struct host;

struct host_calls { /* both on the loop's thread; may come more than once */
	void (*stop)(void *ctx);
	void (*reload)(void *ctx);
	void *ctx;
};

/* Runs daemon_run() under whoever started us, with options->service under the SCM.
 * Returns its exit code; EXIT_CODE_USAGE where --service does not fit. Prints why. */
enum exit_code host_run(const struct options *options);

/* The daemon from configuration to end (cmd_run.c). */
enum exit_code daemon_run(const struct options *options, struct host *host);

/* Begins to hand over what the host asks for; what it asked before comes at once. Keeps
 * `host` until host_unwatch(). */
void host_watch(struct host *host, uv_loop_t *loop, const struct host_calls *calls);

/* Hands over nothing more and closes its handles on the loop; NULL loop is fine. */
void host_unwatch(struct host *host);

/* How we stand. `status` is one line for people, NULL leaves it. A host that does not
 * care is told nothing. */
void host_ready(struct host *host, const char *status);
/* Between a reload asked for and host_ready(). */
void host_reloading(struct host *host);
/* Workers are ending; takes as long as a journal boundary takes. */
void host_stopping(struct host *host);
/* The watchdog's beat. */
void host_alive(struct host *host, const char *status);

/* The daemon cannot start, and why: for where nobody reads standard error. */
void host_start_failed(struct host *host, const char *sentence);

/* Where the log goes when the configuration names no file: NULL for standard error
 * alone. Gives. */
char *host_log_file(const struct host *host);

#endif

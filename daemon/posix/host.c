#include "daemon/host.h"

#include <stdio.h>

#include "daemon/posix/notify.h"

struct host {
	struct host_calls calls;
	uv_signal_t reload, stops[2];
};

enum exit_code host_run(const struct options *options)
{
	struct host host = { 0 };

	if (options->service) {
		fprintf(stderr, "certrenewd: --service exists on Windows only\n");
		return EXIT_CODE_USAGE;
	}
	return daemon_run(options, &host);
}

static void on_reload(uv_signal_t *signal, int number)
{
	struct host *host = signal->data;

	(void)number;
	host->calls.reload(host->calls.ctx);
}

static void on_stop(uv_signal_t *signal, int number)
{
	struct host *host = signal->data;

	(void)number;
	host->calls.stop(host->calls.ctx);
}

static void watch(struct host *host, uv_loop_t *loop, uv_signal_t *signal,
		  uv_signal_cb then, int number)
{
	signal->data = host;
	(void)uv_signal_init(loop, signal);
	(void)uv_signal_start(signal, then, number);
}

void host_watch(struct host *host, uv_loop_t *loop, const struct host_calls *calls)
{
	host->calls = *calls;
	watch(host, loop, &host->reload, on_reload, SIGHUP);
	watch(host, loop, &host->stops[0], on_stop, SIGTERM);
	watch(host, loop, &host->stops[1], on_stop, SIGINT);
}

static void unwatch(uv_signal_t *signal)
{
	if (signal->data && !uv_is_closing((uv_handle_t *)signal))
		uv_close((uv_handle_t *)signal, NULL);
}

void host_unwatch(struct host *host)
{
	unwatch(&host->reload);
	unwatch(&host->stops[0]);
	unwatch(&host->stops[1]);
}

void host_ready(struct host *host, const char *status)
{
	(void)host;
	notify_send("READY=1", status);
}

void host_reloading(struct host *host)
{
	(void)host;
	notify_send("RELOADING=1", NULL);
}

void host_stopping(struct host *host)
{
	(void)host;
	notify_send("STOPPING=1", "stopping");
}

void host_alive(struct host *host, const char *status)
{
	(void)host;
	notify_send("WATCHDOG=1", status);
}

void host_start_failed(struct host *host, const char *sentence)
{
	(void)host;
	(void)sentence;
}

char *host_log_file(const struct host *host)
{
	(void)host;
	return NULL;
}

/* host.c - a console with Ctrl-C, or the service control manager.
 *
 * The SCM calls on_control() on a thread of its own; what it asks for is noted under the
 * mutex and taken over by the loop's thread. While we start or stop a second thread moves
 * the checkpoint on, because the loop's is waiting for the workers then. */
#include "daemon/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "base/err.h"
#include "base/files.h"
#include "base/str.h"
#include "config/system.h"
#include "daemon/event_log.h"
#include "daemon/system.h"
#include "daemon/windows/administrator.h"
#include "daemon/windows/service_names.h"

#define PENDING_HINT_MS 20000
#define PENDING_BEAT_MS 2000
#define N_SIGNALS 3

struct host {
	struct host_calls calls;
	uv_loop_t *loop; /* NULL: not watched */
	uv_signal_t signals[N_SIGNALS];
	uv_async_t wake;

	/* Under the SCM. */
	SERVICE_STATUS_HANDLE handle; /* NULL in a console */
	uv_mutex_t mutex;             /* over what follows */
	SERVICE_STATUS status;
	bool stop, reload, watched;
	HANDLE ended; /* an event */
};

/* ---- what is asked ------------------------------------------------------- */

static void on_signal(uv_signal_t *signal, int number)
{
	struct host *host = signal->data;

	(void)number;
	host->calls.stop(host->calls.ctx);
}

static void on_wake(uv_async_t *wake)
{
	struct host *host = wake->data;
	bool stop, reload;

	uv_mutex_lock(&host->mutex);
	stop = host->stop;
	reload = host->reload;
	host->reload = false;
	uv_mutex_unlock(&host->mutex);
	if (stop)
		host->calls.stop(host->calls.ctx);
	else if (reload)
		host->calls.reload(host->calls.ctx);
}

/* SIGHUP is the console being closed. A shutdown of the machine does not reach programs
 * in a console that have loaded user32.dll; the journals are made for that. */
void host_watch(struct host *host, uv_loop_t *loop, const struct host_calls *calls)
{
	static const int numbers[N_SIGNALS] = { SIGINT, SIGBREAK, SIGHUP };

	host->calls = *calls;
	host->loop = loop;
	host->wake.data = host;
	(void)uv_async_init(loop, &host->wake, on_wake);
	for (size_t i = 0; i < N_SIGNALS; i++) {
		host->signals[i].data = host;
		(void)uv_signal_init(loop, &host->signals[i]);
		if (!host->handle)
			(void)uv_signal_start(&host->signals[i], on_signal, numbers[i]);
	}
	uv_mutex_lock(&host->mutex);
	host->watched = true;
	(void)uv_async_send(&host->wake);
	uv_mutex_unlock(&host->mutex);
}

void host_unwatch(struct host *host)
{
	if (!host->loop)
		return;
	uv_mutex_lock(&host->mutex);
	host->watched = false;
	uv_mutex_unlock(&host->mutex);
	uv_close((uv_handle_t *)&host->wake, NULL);
	for (size_t i = 0; i < N_SIGNALS; i++)
		uv_close((uv_handle_t *)&host->signals[i], NULL);
	host->loop = NULL;
}

/* ---- how we stand -------------------------------------------------------- */

static bool pending(const SERVICE_STATUS *status)
{
	return status->dwCurrentState == SERVICE_START_PENDING ||
	       status->dwCurrentState == SERVICE_STOP_PENDING;
}

/* With the mutex. From stopped there is no way back. */
static void set_state(struct host *host, DWORD state)
{
	SERVICE_STATUS *status = &host->status;

	if (!host->handle || status->dwCurrentState == SERVICE_STOPPED)
		return;
	if (state == SERVICE_RUNNING && status->dwCurrentState == SERVICE_STOP_PENDING)
		return;
	status->dwCheckPoint = state == status->dwCurrentState ? status->dwCheckPoint + 1
							       : 1;
	status->dwCurrentState = state;
	status->dwWaitHint = pending(status) ? PENDING_HINT_MS : 0;
	if (!pending(status))
		status->dwCheckPoint = 0;
	status->dwControlsAccepted = 0;
	if (state == SERVICE_RUNNING)
		status->dwControlsAccepted = SERVICE_ACCEPT_STOP |
					     SERVICE_ACCEPT_PRESHUTDOWN |
					     SERVICE_ACCEPT_PARAMCHANGE;
	(void)SetServiceStatus(host->handle, status);
}

static void tell_state(struct host *host, DWORD state)
{
	uv_mutex_lock(&host->mutex);
	set_state(host, state);
	uv_mutex_unlock(&host->mutex);
}

void host_ready(struct host *host, const char *status)
{
	(void)status;
	tell_state(host, SERVICE_RUNNING);
}

void host_reloading(struct host *host)
{
	(void)host;
}

void host_stopping(struct host *host)
{
	tell_state(host, SERVICE_STOP_PENDING);
}

void host_alive(struct host *host, const char *status)
{
	(void)host;
	(void)status;
}

void host_start_failed(struct host *host, const char *sentence)
{
	struct event_log *log;

	if (!host->handle)
		return;
	log = event_log_open();
	event_log_start_failed(log, sentence);
	event_log_close(log);
}

char *host_log_file(const struct host *host)
{
	char *config, *folder, *file;

	if (!host->handle)
		return NULL;
	config = system_default_config();
	folder = path_parent(config);
	file = path_join(folder, "logs\\certrenewd.log");
	free(folder);
	free(config);
	return file;
}

/* ---- the service control manager ----------------------------------------- */

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
	struct host *host = context;

	(void)type;
	(void)data;
	uv_mutex_lock(&host->mutex);
	switch (control) {
	case SERVICE_CONTROL_STOP:
	case SERVICE_CONTROL_PRESHUTDOWN:
		host->stop = true;
		set_state(host, SERVICE_STOP_PENDING);
		break;
	case SERVICE_CONTROL_PARAMCHANGE:
		host->reload = true;
		break;
	case SERVICE_CONTROL_INTERROGATE:
		break;
	default:
		uv_mutex_unlock(&host->mutex);
		return ERROR_CALL_NOT_IMPLEMENTED;
	}
	if (host->watched)
		(void)uv_async_send(&host->wake);
	uv_mutex_unlock(&host->mutex);
	return NO_ERROR;
}

static void beat(void *arg)
{
	struct host *host = arg;

	while (WaitForSingleObject(host->ended, PENDING_BEAT_MS) == WAIT_TIMEOUT) {
		uv_mutex_lock(&host->mutex);
		if (pending(&host->status))
			set_state(host, host->status.dwCurrentState);
		uv_mutex_unlock(&host->mutex);
	}
}

/* The service's own exit code, where there is one: the SCM counts it as a failure and
 * starts us again by the recovery actions. */
static void tell_end(struct host *host, enum exit_code code)
{
	uv_mutex_lock(&host->mutex);
	if (code != EXIT_CODE_DONE) {
		host->status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
		host->status.dwServiceSpecificExitCode = code;
	}
	set_state(host, SERVICE_STOPPED);
	uv_mutex_unlock(&host->mutex);
}

static enum exit_code run_service(struct host *host)
{
	char *config = NULL, **argv;
	struct options options;
	enum exit_code code;
	struct err err;
	int argc = 0;

	/* The process's own command line: Windows has no way to hand a pointer here. */
	argv = system_arguments(&argc, NULL);
	if (options_parse(argc, argv, &options, &err)) {
		host_start_failed(host, err.text);
		return EXIT_CODE_USAGE;
	}
	if (!options.config)
		options.config = config = system_default_config();
	code = daemon_run(&options, host);
	free(config);
	return code;
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
	struct host *host = mem_calloc(1, sizeof(*host));
	enum exit_code code;
	uv_thread_t thread;

	(void)argc;
	(void)argv;
	if (uv_mutex_init(&host->mutex))
		abort();
	host->status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
	host->handle = RegisterServiceCtrlHandlerExW(SERVICE_NAME, on_control, host);
	host->ended = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (!host->handle || !host->ended)
		return; /* the SCM sees a process that ended without a word */
	tell_state(host, SERVICE_START_PENDING);
	if (uv_thread_create(&thread, beat, host))
		abort();
	code = run_service(host);
	(void)SetEvent(host->ended);
	(void)uv_thread_join(&thread);
	tell_end(host, code); /* host stays: on_control() may still come */
}

static enum exit_code dispatch(void)
{
	SERVICE_TABLE_ENTRYW table[] = { { (wchar_t *)SERVICE_NAME, service_main },
					 { NULL, NULL } };

	if (StartServiceCtrlDispatcherW(table))
		return EXIT_CODE_DONE;
	fprintf(stderr,
		"certrenewd: --service is for the service control manager: `net "
		"start certrenewd` starts the service; leave --service out to run "
		"in this console\n");
	return EXIT_CODE_USAGE;
}

enum exit_code host_run(const struct options *options)
{
	struct host host = { 0 };
	enum exit_code code;
	struct err err;

	if (options->service)
		return dispatch();
	if (administrator_check(&err)) {
		fprintf(stderr, "certrenewd: %s\n", err.text);
		return EXIT_CODE_DENIED;
	}
	if (uv_mutex_init(&host.mutex))
		abort();
	code = daemon_run(options, &host);
	uv_mutex_destroy(&host.mutex);
	return code;
}

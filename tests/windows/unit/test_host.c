/* The host under the service control manager: this program installs itself as a service,
 * with a daemon in it that counts what it is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <windows.h>

#include "base/str.h"
#include "base/windows/wide.h"
#include "daemon/host.h"
#include "daemon/system.h"

#define NAME L"certrenewd-test-host"
#define PATH_MAX_CHARS 32768
#define WAIT_MS 20000
#define LOOK_MS 50
#define WORKERS_END_MS 5000 /* long enough for two checkpoints */
#define EXIT_BASE 40        /* and one for each reload */

/* ---- the daemon of this test --------------------------------------------- */

struct daemon {
	struct host *host;
	uv_loop_t loop;
	int reloads;
};

static void on_stop(void *ctx)
{
	struct daemon *daemon = ctx;

	host_stopping(daemon->host);
	uv_stop(&daemon->loop);
}

static void on_reload(void *ctx)
{
	struct daemon *daemon = ctx;

	host_reloading(daemon->host);
	daemon->reloads++;
	host_ready(daemon->host, NULL);
}

enum exit_code daemon_run(const struct options *options, struct host *host)
{
	struct daemon daemon = { .host = host };
	const struct host_calls calls = { on_stop, on_reload, &daemon };

	if (options->force) { /* a daemon that cannot start */
		host_start_failed(host, "the test asked for it");
		return EXIT_CODE_USAGE;
	}
	if (uv_loop_init(&daemon.loop))
		return EXIT_CODE_FAILED;
	host_watch(host, &daemon.loop, &calls);
	host_ready(host, "ready");
	(void)uv_run(&daemon.loop, UV_RUN_DEFAULT);
	Sleep(WORKERS_END_MS);
	host_unwatch(host);
	(void)uv_run(&daemon.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&daemon.loop);
	return (enum exit_code)(EXIT_BASE + daemon.reloads);
}

/* ---- the administrator --------------------------------------------------- */

struct installed {
	SC_HANDLE manager, service;
};

static struct installed install(const char *words)
{
	wchar_t *wide = mem_calloc(PATH_MAX_CHARS, sizeof(*wide)), *line;
	struct installed it;
	char *program, *text;

	assert_true(GetModuleFileNameW(NULL, wide, PATH_MAX_CHARS));
	program = utf8_from_wide(wide);
	text = str_printf("\"%s\" --config C:\\none.yaml %s", program, words);
	line = wide_from_utf8(text);
	it.manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
	assert_non_null(it.manager);
	it.service = CreateServiceW(it.manager, NAME, NULL, SERVICE_ALL_ACCESS,
				    SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START,
				    SERVICE_ERROR_IGNORE, line, NULL, NULL, NULL, NULL,
				    NULL);
	assert_non_null(it.service);
	free(line);
	free(text);
	free(program);
	free(wide);
	return it;
}

static void uninstall(struct installed *it)
{
	assert_true(DeleteService(it->service));
	CloseServiceHandle(it->service);
	CloseServiceHandle(it->manager);
	Sleep(1000); /* until the service control manager has let go of the name */
}

static SERVICE_STATUS_PROCESS status_of(const struct installed *it)
{
	SERVICE_STATUS_PROCESS status;
	DWORD n;

	assert_true(QueryServiceStatusEx(it->service, SC_STATUS_PROCESS_INFO,
					 (BYTE *)&status, sizeof(status), &n));
	return status;
}

/* Waits for the state; gives the highest checkpoint that it saw on the way. */
static DWORD wait_for(const struct installed *it, DWORD state)
{
	SERVICE_STATUS_PROCESS status;
	DWORD checkpoint = 0;

	for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += LOOK_MS) {
		status = status_of(it);
		if (status.dwCurrentState == state)
			return checkpoint;
		if (status.dwCheckPoint > checkpoint)
			checkpoint = status.dwCheckPoint;
		Sleep(LOOK_MS);
	}
	fail_msg("state %lu, not %lu", status.dwCurrentState, state);
	return 0;
}

static void it_runs_reloads_and_stops_in_its_own_time(void **state)
{
	struct installed it = install("run --service");
	SERVICE_STATUS status;
	SERVICE_STATUS_PROCESS end;

	(void)state;
	assert_true(StartServiceW(it.service, 0, NULL));
	(void)wait_for(&it, SERVICE_RUNNING);
	assert_int_equal(status_of(&it).dwControlsAccepted,
			 SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN |
				 SERVICE_ACCEPT_PARAMCHANGE);
	assert_true(ControlService(it.service, SERVICE_CONTROL_PARAMCHANGE, &status));
	Sleep(500);
	assert_true(ControlService(it.service, SERVICE_CONTROL_PARAMCHANGE, &status));
	Sleep(500);
	assert_true(ControlService(it.service, SERVICE_CONTROL_STOP, &status));
	assert_int_equal(status_of(&it).dwCurrentState, SERVICE_STOP_PENDING);
	assert_true(wait_for(&it, SERVICE_STOPPED) >= 2);
	end = status_of(&it);
	assert_int_equal(end.dwWin32ExitCode, ERROR_SERVICE_SPECIFIC_ERROR);
	assert_int_equal(end.dwServiceSpecificExitCode, EXIT_BASE + 2);
	uninstall(&it);
}

static void one_that_cannot_start_says_its_exit_code(void **state)
{
	struct installed it = install("run --service --force");
	SERVICE_STATUS_PROCESS end;

	(void)state;
	(void)StartServiceW(it.service, 0, NULL);
	(void)wait_for(&it, SERVICE_STOPPED);
	end = status_of(&it);
	assert_int_equal(end.dwWin32ExitCode, ERROR_SERVICE_SPECIFIC_ERROR);
	assert_int_equal(end.dwServiceSpecificExitCode, EXIT_CODE_USAGE);
	uninstall(&it);
}

static void outside_the_service_control_manager_it_is_refused(void **state)
{
	struct options options = { .service = true };

	(void)state;
	assert_int_equal(host_run(&options), EXIT_CODE_USAGE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_runs_reloads_and_stops_in_its_own_time),
		cmocka_unit_test(one_that_cannot_start_says_its_exit_code),
		cmocka_unit_test(outside_the_service_control_manager_it_is_refused),
	};
	struct options options;
	struct err err;

	argv = system_arguments(&argc, argv);
	if (!options_parse(argc, argv, &options, &err) && options.command)
		return host_run(&options);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

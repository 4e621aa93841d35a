/* service.c - starts like the product, as a service of any name or in a console.
 *
 *     service.exe install NAME ACCOUNT   ACCOUNT: "LocalSystem", "NT SERVICE\NAME", ...
 *     service.exe uninstall NAME
 *     service.exe console                until it is ended
 *     service.exe service                what the SCM runs
 *
 * Its folder is the installation. With TLS on it listens on securePort alone; without
 * tls.json it speaks plain HTTP on insecurePort. */
#include "app.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The SCM calls back without a word of ours: the one application of this process. */
static struct app app;
static SERVICE_STATUS_HANDLE status_handle;

static enum app_exit start(void)
{
	char words[APP_WORDS * 2];
	enum app_exit code = settings_read(&app);

	if (code == APP_RUNS && app.mis.serve_old)
		settings_recall_served(&app);
	if (code == APP_RUNS && app.tls)
		code = key_context(&app);
	if (code == APP_RUNS && !app.tls_json)
		settings_reset(&app);
	if (code == APP_RUNS)
		code = serve_listen(&app);
	if (code == APP_RUNS) {
		settings_remember_served(&app);
		snprintf(words, sizeof(words), "serving %s %s",
			 app.tls ? "HTTPS" : "HTTP", app.thumbprint);
	} else {
		snprintf(words, sizeof(words), "refusing to start: %s", app.why);
	}
	app_log(&app, words);
	return code;
}

static void report(DWORD state, enum app_exit code)
{
	SERVICE_STATUS status = {
		.dwServiceType = SERVICE_WIN32_OWN_PROCESS,
		.dwCurrentState = state,
		.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP : 0,
		.dwWin32ExitCode = code == APP_RUNS ? NO_ERROR
						    : ERROR_SERVICE_SPECIFIC_ERROR,
		.dwServiceSpecificExitCode = code,
		.dwWaitHint = 3000,
	};

	SetServiceStatus(status_handle, &status);
}

static DWORD WINAPI control(DWORD code, DWORD type, void *data, void *context)
{
	(void)type;
	(void)data;
	(void)context;
	if (code == SERVICE_CONTROL_INTERROGATE)
		return NO_ERROR;
	if (code != SERVICE_CONTROL_STOP)
		return ERROR_CALL_NOT_IMPLEMENTED;
	report(SERVICE_STOP_PENDING, APP_RUNS);
	if (!app.mis.hang_stop)
		closesocket(app.listener);
	return NO_ERROR;
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
	enum app_exit code;

	swprintf(app.service, ARRAY_SIZE(app.service), L"%ls", argc ? argv[0] : L"");
	status_handle = RegisterServiceCtrlHandlerExW(app.service, control, NULL);
	report(SERVICE_START_PENDING, APP_RUNS);
	code = start();
	while (code == APP_RUNS && app.mis.hang)
		Sleep(100);
	if (code == APP_RUNS) {
		report(SERVICE_RUNNING, APP_RUNS);
		serve(&app);
	}
	report(SERVICE_STOPPED, code);
}

static int install(const wchar_t *name, const wchar_t *account)
{
	wchar_t line[APP_PATH * 2];
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CREATE_SERVICE);
	SC_HANDLE service;

	swprintf(line, ARRAY_SIZE(line), L"\"%ls\\service.exe\" service", app.dir);
	service = CreateServiceW(manager, name, name, SERVICE_ALL_ACCESS,
				 SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START,
				 SERVICE_ERROR_NORMAL, line, NULL, NULL, NULL, account,
				 NULL);
	if (!service)
		fprintf(stderr, "CreateService: error %lu\n", GetLastError());
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
	return service ? 0 : 1;
}

static int uninstall(const wchar_t *name)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = OpenServiceW(manager, name, DELETE);
	BOOL done = service && DeleteService(service);

	CloseServiceHandle(service);
	CloseServiceHandle(manager);
	return done ? 0 : 1;
}

static int serve_scm(void)
{
	wchar_t name[] = L"";
	SERVICE_TABLE_ENTRYW table[] = { { name, service_main }, { NULL, NULL } };

	return StartServiceCtrlDispatcherW(table) ? 0 : 1;
}

static int serve_console(void)
{
	enum app_exit code = start();

	if (code == APP_RUNS)
		serve(&app);
	return (int)code;
}

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv)
{
	WSADATA data;
	wchar_t *slash;

	WSAStartup(MAKEWORD(2, 2), &data);
	GetModuleFileNameW(NULL, app.dir, APP_PATH);
	slash = wcsrchr(app.dir, L'\\');
	if (slash)
		*slash = L'\0';
	if (argc == 4 && !wcscmp(argv[1], L"install"))
		return install(argv[2], argv[3]);
	if (argc == 3 && !wcscmp(argv[1], L"uninstall"))
		return uninstall(argv[2]);
	if (argc == 2 && !wcscmp(argv[1], L"service"))
		return serve_scm();
	if (argc == 2 && !wcscmp(argv[1], L"console"))
		return serve_console();
	fprintf(stderr,
		"usage: service install NAME ACCOUNT|uninstall NAME|console|service\n");
	return 2;
}

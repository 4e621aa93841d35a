#include "daemon/windows/own_service.h"

#include <stdlib.h>
#include <windows.h>

#include "base/windows/wide.h"
#include "daemon/windows/service_names.h"

#define MINUTE_MS 60000
#define DAY_S 86400
#define PRESHUTDOWN_MS                                                                   \
	(3 * MINUTE_MS) /* until the next journal boundary, and some more */
#define STOP_MS (5 * MINUTE_MS)
#define STOP_LOOK_MS 200

/* What our work needs, and what programs that we run may expect of a service: keeping an
 * application's owner and access lists when its files are replaced, links, and what every
 * service has. */
static const wchar_t privileges[] = L"SeChangeNotifyPrivilege\0"
				    L"SeCreateGlobalPrivilege\0"
				    L"SeCreateSymbolicLinkPrivilege\0"
				    L"SeImpersonatePrivilege\0"
				    L"SeBackupPrivilege\0"
				    L"SeRestorePrivilege\0"
				    L"SeSecurityPrivilege\0"
				    L"SeTakeOwnershipPrivilege\0";

/* ---- making -------------------------------------------------------------- */

static SC_HANDLE create(SC_HANDLE manager, const wchar_t *command_line)
{
	return CreateServiceW(manager, SERVICE_NAME, SERVICE_TITLE, SERVICE_ALL_ACCESS,
			      SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
			      SERVICE_ERROR_NORMAL, command_line, NULL, NULL, NULL,
			      L"LocalSystem", L"");
}

static int update(SC_HANDLE service, const wchar_t *command_line, struct err *err)
{
	if (!ChangeServiceConfigW(service, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
				  SERVICE_ERROR_NORMAL, command_line, NULL, NULL, NULL,
				  L"LocalSystem", L"", SERVICE_TITLE))
		return err_os(err, "change the service 'certrenewd'");
	return 0;
}

static int create_or_update(SC_HANDLE manager, const wchar_t *command_line,
			    SC_HANDLE *ret, struct err *err)
{
	SC_HANDLE service = create(manager, command_line);
	DWORD code = GetLastError();

	if (service) {
		*ret = service;
		return 0;
	}
	if (code == ERROR_SERVICE_MARKED_FOR_DELETE)
		return err_set(err, ERR_TRANSIENT,
			       "the service 'certrenewd' is being removed: close the "
			       "Services window and try again");
	if (code != ERROR_SERVICE_EXISTS)
		return err_windows(err, code, "make the service 'certrenewd'");
	service = OpenServiceW(manager, SERVICE_NAME, SERVICE_ALL_ACCESS);
	if (!service)
		return err_os(err, "open the service 'certrenewd'");
	if (update(service, command_line, err)) {
		CloseServiceHandle(service);
		return -1;
	}
	*ret = service;
	return 0;
}

static int set(SC_HANDLE service, DWORD level, void *info, const char *what,
	       struct strlist *notes, struct err *err)
{
	char *note;
	DWORD code;

	if (ChangeServiceConfig2W(service, level, info))
		return 0;
	code = GetLastError();
	if (code != ERROR_INVALID_PARAMETER && code != ERROR_CALL_NOT_IMPLEMENTED &&
	    code != ERROR_INVALID_LEVEL)
		return err_windows(err, code, "set the service's %s", what);
	note = str_printf("this system knows no %s for services", what);
	strlist_add(notes, note);
	free(note);
	return 0;
}

static int set_start(SC_HANDLE service, struct strlist *notes, struct err *err)
{
	SERVICE_DESCRIPTIONW about = { (wchar_t *)SERVICE_ABOUT };
	SERVICE_DELAYED_AUTO_START_INFO delayed = { TRUE };
	SERVICE_PRESHUTDOWN_INFO preshutdown = { PRESHUTDOWN_MS };

	if (set(service, SERVICE_CONFIG_DESCRIPTION, &about, "description", notes, err) ||
	    set(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed,
		"delayed start", notes, err) ||
	    set(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown,
		"time before a shutdown", notes, err))
		return -1;
	return 0;
}

static int set_recovery(SC_HANDLE service, struct strlist *notes, struct err *err)
{
	SC_ACTION actions[] = { { SC_ACTION_RESTART, MINUTE_MS },
				{ SC_ACTION_RESTART, 5 * MINUTE_MS },
				{ SC_ACTION_RESTART, 15 * MINUTE_MS } };
	SERVICE_FAILURE_ACTIONSW recovery = { .dwResetPeriod = DAY_S,
					      .cActions = 3,
					      .lpsaActions = actions };
	SERVICE_FAILURE_ACTIONS_FLAG also_for_errors = { TRUE };

	if (set(service, SERVICE_CONFIG_FAILURE_ACTIONS, &recovery, "recovery actions",
		notes, err) ||
	    set(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &also_for_errors,
		"recovery after an error", notes, err))
		return -1;
	return 0;
}

static int set_rights(SC_HANDLE service, struct strlist *notes, struct err *err)
{
	SERVICE_REQUIRED_PRIVILEGES_INFOW needed = { (wchar_t *)privileges };
	SERVICE_SID_INFO sid = { SERVICE_SID_TYPE_UNRESTRICTED };

	if (set(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &needed,
		"list of privileges", notes, err) ||
	    set(service, SERVICE_CONFIG_SERVICE_SID_INFO, &sid, "SID", notes, err))
		return -1;
	return 0;
}

int own_service_install(const char *command_line, struct strlist *notes, struct err *err)
{
	SC_HANDLE manager = OpenSCManagerW(
			  NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE),
		  service = NULL;
	wchar_t *wide = wide_from_utf8(command_line);
	int rc = -1;

	if (!manager) {
		err_os(err, "speak to the service control manager");
		goto out;
	}
	if (create_or_update(manager, wide, &service, err) ||
	    set_start(service, notes, err) || set_recovery(service, notes, err) ||
	    set_rights(service, notes, err))
		goto out;
	rc = 0;
out:
	if (service)
		CloseServiceHandle(service);
	if (manager)
		CloseServiceHandle(manager);
	free(wide);
	return rc;
}

/* ---- removing ------------------------------------------------------------ */

static int wait_until_stopped(SC_HANDLE service, struct err *err)
{
	SERVICE_STATUS_PROCESS status;
	DWORD n;

	for (int waited_ms = 0; waited_ms < STOP_MS; waited_ms += STOP_LOOK_MS) {
		if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO,
					  (BYTE *)&status, sizeof(status), &n))
			return err_os(err, "ask for the service's state");
		if (status.dwCurrentState == SERVICE_STOPPED)
			return 0;
		Sleep(STOP_LOOK_MS);
	}
	return err_set(
		err, ERR_TRANSIENT,
		"the service 'certrenewd' did not stop within %d s: try again when "
		"its transaction is through",
		STOP_MS / 1000);
}

static int stop_and_delete(SC_HANDLE service, struct err *err)
{
	SERVICE_STATUS status;
	DWORD code;

	if (!ControlService(service, SERVICE_CONTROL_STOP, &status)) {
		code = GetLastError();
		if (code != ERROR_SERVICE_NOT_ACTIVE &&
		    code != ERROR_SERVICE_CANNOT_ACCEPT_CTRL)
			return err_windows(err, code, "stop the service 'certrenewd'");
	}
	if (wait_until_stopped(service, err))
		return -1;
	if (!DeleteService(service) && GetLastError() != ERROR_SERVICE_MARKED_FOR_DELETE)
		return err_os(err, "remove the service 'certrenewd'");
	return 0;
}

int own_service_remove(bool *ret_was, struct err *err)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT),
		  service = NULL;
	int rc = -1;

	if (!manager) {
		err_os(err, "speak to the service control manager");
		goto out;
	}
	service = OpenServiceW(manager, SERVICE_NAME,
			       SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE);
	if (!service && GetLastError() != ERROR_SERVICE_DOES_NOT_EXIST) {
		err_os(err, "open the service 'certrenewd'");
		goto out;
	}
	if (service && stop_and_delete(service, err))
		goto out;
	*ret_was = service != NULL;
	rc = 0;
out:
	if (service)
		CloseServiceHandle(service);
	if (manager)
		CloseServiceHandle(manager);
	return rc;
}

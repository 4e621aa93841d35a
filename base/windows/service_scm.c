/* service_scm.c - services of the SCM: stopped with those that depend on them, waited
 * for, started again in the other order. A service that will not stop is reported; its
 * process is ended only where the operator has said so. Once begun, a restart is not
 * cancelled: that would leave the application down. */
#include "base/service_system.h"

#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/windows/scm.h"
#include "base/windows/wide.h"

#define POLL_MS 100
#define WATCH_MS 1000 /* it must stay up that long */
#define MAX_DEPENDENTS 64

static int status_of(const struct scm_service *service, SERVICE_STATUS_PROCESS *ret,
		     struct err *err)
{
	DWORD size;

	if (!QueryServiceStatusEx(service->handle, SC_STATUS_PROCESS_INFO, (BYTE *)ret,
				  sizeof(*ret), &size))
		return err_os(err, "ask for the state of the service '%s'",
			      service->name);
	return 0;
}

/* A service that was stopped says so without an error; another one has failed. */
static enum service_state state_of(const SERVICE_STATUS_PROCESS *status)
{
	switch (status->dwCurrentState) {
	case SERVICE_RUNNING:
	case SERVICE_PAUSED:
	case SERVICE_PAUSE_PENDING:
	case SERVICE_CONTINUE_PENDING:
	case SERVICE_STOP_PENDING:
		return SERVICE_IS_RUNNING;
	case SERVICE_START_PENDING:
		return SERVICE_IS_STARTING;
	default:
		return status->dwWin32ExitCode == NO_ERROR ||
				       status->dwWin32ExitCode ==
					       ERROR_SERVICE_NEVER_STARTED
			       ? SERVICE_IS_STOPPED
			       : SERVICE_IS_FAILED;
	}
}

int unit_inspect(const struct service *service, enum service_state *ret, struct err *err)
{
	SERVICE_STATUS_PROCESS status;
	struct scm_service opened;
	int rc;

	if (scm_open(service, SERVICE_QUERY_STATUS, &opened, err)) {
		if (err->kind != ERR_NOT_FOUND)
			return -1;
		*ret = SERVICE_IS_MISSING;
		return 0;
	}
	rc = status_of(&opened, &status, err);
	if (!rc)
		*ret = state_of(&status);
	scm_close(&opened);
	return rc;
}

/* ---- waiting ------------------------------------------------------------- */

struct waiting {
	int64_t deadline_ms, timeout_s;
	bool kill;
};

/* Until the service is in `state`. *ret_last: as it was seen last. */
static int wait_for(const struct scm_service *service, DWORD state,
		    const struct waiting *waiting, SERVICE_STATUS_PROCESS *ret_last,
		    struct err *err)
{
	for (;;) {
		if (status_of(service, ret_last, err))
			return -1;
		if (ret_last->dwCurrentState == state)
			return 0;
		if (state == SERVICE_RUNNING &&
		    ret_last->dwCurrentState == SERVICE_STOPPED)
			return err_set(err, ERR_IO, "ended"); /* said by the caller */
		if (clock_mono_ms() >= waiting->deadline_ms)
			return err_set(err, ERR_TRANSIENT, "late");
		(void)clock_sleep_ms(POLL_MS, NULL);
	}
}

/* ---- stopping ------------------------------------------------------------ */

/* Ends the process that the SCM says is this service's. */
static int end_process(const struct scm_service *service, DWORD pid, struct err *err)
{
	HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid);
	SERVICE_STATUS_PROCESS status;
	int rc = -1;

	if (!process)
		return err_os(err, "end process %lu of the service '%s'",
			      (unsigned long)pid, service->name);
	/* The pid could have become another's between asking and opening. */
	if (status_of(service, &status, err))
		goto out;
	if (status.dwProcessId == pid && !TerminateProcess(process, 1)) {
		err_os(err, "end process %lu of the service '%s'", (unsigned long)pid,
		       service->name);
		goto out;
	}
	(void)WaitForSingleObject(process, 5000);
	rc = 0;
out:
	CloseHandle(process);
	return rc;
}

static int say_stuck(const struct scm_service *service, const struct waiting *waiting,
		     struct err *err)
{
	return err_set(err, ERR_TRANSIENT,
		       "the service '%s' is still stopping after %lld s; its process is "
		       "not ended unless the configuration says 'kill: yes'",
		       service->name, (long long)waiting->timeout_s);
}

static int stop(const struct scm_service *service, const struct waiting *waiting,
		struct err *err)
{
	SERVICE_STATUS_PROCESS last;
	SERVICE_STATUS ignored;
	struct waiting after = *waiting;
	DWORD code;

	if (!ControlService(service->handle, SERVICE_CONTROL_STOP, &ignored)) {
		code = GetLastError();
		if (code == ERROR_SERVICE_NOT_ACTIVE)
			return 0;
		if (code != ERROR_SERVICE_CANNOT_ACCEPT_CTRL)
			return err_os(err, "stop the service '%s'", service->name);
	}
	if (!wait_for(service, SERVICE_STOPPED, waiting, &last, err))
		return 0;
	if (err->kind != ERR_TRANSIENT)
		return -1;
	if (!waiting->kill)
		return say_stuck(service, waiting, err);
	if (last.dwProcessId && end_process(service, last.dwProcessId, err))
		return -1;
	after.deadline_ms = clock_mono_ms() + 5000;
	if (!wait_for(service, SERVICE_STOPPED, &after, &last, err))
		return 0;
	return err_set(err, ERR_TRANSIENT,
		       "the process of the service '%s' was ended, and the service "
		       "manager does not say that it has stopped",
		       service->name);
}

/* ---- starting ------------------------------------------------------------ */

static int say_down(const struct scm_service *service,
		    const SERVICE_STATUS_PROCESS *status, struct err *err)
{
	char *exit = scm_exit_text(status);

	err_set(err, ERR_IO, "the service '%s' does not stay up: %s", service->name,
		exit);
	free(exit);
	return -1;
}

static int say_not_started(const struct scm_service *service, struct err *err)
{
	DWORD code = GetLastError();

	if (code == ERROR_SERVICE_DISABLED)
		return err_set(err, ERR_CONFIG,
			       "the service '%s' is disabled: set its start type to "
			       "automatic or manual",
			       service->name);
	SetLastError(code);
	err_os(err, "start the service '%s'", service->name);
	if (code == ERROR_ACCESS_DENIED)
		err->kind = ERR_DENIED;
	return -1;
}

static int watch(const struct scm_service *service, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + WATCH_MS;
	SERVICE_STATUS_PROCESS status;

	while (clock_mono_ms() < until_ms) {
		if (status_of(service, &status, err))
			return -1;
		if (status.dwCurrentState != SERVICE_RUNNING)
			return say_down(service, &status, err);
		(void)clock_sleep_ms(POLL_MS, NULL);
	}
	return 0;
}

static int start(const struct scm_service *service, const struct waiting *waiting,
		 struct err *err)
{
	SERVICE_STATUS_PROCESS last = { 0 };

	if (!StartServiceW(service->handle, 0, NULL) &&
	    GetLastError() != ERROR_SERVICE_ALREADY_RUNNING) {
		/* One that ends while it starts has said why. */
		if (GetLastError() == ERROR_SERVICE_REQUEST_TIMEOUT)
			return err_set(err, ERR_TRANSIENT,
				       "the service '%s' did not answer when it was "
				       "started",
				       service->name);
		return say_not_started(service, err);
	}
	if (!wait_for(service, SERVICE_RUNNING, waiting, &last, err))
		return watch(service, err);
	if (err->kind == ERR_TRANSIENT)
		return err_set(err, ERR_TRANSIENT,
			       "the service '%s' is still starting after %lld s",
			       service->name, (long long)waiting->timeout_s);
	return err->kind == ERR_IO ? say_down(service, &last, err) : -1;
}

/* ---- those that depend on it --------------------------------------------- */

/* Appends the key names of the running ones, in the order in which they are to be
 * stopped. Where the SCM cannot tell, there are none. */
static void list_dependents(const struct scm_service *service, struct strlist *ret)
{
	DWORD size = 0, n = 0;
	ENUM_SERVICE_STATUSW *all;

	if (EnumDependentServicesW(service->handle, SERVICE_ACTIVE, NULL, 0, &size, &n) ||
	    GetLastError() != ERROR_MORE_DATA)
		return;
	all = mem_calloc(1, size);
	if (EnumDependentServicesW(service->handle, SERVICE_ACTIVE, all, size, &size,
				   &n)) {
		for (DWORD i = 0; i < n && i < MAX_DEPENDENTS; i++) {
			char *name = utf8_from_wide(all[i].lpServiceName);

			strlist_add(ret, name);
			free(name);
		}
	}
	free(all);
}

typedef int act_on(const struct scm_service *service, const struct waiting *waiting,
		   struct err *err);

static int with_named(const char *name, act_on *act, const struct waiting *waiting,
		      struct err *err)
{
	const struct service named = { .kind = SERVICE_WINDOWS, .name = name };
	struct scm_service opened;
	int rc;

	if (scm_open(&named, SERVICE_QUERY_STATUS | SERVICE_STOP | SERVICE_START, &opened,
		     err))
		return -1;
	rc = act(&opened, waiting, err);
	scm_close(&opened);
	return rc;
}

/* Every one is tried, whatever becomes of the others: who was up must be up again. */
static int start_dependents(const struct strlist *names, const struct waiting *waiting,
			    struct err *err)
{
	struct err failure;
	int rc = 0;

	for (size_t i = names->n; i-- > 0;) {
		if (!with_named(names->items[i], start, waiting, &failure))
			continue;
		if (!rc)
			*err = failure;
		rc = -1;
	}
	return rc;
}

static int restart(const struct scm_service *service, const struct waiting *waiting,
		   struct err *err)
{
	struct strlist dependents = { 0 };
	struct waiting fresh = *waiting;
	struct err ignored;
	int rc = 0;

	list_dependents(service, &dependents);
	for (size_t i = 0; i < dependents.n && !rc; i++)
		rc = with_named(dependents.items[i], stop, waiting, err);
	if (!rc)
		rc = stop(service, waiting, err);
	fresh.deadline_ms = clock_mono_ms() + waiting->timeout_s * 1000;
	if (!rc)
		rc = start(service, &fresh, err);
	fresh.deadline_ms = clock_mono_ms() + waiting->timeout_s * 1000;
	if (dependents.n && start_dependents(&dependents, &fresh, rc ? &ignored : err))
		rc = -1;
	strlist_clear(&dependents);
	return rc;
}

/* ---- the whole ----------------------------------------------------------- */

static int reload(const struct scm_service *service, struct err *err)
{
	SERVICE_STATUS ignored;

	if (ControlService(service->handle, SERVICE_CONTROL_PARAMCHANGE, &ignored))
		return 0;
	if (GetLastError() == ERROR_INVALID_SERVICE_CONTROL ||
	    GetLastError() == ERROR_SERVICE_CANNOT_ACCEPT_CTRL)
		return err_set(err, ERR_CONFIG,
			       "the service '%s' cannot reload: write 'action: restart'",
			       service->name);
	return err_os(err, "reload the service '%s'", service->name);
}

#define ACTING_RIGHTS                                                                    \
	(SERVICE_QUERY_STATUS | SERVICE_ENUMERATE_DEPENDENTS | SERVICE_STOP |            \
	 SERVICE_START | SERVICE_PAUSE_CONTINUE)

int unit_check_rights(const struct service *service, enum unit_verb verb, struct err *err)
{
	struct scm_service opened;

	if (scm_open(service, ACTING_RIGHTS, &opened, err))
		return err_wrap(err, "it could not be %s",
				verb == UNIT_RELOAD ? "reloaded" : "restarted");
	scm_close(&opened);
	return 0;
}

int unit_act(const struct service *service, enum unit_verb verb, int64_t timeout_s,
	     const struct cancel *cancel, struct err *err)
{
	struct waiting waiting = { .timeout_s = timeout_s, .kill = service->kill };
	const char *word = verb == UNIT_RELOAD ? "reload" : "restart";
	struct scm_service opened;
	int rc;

	if (cancel_check(cancel, err) || scm_open(service, ACTING_RIGHTS, &opened, err))
		return -1;
	waiting.deadline_ms = clock_mono_ms() + timeout_s * 1000;
	rc = verb == UNIT_RELOAD ? reload(&opened, err) : restart(&opened, &waiting, err);
	if (rc)
		err_wrap(err, "%s '%s'", word, opened.name);
	scm_close(&opened);
	return rc;
}

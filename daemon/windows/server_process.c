#include "daemon/windows/server_process.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/str.h"
#include "daemon/windows/service_names.h"

#define PATH_MAX_CHARS 32768

static bool is_our_service(DWORD pid)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT), service;
	SERVICE_STATUS_PROCESS status = { 0 };
	bool ours = false;
	DWORD n;

	if (!manager)
		return false;
	service = OpenServiceW(manager, SERVICE_NAME, SERVICE_QUERY_STATUS);
	if (service) {
		ours = QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO,
					    (BYTE *)&status, sizeof(status), &n) &&
		       status.dwProcessId == pid;
		CloseServiceHandle(service);
	}
	CloseServiceHandle(manager);
	return ours;
}

/* Gives the path of a process's program; NULL when Windows does not say. */
static wchar_t *image_of(HANDLE process)
{
	wchar_t *path = mem_calloc(PATH_MAX_CHARS, sizeof(*path));
	DWORD n = PATH_MAX_CHARS;

	if (QueryFullProcessImageNameW(process, 0, path, &n))
		return path;
	free(path);
	return NULL;
}

/* Gives the account of a process; NULL when it is not told us. */
static TOKEN_USER *user_of(HANDLE process)
{
	TOKEN_USER *user = NULL;
	HANDLE token;
	DWORD n = 0;

	if (!OpenProcessToken(process, TOKEN_QUERY, &token))
		return NULL;
	(void)GetTokenInformation(token, TokenUser, NULL, 0, &n);
	if (n) {
		user = mem_calloc(1, n);
		if (!GetTokenInformation(token, TokenUser, user, n, &n)) {
			free(user);
			user = NULL;
		}
	}
	CloseHandle(token);
	return user;
}

/* The same account without its rights of an administrator is somebody else. */
static bool is_elevated(HANDLE process)
{
	TOKEN_ELEVATION elevation = { 0 };
	HANDLE token;
	DWORD n;
	bool elevated;

	if (!OpenProcessToken(process, TOKEN_QUERY, &token))
		return false;
	elevated = GetTokenInformation(token, TokenElevation, &elevation,
				       sizeof(elevation), &n) &&
		   elevation.TokenIsElevated;
	CloseHandle(token);
	return elevated;
}

static bool same_program_and_account(HANDLE theirs, HANDLE ours)
{
	wchar_t *their_image = image_of(theirs), *our_image = image_of(ours);
	TOKEN_USER *their_user = user_of(theirs), *our_user = user_of(ours);
	bool same = their_image && our_image && their_user && our_user &&
		    CompareStringOrdinal(their_image, -1, our_image, -1, TRUE) ==
			    CSTR_EQUAL &&
		    EqualSid(their_user->User.Sid, our_user->User.Sid) &&
		    is_elevated(theirs);

	free(their_image);
	free(our_image);
	free(their_user);
	free(our_user);
	return same;
}

static bool runs_our_program(DWORD pid)
{
	HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
	bool same;

	if (!process)
		return false;
	same = same_program_and_account(process, GetCurrentProcess());
	CloseHandle(process);
	return same;
}

int server_process_check(HANDLE pipe, struct err *err)
{
	ULONG pid;

	if (!GetNamedPipeServerProcessId(pipe, &pid))
		return err_os(err, "ask which process answers");
	if (is_our_service(pid) || runs_our_program(pid))
		return 0;
	return err_set(
		err, ERR_DENIED,
		"process %lu answers, which is neither the service 'certrenewd' nor "
		"this program run by this account: find out what it is",
		(unsigned long)pid);
}

/* control_connect.c - opens the daemon's pipe, and asks who is behind it: whoever is
 * quick enough may make a pipe of that name while no daemon runs. */
#include "daemon/control_channel.h"

#include <stdlib.h>
#include <windows.h>

#include "base/str.h"
#include "base/windows/wide.h"
#include "daemon/windows/control_pipe.h"
#include "daemon/windows/server_process.h"

#define BUSY_MS 5000

/* SECURITY_IDENTIFICATION: who is behind the pipe may learn who we are, and no more. */
static HANDLE open_pipe(const wchar_t *path)
{
	return CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
			   FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT |
				   SECURITY_IDENTIFICATION,
			   NULL);
}

static HANDLE open_patiently(const wchar_t *path)
{
	HANDLE pipe = open_pipe(path);

	if (pipe == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY &&
	    WaitNamedPipeW(path, BUSY_MS))
		pipe = open_pipe(path);
	return pipe;
}

static int judge(const char *path, struct err *err)
{
	DWORD code = GetLastError();

	if (code == ERROR_PIPE_BUSY || code == ERROR_SEM_TIMEOUT)
		return err_set(err, ERR_TRANSIENT,
			       "too many commands wait for it already");
	err_os(err, "connect to the daemon on '%s'", path);
	if (err->kind == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "no daemon listens on '%s'", path);
	if (err->kind == ERR_DENIED)
		return err_set(err, ERR_DENIED,
			       "this account may not speak to the daemon on '%s': run it "
			       "as administrator",
			       path);
	return -1;
}

int control_connect(const char *path, uv_pipe_t *pipe, struct err *err)
{
	wchar_t *wide = wide_from_utf8(path);
	HANDLE handle = open_patiently(wide);
	int rc = -1;

	if (handle == INVALID_HANDLE_VALUE) {
		judge(path, err);
		goto out;
	}
	if (server_process_check(handle, err)) {
		CloseHandle(handle);
		err_wrap(err, "'%s'", path);
		goto out;
	}
	rc = control_pipe_open(pipe, handle, err);
out:
	free(wide);
	return rc;
}

/* file_lock.c - one process owns the state directory.
 *
 * The lock is the open file itself: opened for writing while only reading is shared. It
 * dies with us, and a second take in this very process fails too. The file stays when the
 * lock goes, as on POSIX. */
#include "base/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/windows/file_parts.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

struct file_lock {
	HANDLE file;
};

/* The holder writes its pid just after locking: for a moment nobody can be named. */
static int say_who_holds(const char *path, struct err *err)
{
	HANDLE file = node_open(path, GENERIC_READ, SHARE_ALL);
	char text[32] = "";
	DWORD n = 0;
	long pid;

	if (file != INVALID_HANDLE_VALUE) {
		(void)ReadFile(file, text, sizeof(text) - 1, &n, NULL);
		CloseHandle(file);
	}
	pid = n ? strtol(text, NULL, 10) : 0;
	if (pid <= 0)
		return err_set(err, ERR_TRANSIENT, "'%s' is held by another process",
			       path);
	return err_set(err, ERR_TRANSIENT, "'%s' is held by process %ld", path, pid);
}

static HANDLE lock_open(const char *path, struct err *err)
{
	wchar_t *wide = wide_path(path);
	SECURITY_ATTRIBUTES ours;
	HANDLE file = INVALID_HANDLE_VALUE;

	if (security_attributes_from(SDDL_OURS, &ours, err))
		goto out;
	file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, &ours,
			   OPEN_ALWAYS,
			   FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
	if (file == INVALID_HANDLE_VALUE) {
		if (GetLastError() == ERROR_SHARING_VIOLATION)
			say_who_holds(path, err);
		else
			err_os(err, "open lock '%s'", path);
	}
	security_attributes_release(&ours);
out:
	free(wide);
	return file;
}

int file_lock_take(const char *path, struct file_lock **ret, struct err *err)
{
	HANDLE file = lock_open(path, err);
	struct file_lock *lock;
	char pid[32];

	if (file == INVALID_HANDLE_VALUE)
		return -1;
	snprintf(pid, sizeof(pid), "%lu\n", (unsigned long)GetCurrentProcessId());
	if (!SetEndOfFile(file) || write_synced(file, pid, strlen(pid))) {
		err_os(err, "write lock '%s'", path);
		CloseHandle(file);
		return -1;
	}
	lock = mem_calloc(1, sizeof(*lock));
	lock->file = file;
	*ret = lock;
	return 0;
}

void file_lock_release(struct file_lock *lock)
{
	const LARGE_INTEGER start = { 0 };

	if (!lock)
		return;
	if (SetFilePointerEx(lock->file, start, NULL, FILE_BEGIN))
		(void)SetEndOfFile(lock->file); /* no stale pid for people who look */
	CloseHandle(lock->file);
	free(lock);
}

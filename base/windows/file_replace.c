/* file_replace.c - our own files: replaced whole, renamed, removed, always written
 * through. */
#include "base/files.h"

#include <stdlib.h>
#include <windows.h>

#include "base/windows/file_parts.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

/* A secret is ours from its first byte on; the rest inherits its folder's access. */
static HANDLE create_new(const char *path, enum file_audience audience, struct err *err)
{
	wchar_t *wide = wide_path(path);
	SECURITY_ATTRIBUTES ours = { 0 };
	HANDLE file = INVALID_HANDLE_VALUE;

	if (audience == FILE_SECRET && security_attributes_from(SDDL_OURS, &ours, err))
		goto out;
	(void)DeleteFileW(wide); /* left by a crash; the state lock makes it ours */
	file = CreateFileW(wide, GENERIC_WRITE, 0, ours.nLength ? &ours : NULL,
			   CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
	if (file == INVALID_HANDLE_VALUE)
		err_os(err, "create '%s'", path);
	security_attributes_release(&ours);
out:
	free(wide);
	return file;
}

static void discard(const char *path)
{
	wchar_t *wide = wide_path(path);

	(void)DeleteFileW(wide);
	free(wide);
}

int file_replace(const char *path, const void *data, size_t len,
		 enum file_audience audience, struct err *err)
{
	char *temporary = str_printf("%s%s", path, FILE_NEW_SUFFIX);
	HANDLE file = create_new(temporary, audience, err);
	int rc = -1;

	if (file == INVALID_HANDLE_VALUE)
		goto out;
	rc = write_synced(file, data, len);
	if (rc)
		err_os(err, "write '%s'", temporary);
	CloseHandle(file);
	if (!rc)
		rc = move_over(temporary, path, err);
	if (rc)
		discard(temporary);
out:
	free(temporary);
	return rc;
}

/* Contents first: a new name must not survive a power cut that its contents do not. */
static void sync_contents(const char *path)
{
	HANDLE file = node_open(path, GENERIC_WRITE, SHARE_ALL);

	if (file == INVALID_HANDLE_VALUE)
		return;
	(void)FlushFileBuffers(file);
	CloseHandle(file);
}

int file_rename(const char *from, const char *to, struct err *err)
{
	struct file_facts facts;

	if (file_inspect(from, &facts, err))
		return err_wrap(err, "rename '%s'", from);
	if (facts.type == FILE_ABSENT)
		return err_set(err, ERR_NOT_FOUND, "rename '%s': there is no such file",
			       from);
	if (facts.type == FILE_REGULAR)
		sync_contents(from);
	if (move_over(from, to, err))
		return err_wrap(err, "rename '%s'", from);
	sync_parent(from);
	return 0;
}

/* One attempt. 0 or the system's code. */
static DWORD remove_name(const wchar_t *path)
{
	DWORD attributes = GetFileAttributesW(path);

	if (attributes == INVALID_FILE_ATTRIBUTES)
		return GetLastError();
	/* A link to a folder goes as a folder, without what it leads to. */
	if (attributes & FILE_ATTRIBUTE_DIRECTORY) {
		if (!(attributes & FILE_ATTRIBUTE_REPARSE_POINT))
			return ERROR_NOT_SUPPORTED;
		return RemoveDirectoryW(path) ? 0 : GetLastError();
	}
	if (attributes & FILE_ATTRIBUTE_READONLY)
		(void)SetFileAttributesW(path,
					 attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY);
	return DeleteFileW(path) ? 0 : GetLastError();
}

/* Whoever may not delete it at all is told so at once, not after our patience. */
static bool may_delete(const char *path)
{
	HANDLE node = node_open(path, DELETE, SHARE_ALL);

	if (node == INVALID_HANDLE_VALUE)
		return GetLastError() == ERROR_SHARING_VIOLATION;
	CloseHandle(node);
	return true;
}

int file_remove(const char *path, struct err *err)
{
	wchar_t *wide = wide_path(path);
	unsigned waited_ms = 0;
	DWORD code;

	do {
		code = remove_name(wide);
	} while (code && !code_is_absent(code) &&
		 (code == ERROR_SHARING_VIOLATION || may_delete(path)) &&
		 wait_for_holder(code, &waited_ms));
	free(wide);
	if (code && !code_is_absent(code))
		return err_windows(err, code, "remove '%s'%s", path,
				   waited_ms ? ": another program holds it open" : "");
	/* Also when it was gone: whoever removed it may have died before the sync. */
	sync_parent(path);
	return 0;
}

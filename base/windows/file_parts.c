/* file_parts.c - opening names without following them, patience with those who hold a
 * file open, complete writes. */
#include "base/windows/file_parts.h"

#include <stdlib.h>

#include <aclapi.h>

#include "base/files.h"
#include "base/windows/wide.h"

#define PATIENCE_MS 10000
#define LONGEST_WAIT_MS 500
#define CHUNK_BYTES 0x100000

HANDLE node_open(const char *path, DWORD access, DWORD share)
{
	wchar_t *wide = wide_path(path);
	HANDLE node = CreateFileW(wide, access, share, NULL, OPEN_EXISTING,
				  FILE_FLAG_BACKUP_SEMANTICS |
					  FILE_FLAG_OPEN_REPARSE_POINT |
					  SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
				  NULL);
	DWORD code = GetLastError();

	free(wide);
	SetLastError(code);
	return node;
}

/* What is a reparse point for other reasons (deduplicated, in a cloud) is a plain file.
 */
int node_attributes(HANDLE node, DWORD *ret)
{
	FILE_BASIC_INFO facts;
	char *target = NULL, *named = NULL;
	bool relative;
	DWORD code;

	if (!GetFileInformationByHandleEx(node, FileBasicInfo, &facts, sizeof(facts)))
		return -1;
	*ret = facts.FileAttributes;
	if (!(facts.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT))
		return 0;
	if (!node_link(node, &target, &named, &relative)) {
		free(target);
		free(named);
		return 0;
	}
	code = GetLastError();
	if (code != ERROR_NOT_A_REPARSE_POINT && code != ERROR_INVALID_FUNCTION &&
	    code != ERROR_NOT_SUPPORTED)
		return -1;
	*ret &= ~(DWORD)FILE_ATTRIBUTE_REPARSE_POINT;
	return 0;
}

PSECURITY_DESCRIPTOR node_security(HANDLE node)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;
	DWORD code = GetSecurityInfo(node, SE_FILE_OBJECT,
				     OWNER_SECURITY_INFORMATION |
					     DACL_SECURITY_INFORMATION,
				     NULL, NULL, NULL, NULL, &descriptor);

	if (!code)
		return descriptor;
	SetLastError(code);
	return NULL;
}

bool code_is_absent(DWORD code)
{
	return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND ||
	       code == ERROR_DIRECTORY;
}

bool wait_for_holder(DWORD code, unsigned *waited_ms)
{
	unsigned wait_ms = *waited_ms / 4 + 10;

	if ((code != ERROR_SHARING_VIOLATION && code != ERROR_LOCK_VIOLATION &&
	     code != ERROR_ACCESS_DENIED && code != ERROR_USER_MAPPED_FILE) ||
	    *waited_ms >= PATIENCE_MS)
		return false;
	if (wait_ms > LONGEST_WAIT_MS)
		wait_ms = LONGEST_WAIT_MS;
	Sleep(wait_ms);
	*waited_ms += wait_ms;
	return true;
}

int write_synced(HANDLE file, const void *data, size_t len)
{
	const char *at = data;
	DWORD n, piece;

	while (len > 0) {
		piece = len > CHUNK_BYTES ? CHUNK_BYTES : (DWORD)len;
		if (!WriteFile(file, at, piece, &n, NULL))
			return -1;
		at += n;
		len -= n;
	}
	return FlushFileBuffers(file) ? 0 : -1;
}

/* NTFS keeps its own journal, and renames are written through: this is the belt to those
 * braces, and a file system that knows no flushing of folders is no error. */
void sync_parent(const char *path)
{
	char *parent = path_parent(path);
	HANDLE dir = node_open(parent, FILE_ADD_FILE | FILE_READ_ATTRIBUTES, SHARE_ALL);

	free(parent);
	if (dir == INVALID_HANDLE_VALUE)
		return;
	(void)FlushFileBuffers(dir);
	CloseHandle(dir);
}

/* "Access denied" is what Windows says both of a file that is held and of a file that we
 * may not replace: who may not even open it to delete it need not wait. */
static bool may_replace(const char *path)
{
	HANDLE node = node_open(path, DELETE, SHARE_ALL);

	if (node == INVALID_HANDLE_VALUE)
		return GetLastError() != ERROR_ACCESS_DENIED;
	CloseHandle(node);
	return true;
}

/* A read-only mark would stop the rename. */
static void make_writable(const wchar_t *path)
{
	DWORD attributes = GetFileAttributesW(path);

	if (attributes != INVALID_FILE_ATTRIBUTES &&
	    attributes & FILE_ATTRIBUTE_READONLY &&
	    !(attributes & FILE_ATTRIBUTE_DIRECTORY))
		(void)SetFileAttributesW(path,
					 attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY);
}

static bool is_folder(const wchar_t *path)
{
	DWORD attributes = GetFileAttributesW(path);

	return attributes != INVALID_FILE_ATTRIBUTES &&
	       attributes & FILE_ATTRIBUTE_DIRECTORY;
}

DWORD move_once(const char *from, const char *to, bool replace)
{
	const DWORD flags = MOVEFILE_WRITE_THROUGH |
			    (replace ? MOVEFILE_REPLACE_EXISTING : 0);
	wchar_t *source = wide_path(from), *target = wide_path(to);
	DWORD code = 0;

	if (replace)
		make_writable(target);
	if (!MoveFileExW(source, target, flags))
		code = GetLastError();
	free(source);
	free(target);
	if (!code)
		sync_parent(to);
	return code;
}

int move_over(const char *from, const char *to, struct err *err)
{
	wchar_t *source = wide_path(from), *target = wide_path(to);
	unsigned waited_ms = 0;
	DWORD code = 0;
	int rc = -1;

	make_writable(target);
	while (!MoveFileExW(source, target,
			    MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
		code = GetLastError();
		if (is_folder(target) || (waited_ms > 200 && !may_replace(to)) ||
		    !wait_for_holder(code, &waited_ms)) {
			err_windows(err, code, "replace '%s'%s", to,
				    waited_ms >= PATIENCE_MS
					    ? ": another program holds it open"
					    : "");
			goto out;
		}
	}
	sync_parent(to);
	rc = 0;
out:
	free(source);
	free(target);
	return rc;
}

/* file_link.c - symbolic links and junctions: read and made as the data that they are.
 *
 * A link that exists is pointed elsewhere by writing its data anew: one step for the file
 * system, where renaming a folder over another is none that Windows has. */
#include "base/files.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <winioctl.h>

#include "base/windows/file_parts.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

#define TAG_SURROGATE 0x20000000u /* its name stands for another one's */
#define FLAG_RELATIVE 1u
#define DATA_MAX_BYTES 16384
#define NT_PREFIX L"\\??\\"

/* [MS-FSCC] 2.1.2.4 and 2.1.2.5: a junction has no flags, its names begin there. Offsets
 * and lengths are in bytes. */
struct link_names {
	WORD target_at, target_len, named_at, named_len;
};

struct link_data {
	DWORD tag;
	WORD len, reserved;
	struct link_names names;
	DWORD flags;
};

#define HEAD_BYTES 8
#define JUNCTION_NAMES_AT (HEAD_BYTES + sizeof(struct link_names))
#define SYMLINK_NAMES_AT (JUNCTION_NAMES_AT + sizeof(DWORD))

/* Gives the text at `at` bytes behind `names`; "" when it is not all there. */
static wchar_t *text_at(const unsigned char *data, DWORD size, size_t names, WORD at,
			WORD len)
{
	wchar_t *text = mem_calloc((size_t)len / sizeof(*text) + 1, sizeof(*text));

	if (names + at + len <= size)
		memcpy(text, data + names + at, len & ~(size_t)1);
	return text;
}

/* "\??\C:\x" as a path: the system's own name for "\\?\C:\x". */
static char *path_from_nt(const wchar_t *text)
{
	wchar_t *path;
	char *whole;

	if (wcsncmp(text, NT_PREFIX, 4) != 0)
		return utf8_from_wide(text);
	path = mem_calloc(wcslen(text) + 1, sizeof(*path));
	memcpy(path, text, wcslen(text) * sizeof(*path));
	path[1] = L'\\';
	whole = wcsncmp(path + 4, L"Volume{", 7) == 0 ? utf8_from_wide(path)
						      : path_from_wide(path);
	free(path);
	return whole;
}

int node_link(HANDLE node, char **ret_target, char **ret_named, bool *ret_relative)
{
	unsigned char *data = mem_calloc(1, DATA_MAX_BYTES);
	struct link_data head = { 0 };
	wchar_t *target, *named;
	size_t names;
	DWORD size = 0;
	int rc = -1;

	if (!DeviceIoControl(node, FSCTL_GET_REPARSE_POINT, NULL, 0, data, DATA_MAX_BYTES,
			     &size, NULL))
		goto out;
	memcpy(&head, data, size < sizeof(head) ? size : sizeof(head));
	if (head.tag != IO_REPARSE_TAG_SYMLINK &&
	    head.tag != IO_REPARSE_TAG_MOUNT_POINT) {
		SetLastError(head.tag & TAG_SURROGATE ? ERROR_REPARSE_TAG_INVALID
						      : ERROR_NOT_A_REPARSE_POINT);
		goto out;
	}
	names = head.tag == IO_REPARSE_TAG_SYMLINK ? SYMLINK_NAMES_AT : JUNCTION_NAMES_AT;
	target = text_at(data, size, names, head.names.target_at, head.names.target_len);
	named = text_at(data, size, names, head.names.named_at, head.names.named_len);
	*ret_relative = head.tag == IO_REPARSE_TAG_SYMLINK &&
			(head.flags & FLAG_RELATIVE) != 0;
	*ret_target = path_from_nt(target);
	*ret_named = *named ? utf8_from_wide(named) : path_from_nt(target);
	free(target);
	free(named);
	rc = 0;
out:
	free(data);
	return rc;
}

int link_read(const char *path, char **ret_target, struct err *err)
{
	HANDLE node = node_open(path, FILE_READ_ATTRIBUTES, SHARE_ALL);
	char *target = NULL;
	bool relative;
	int rc = -1;

	if (node == INVALID_HANDLE_VALUE)
		return err_os(err, "read link '%s'", path);
	if (node_link(node, &target, ret_target, &relative)) {
		if (GetLastError() == ERROR_NOT_A_REPARSE_POINT ||
		    GetLastError() == ERROR_INVALID_FUNCTION ||
		    GetLastError() == ERROR_NOT_SUPPORTED)
			err_set(err, ERR_IO, "'%s' is not a link", path);
		else
			err_os(err, "read link '%s'", path);
		goto out;
	}
	rc = 0;
out:
	free(target);
	CloseHandle(node);
	return rc;
}

/* The bytes of a symbolic link to `target`; its length to *ret_len. */
static unsigned char *link_bytes(const char *target, DWORD *ret_len)
{
	bool relative = !path_is_absolute(target);
	wchar_t *named = wide_from_utf8(target), *followed, *at;
	unsigned char *data = mem_calloc(1, DATA_MAX_BYTES);
	struct link_data head = { .tag = IO_REPARSE_TAG_SYMLINK };
	size_t n, m = wcslen(named) * sizeof(*named);

	followed = relative ? wide_from_utf8(target) : wide_path(target);
	for (at = followed; *at; at++)
		if (*at == L'/')
			*at = L'\\';
	if (!relative)
		followed[1] = L'?'; /* "\\?\" to "\??\" */
	n = wcslen(followed) * sizeof(*followed);
	*ret_len = 0;
	if (SYMLINK_NAMES_AT + n + m <= DATA_MAX_BYTES) {
		head.len = (WORD)(SYMLINK_NAMES_AT - HEAD_BYTES + n + m);
		head.names = (struct link_names){ 0, (WORD)n, (WORD)n, (WORD)m };
		head.flags = relative ? FLAG_RELATIVE : 0;
		memcpy(data, &head, SYMLINK_NAMES_AT);
		memcpy(data + SYMLINK_NAMES_AT, followed, n);
		memcpy(data + SYMLINK_NAMES_AT + n, named, m);
		*ret_len = (DWORD)(SYMLINK_NAMES_AT + n + m);
	}
	free(named);
	free(followed);
	return data;
}

/* Makes the folder or link `path` a link to `target`. -1 and GetLastError(). */
static int point(const char *path, const char *target)
{
	HANDLE node = node_open(path, GENERIC_WRITE, FILE_SHARE_READ);
	unsigned char *data;
	DWORD len, n = 0, code;
	BOOL done;

	if (node == INVALID_HANDLE_VALUE)
		return -1;
	data = link_bytes(target, &len);
	(void)privilege_take(L"SeCreateSymbolicLinkPrivilege");
	done = len && DeviceIoControl(node, FSCTL_SET_REPARSE_POINT, data, len, NULL, 0,
				      &n, NULL);
	code = len ? GetLastError() : ERROR_FILENAME_EXCED_RANGE;
	privilege_drop();
	if (done)
		(void)FlushFileBuffers(node);
	CloseHandle(node);
	free(data);
	SetLastError(code);
	return done ? 0 : -1;
}

/* Made beside and renamed: a folder that is not yet a link is never seen. */
static int link_make(const char *path, const char *target, struct err *err)
{
	char *temporary = str_printf("%s%s", path, FILE_NEW_SUFFIX);
	wchar_t *wide = wide_path(temporary);
	int rc = -1;

	(void)RemoveDirectoryW(wide); /* left by a crash */
	if (!CreateDirectoryW(wide, NULL) || point(temporary, target)) {
		err_os(err, "create link '%s'", temporary);
		goto out;
	}
	rc = move_over(temporary, path, err);
out:
	if (rc)
		(void)RemoveDirectoryW(wide);
	free(wide);
	free(temporary);
	return rc;
}

int link_replace(const char *path, const char *target, struct err *err)
{
	struct file_facts facts;

	if (file_inspect(path, &facts, err))
		return -1;
	if (facts.type == FILE_ABSENT)
		return link_make(path, target, err);
	if (facts.type != FILE_LINK)
		return err_set(
			err, ERR_CONFIG,
			"'%s' is %s that is not ours; move it away or name another path",
			path, facts.type == FILE_DIRECTORY ? "a folder" : "a file");
	if (point(path, target))
		return err_os(err, "replace link '%s'", path);
	sync_parent(path);
	return 0;
}

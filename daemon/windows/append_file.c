#include "daemon/append_file.h"

#include <stdlib.h>
#include <windows.h>

#include "base/str.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

struct append_file {
	HANDLE handle;
};

static HANDLE open_shared(const char *path, SECURITY_ATTRIBUTES *access)
{
	wchar_t *wide = wide_path(path);
	HANDLE handle = CreateFileW(
		wide, FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE,
		FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, access,
		OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
	DWORD code = GetLastError();

	free(wide);
	SetLastError(code);
	return handle;
}

int append_file_open(const char *path, struct append_file **ret, int64_t *ret_bytes,
		     struct err *err)
{
	BY_HANDLE_FILE_INFORMATION facts;
	SECURITY_ATTRIBUTES access;
	struct append_file *file;
	HANDLE handle;

	if (security_attributes_from(SDDL_OURS, &access, err))
		return -1;
	handle = open_shared(path, &access);
	if (handle == INVALID_HANDLE_VALUE)
		err_os(err, "open '%s'", path);
	security_attributes_release(&access);
	if (handle == INVALID_HANDLE_VALUE)
		return -1;
	if (!GetFileInformationByHandle(handle, &facts)) {
		err_os(err, "look at '%s'", path);
		goto failed;
	}
	if (facts.dwFileAttributes &
	    (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY)) {
		err_set(err, ERR_CONFIG, "'%s' is a link or a folder, not a file", path);
		goto failed;
	}
	file = mem_calloc(1, sizeof(*file));
	file->handle = handle;
	*ret_bytes = (int64_t)facts.nFileSizeHigh << 32 | facts.nFileSizeLow;
	*ret = file;
	return 0;
failed:
	CloseHandle(handle);
	return -1;
}

int append_file_write(struct append_file *file, const void *data, size_t len)
{
	DWORD n;

	if (!WriteFile(file->handle, data, (DWORD)len, &n, NULL) || n != len)
		return -1;
	return 0;
}

void append_file_close(struct append_file *file)
{
	if (!file)
		return;
	CloseHandle(file->handle);
	free(file);
}

int append_file_rename(const char *from, const char *to)
{
	wchar_t *wide_from = wide_path(from), *wide_to = wide_path(to);
	BOOL done = MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING);

	free(wide_from);
	free(wide_to);
	return done ? 0 : -1;
}

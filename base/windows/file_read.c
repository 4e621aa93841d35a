/* file_read.c - reading files and folders. */
#include "base/files.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <openssl/crypto.h>

#include "base/windows/file_parts.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

#define FIND_MAX_LEVELS 8
#define FIND_MAX_FILES 10000
#define TICKS_PER_S INT64_C(10000000)
#define EPOCH_S INT64_C(11644473600)
#define READ_PATIENCE_MS 2000

static int read_all(HANDLE file, const char *path, struct buf *ret, struct err *err)
{
	char chunk[16384];
	DWORD n = 0;
	int rc = -1;

	for (;;) {
		if (!ReadFile(file, chunk, sizeof(chunk), &n, NULL)) {
			err_os(err, "read '%s'", path);
			goto out;
		}
		if (!n)
			break;
		if (buf_append(ret, chunk, n)) {
			err_set(err, ERR_IO, "'%s' is larger than %zu bytes", path,
				ret->max);
			goto out;
		}
	}
	rc = 0;
out:
	if (ret->secret)
		OPENSSL_cleanse(chunk, sizeof(chunk));
	return rc;
}

/* Who writes the file at this moment may not share it: that passes. */
static HANDLE open_to_read(const char *path)
{
	wchar_t *wide = wide_path(path);
	unsigned waited_ms = 0;
	HANDLE file;
	DWORD code;

	do {
		file = CreateFileW(wide, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING,
				   FILE_FLAG_BACKUP_SEMANTICS | SECURITY_SQOS_PRESENT |
					   SECURITY_ANONYMOUS,
				   NULL);
		code = GetLastError();
	} while (file == INVALID_HANDLE_VALUE && code == ERROR_SHARING_VIOLATION &&
		 waited_ms < READ_PATIENCE_MS && wait_for_holder(code, &waited_ms));
	free(wide);
	SetLastError(code);
	return file;
}

int file_read(const char *path, struct buf *ret, struct err *err)
{
	HANDLE file = open_to_read(path);
	FILE_STANDARD_INFO facts;
	int rc = -1;

	if (file == INVALID_HANDLE_VALUE)
		return err_os(err, "open '%s'", path);
	if (GetFileType(file) != FILE_TYPE_DISK) {
		err_set(err, ERR_IO, "'%s' is a device or a pipe, not a file", path);
		goto out;
	}
	if (!GetFileInformationByHandleEx(file, FileStandardInfo, &facts,
					  sizeof(facts))) {
		err_os(err, "look at '%s'", path);
		goto out;
	}
	if (facts.Directory) {
		err_set(err, ERR_IO, "'%s' is a folder, not a file", path);
		goto out;
	}
	if (facts.EndOfFile.QuadPart > 0 &&
	    (uint64_t)facts.EndOfFile.QuadPart > ret->max) {
		err_set(err, ERR_IO, "'%s' is larger than %zu bytes", path, ret->max);
		goto out;
	}
	rc = read_all(file, path, ret, err);
out:
	CloseHandle(file);
	return rc;
}

/* Owner, and a mode as far as Windows has one: 0600 when nobody but us may read it, 0644
 * else. Unknown where the permissions may not be read. */
static void inspect_access(HANDLE node, struct file_facts *ret)
{
	PSECURITY_DESCRIPTOR descriptor = node_security(node);
	BOOL defaulted, present = FALSE;
	PSID owner = NULL;
	PACL dacl = NULL;
	char *name;

	if (!descriptor)
		return;
	if (GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) && owner) {
		name = account_from_sid(owner);
		str_copy(ret->owner, sizeof(ret->owner), name);
		free(name);
	}
	if (GetSecurityDescriptorDacl(descriptor, &present, &dacl, &defaulted)) {
		name = acl_others_with(present ? dacl : NULL, FILE_READ_DATA,
				       file_mapping());
		ret->mode = name ? 0644 : 0600;
		free(name);
	}
	LocalFree(descriptor);
}

static int inspect_open(HANDLE node, struct file_facts *ret)
{
	FILE_STANDARD_INFO size;
	FILE_BASIC_INFO times;
	DWORD attributes = 0;

	if (node_attributes(node, &attributes) ||
	    !GetFileInformationByHandleEx(node, FileStandardInfo, &size, sizeof(size)) ||
	    !GetFileInformationByHandleEx(node, FileBasicInfo, &times, sizeof(times)))
		return -1;
	*ret = (struct file_facts){
		.type = FILE_REGULAR,
		.size_bytes = size.EndOfFile.QuadPart,
		.modified_at = times.LastWriteTime.QuadPart / TICKS_PER_S - EPOCH_S,
	};
	if (attributes & FILE_ATTRIBUTE_REPARSE_POINT)
		ret->type = FILE_LINK;
	else if (attributes & FILE_ATTRIBUTE_DIRECTORY)
		ret->type = FILE_DIRECTORY;
	inspect_access(node, ret);
	return 0;
}

int file_inspect(const char *path, struct file_facts *ret, struct err *err)
{
	HANDLE node = node_open(path, FILE_READ_ATTRIBUTES | READ_CONTROL, SHARE_ALL);
	int rc = -1;

	if (node == INVALID_HANDLE_VALUE && GetLastError() == ERROR_ACCESS_DENIED)
		node = node_open(path, FILE_READ_ATTRIBUTES, SHARE_ALL);
	if (node == INVALID_HANDLE_VALUE) {
		if (!code_is_absent(GetLastError()))
			return err_os(err, "look at '%s'", path);
		*ret = (struct file_facts){ .type = FILE_ABSENT };
		return 0;
	}
	if (GetFileType(node) != FILE_TYPE_DISK) {
		*ret = (struct file_facts){ .type = FILE_OTHER };
		rc = 0;
	} else {
		rc = inspect_open(node, ret);
	}
	if (rc)
		err_os(err, "look at '%s'", path);
	CloseHandle(node);
	return rc;
}

/* The caller's list is touched on success only. */
static void give_sorted(struct strlist *found, struct strlist *ret)
{
	size_t i;

	strlist_sort(found);
	for (i = 0; i < found->n; i++)
		strlist_add(ret, found->items[i]);
}

static void add_name(struct strlist *list, const wchar_t *wide)
{
	char *name = utf8_from_wide(wide);

	if (!str_equal(name, ".") && !str_equal(name, ".."))
		strlist_add(list, name);
	free(name);
}

int dir_list(const char *path, struct strlist *ret, struct err *err)
{
	char *all = path_join(path, "*");
	wchar_t *wide = wide_path(all);
	struct strlist found = { 0 };
	WIN32_FIND_DATAW entry;
	HANDLE search = FindFirstFileW(wide, &entry);
	int rc = -1;

	/* The root of an empty volume has not even a ".". */
	if (search == INVALID_HANDLE_VALUE && GetLastError() != ERROR_FILE_NOT_FOUND) {
		err_os(err, "open folder '%s'", path);
		goto out;
	}
	if (search != INVALID_HANDLE_VALUE) {
		do {
			add_name(&found, entry.cFileName);
		} while (FindNextFileW(search, &entry));
		if (GetLastError() != ERROR_NO_MORE_FILES) {
			err_os(err, "read folder '%s'", path);
			goto out;
		}
	}
	give_sorted(&found, ret);
	rc = 0;
out:
	if (search != INVALID_HANDLE_VALUE)
		FindClose(search);
	strlist_clear(&found);
	free(wide);
	free(all);
	return rc;
}

struct finding {
	const char *suffix;
	struct strlist files;
};

static bool ends_with(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n >= m && str_equal_nocase(path + n - m, suffix);
}

static int find_below(struct finding *finding, const char *dir, int level,
		      struct err *err);

/* Notes `path` when it is a file we look for, descends when it is a folder. */
static int find_entry(struct finding *finding, const char *path, int level,
		      struct err *err)
{
	struct file_facts facts;

	if (file_inspect(path, &facts, err))
		return -1;
	if (facts.type == FILE_DIRECTORY && level < FIND_MAX_LEVELS)
		return find_below(finding, path, level + 1, err);
	if (facts.type != FILE_REGULAR || !ends_with(path, finding->suffix))
		return 0;
	if (finding->files.n == FIND_MAX_FILES)
		return err_set(err, ERR_IO, "more than %d files end in '%s'",
			       FIND_MAX_FILES, finding->suffix);
	strlist_add(&finding->files, path);
	return 0;
}

static int find_below(struct finding *finding, const char *dir, int level,
		      struct err *err)
{
	struct strlist names = { 0 };
	char *path;
	size_t i;
	int rc = dir_list(dir, &names, err);

	for (i = 0; !rc && i < names.n; i++) {
		path = path_join(dir, names.items[i]);
		rc = find_entry(finding, path, level, err);
		free(path);
	}
	strlist_clear(&names);
	return rc;
}

int dir_find(const char *root, const char *suffix, struct strlist *ret, struct err *err)
{
	struct finding finding = { .suffix = suffix };
	struct file_facts facts;
	int rc;

	if (file_inspect(root, &facts, err))
		return -1;
	if (facts.type == FILE_ABSENT)
		return 0;
	rc = find_below(&finding, root, 1, err);
	if (rc)
		err_wrap(err, "search '%s'", root);
	else
		give_sorted(&finding.files, ret);
	strlist_clear(&finding.files);
	return rc;
}

/* file_tree.c - folders of ours: made with their parents, removed with their contents. */
#include "base/files.h"

#include <stdlib.h>
#include <windows.h>

#include "base/windows/file_parts.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

#define REMOVE_MAX_LEVELS 32

static int make_one(const char *path, SECURITY_ATTRIBUTES *access, struct err *err)
{
	wchar_t *wide = wide_path(path);
	BOOL made = CreateDirectoryW(wide, access);
	DWORD code = GetLastError(), attributes = GetFileAttributesW(wide);

	free(wide);
	if (made) {
		sync_parent(path);
		return 0;
	}
	if (attributes != INVALID_FILE_ATTRIBUTES &&
	    attributes & FILE_ATTRIBUTE_DIRECTORY)
		return 0;
	return err_windows(err, code, "make folder '%s'", path);
}

static int make_with_parents(const char *path, SECURITY_ATTRIBUTES *access,
			     struct err *err)
{
	char *parent = path_parent(path);
	struct file_facts facts;
	int rc = file_inspect(path, &facts, err);

	if (!rc && facts.type != FILE_DIRECTORY && facts.type != FILE_LINK) {
		if (!str_equal(parent, path))
			rc = make_with_parents(parent, access, err);
		if (!rc)
			rc = make_one(path, access, err);
	}
	free(parent);
	return rc;
}

int dir_make(const char *path, enum file_audience audience, struct err *err)
{
	SECURITY_ATTRIBUTES ours = { 0 };
	int rc;

	if (audience == FILE_SECRET && security_attributes_from(SDDL_OURS, &ours, err))
		return -1;
	rc = make_with_parents(path, ours.nLength ? &ours : NULL, err);
	security_attributes_release(&ours);
	return rc;
}

static int remove_below(const char *path, int level, struct err *err);

/* The folder is held while it is emptied: no junction can take its place. */
static int empty_folder(const char *path, int level, struct err *err)
{
	struct strlist names = { 0 };
	char *child;
	size_t i;
	int rc = dir_list(path, &names, err);

	for (i = 0; !rc && i < names.n; i++) {
		child = path_join(path, names.items[i]);
		rc = remove_below(child, level + 1, err);
		free(child);
	}
	strlist_clear(&names);
	return rc;
}

static int remove_folder(const char *path, struct err *err)
{
	wchar_t *wide = wide_path(path);
	unsigned waited_ms = 0;
	BOOL gone;

	/* A name that somebody still has open goes a moment after it was deleted. */
	do {
		gone = RemoveDirectoryW(wide) || code_is_absent(GetLastError());
	} while (!gone && wait_for_holder(GetLastError() == ERROR_DIR_NOT_EMPTY
						  ? ERROR_SHARING_VIOLATION
						  : GetLastError(),
					  &waited_ms));
	free(wide);
	return gone ? 0 : err_os(err, "remove folder '%s'", path);
}

static int remove_below(const char *path, int level, struct err *err)
{
	HANDLE node = node_open(path, FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES,
				FILE_SHARE_READ | FILE_SHARE_WRITE);
	DWORD attributes = 0;
	bool folder;
	int rc;

	if (node == INVALID_HANDLE_VALUE)
		return file_remove(path, err); /* it is gone, or held, and that says so */
	if (node_attributes(node, &attributes)) {
		CloseHandle(node);
		return err_os(err, "look at '%s'", path);
	}
	folder = (attributes & FILE_ATTRIBUTE_DIRECTORY) &&
		 !(attributes & FILE_ATTRIBUTE_REPARSE_POINT);
	if (folder && level > REMOVE_MAX_LEVELS)
		rc = err_set(err, ERR_IO, "'%s' lies too deep", path);
	else
		rc = folder ? empty_folder(path, level, err) : 0;
	CloseHandle(node);
	if (rc)
		return -1;
	return folder ? remove_folder(path, err) : file_remove(path, err);
}

int tree_remove(const char *path, struct err *err)
{
	if (remove_below(path, 0, err))
		return err_wrap(err, "remove folder '%s'", path);
	sync_parent(path);
	return 0;
}

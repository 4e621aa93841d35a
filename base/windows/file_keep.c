/* file_keep.c - replaces a file of an application and keeps what it is to others: owner,
 * group, DACL, attributes, the link that leads to it.
 *
 * Not ReplaceFileW(): when that dies between its two renames, the name is gone. The new
 * file gets the old one's descriptor and is renamed over it in one step. A new one
 * inherits its folder's access, which is how Windows' applications share files. */
#include "base/files.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/windows/file_parts.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

#define KEPT_ATTRIBUTES                                                                  \
	(FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM |       \
	 FILE_ATTRIBUTE_NOT_CONTENT_INDEXED)
#define KEPT_SECURITY                                                                    \
	(OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION |                       \
	 DACL_SECURITY_INFORMATION)
#define CHECK_PATIENCE_MS 1000

struct replacement {
	struct place place;
	PSECURITY_DESCRIPTOR as; /* of the old file; NULL: there is none */
	char *temporary;         /* its path */
};

static void replacement_release(struct replacement *r)
{
	free(r->as);
	free(r->temporary);
	place_release(&r->place);
}

/* Makes the missing folders of the place, so that its name is a plain name. */
static int make_missing(struct place *place, struct err *err)
{
	wchar_t *wide;
	char *slash, *dir;
	BOOL made;

	while ((slash = strchr(place->name, '\\'))) {
		*slash = '\0';
		dir = path_join(place->dir, place->name);
		wide = wide_path(dir);
		made = CreateDirectoryW(wide, NULL) ||
		       GetLastError() == ERROR_ALREADY_EXISTS;
		free(wide);
		if (!made) {
			err_os(err, "make folder '%s'", dir);
			free(dir);
			return -1;
		}
		if (place_enter(place, dir)) /* takes dir */
			return err_os(err, "make folder '%s' in '%s'", place->name,
				      place->dir);
		slash += 1 + strspn(slash + 1, "\\");
		memmove(place->name, slash, strlen(slash) + 1);
	}
	return 0;
}

/* Reads the descriptor byte for byte: what is inherited stays marked as inherited. */
static PSECURITY_DESCRIPTOR descriptor_of(const char *path)
{
	HANDLE node = node_open(path, READ_CONTROL, SHARE_ALL);
	PSECURITY_DESCRIPTOR descriptor = NULL;
	DWORD size = 0, code;

	if (node == INVALID_HANDLE_VALUE)
		return NULL;
	(void)GetKernelObjectSecurity(node, KEPT_SECURITY, NULL, 0, &size);
	descriptor = mem_calloc(1, (size_t)size + 1);
	if (!GetKernelObjectSecurity(node, KEPT_SECURITY, descriptor, size, &size)) {
		code = GetLastError();
		free(descriptor);
		descriptor = NULL;
		SetLastError(code);
	}
	CloseHandle(node);
	return descriptor;
}

/* Finds the place, and what the new file has to look like. */
static int replacement_prepare(struct replacement *r, const char *path, struct err *err)
{
	struct place *place = &r->place;
	char *real;

	if (place_find(path, PLACE_TRUST_LINKS, place, err))
		return -1;
	if (!place->exists)
		return 0;
	if (place->attributes & FILE_ATTRIBUTE_DIRECTORY)
		return err_set(err, ERR_IO, "'%s' is a folder, not a file", path);
	if (place->attributes & FILE_ATTRIBUTE_DEVICE)
		return err_set(err, ERR_IO, "'%s' is a device or a pipe, not a file",
			       path);
	real = place_path(place);
	r->as = descriptor_of(real);
	free(real);
	return r->as ? 0 : err_os(err, "look at '%s'", path);
}

static bool same_owner(HANDLE file, PSECURITY_DESCRIPTOR as)
{
	PSECURITY_DESCRIPTOR now = node_security(file);
	PSID old = NULL, owner = NULL;
	BOOL defaulted, same;

	if (!now)
		return false;
	same = GetSecurityDescriptorOwner(as, &old, &defaulted) && old &&
	       GetSecurityDescriptorOwner(now, &owner, &defaulted) && owner &&
	       EqualSid(old, owner);
	LocalFree(now);
	return same;
}

/* -1 and GetLastError(). Giving a file to others needs a privilege, keeping it does not.
 */
static int keep_security(HANDLE file, PSECURITY_DESCRIPTOR as)
{
	SECURITY_INFORMATION what = DACL_SECURITY_INFORMATION;
	SECURITY_DESCRIPTOR_CONTROL control = 0;
	DWORD revision;
	BOOL done;

	if (GetSecurityDescriptorControl(as, &control, &revision) &&
	    control & SE_DACL_AUTO_INHERITED)
		(void)SetSecurityDescriptorControl(as, SE_DACL_AUTO_INHERIT_REQ,
						   SE_DACL_AUTO_INHERIT_REQ);
	if (same_owner(file, as))
		return SetKernelObjectSecurity(file, what, as) ? 0 : -1;
	(void)privilege_take(L"SeRestorePrivilege");
	done = SetKernelObjectSecurity(file, KEPT_SECURITY, as);
	privilege_drop();
	return done ? 0 : -1;
}

/* The right to give the file away must be asked for, and may be refused: then it is only
 * missed when the owner is another one. */
static HANDLE create_beside(const struct replacement *r, SECURITY_ATTRIBUTES *access)
{
	const DWORD needed = GENERIC_WRITE | READ_CONTROL | WRITE_DAC;
	wchar_t *wide = wide_path(r->temporary);
	HANDLE file;
	DWORD code;

	(void)SetFileAttributesW(wide, FILE_ATTRIBUTE_NORMAL);
	(void)DeleteFileW(wide); /* left by a crash */
	(void)privilege_take(L"SeRestorePrivilege");
	file = CreateFileW(wide, needed | WRITE_OWNER, 0, access, CREATE_NEW,
			   FILE_ATTRIBUTE_NORMAL, NULL);
	privilege_drop();
	if (file == INVALID_HANDLE_VALUE && GetLastError() == ERROR_ACCESS_DENIED)
		file = CreateFileW(wide, needed, 0, access, CREATE_NEW,
				   FILE_ATTRIBUTE_NORMAL, NULL);
	code = GetLastError();
	free(wide);
	SetLastError(code);
	return file;
}

static void discard(const char *path)
{
	wchar_t *wide = wide_path(path);

	(void)SetFileAttributesW(wide, FILE_ATTRIBUTE_NORMAL);
	(void)DeleteFileW(wide);
	free(wide);
}

/* Writes the new file beside the old one, complete and synced. Until its bytes are whole
 * it is ours alone: a secret is never readable under a wrong DACL. */
static int write_beside(const struct replacement *r, const void *data, size_t len,
			enum file_audience audience, struct err *err)
{
	SECURITY_ATTRIBUTES ours = { 0 };
	wchar_t *wide;
	HANDLE file;
	int rc;

	if ((audience == FILE_SECRET || r->as) &&
	    security_attributes_from(SDDL_OURS, &ours, err))
		return -1;
	file = create_beside(r, ours.nLength ? &ours : NULL);
	security_attributes_release(&ours);
	if (file == INVALID_HANDLE_VALUE)
		return err_os(err, "create '%s'", r->temporary);
	rc = write_synced(file, data, len) || (r->as && keep_security(file, r->as)) ||
	     !FlushFileBuffers(file);
	if (rc)
		err_os(err, "write '%s'", r->temporary);
	CloseHandle(file);
	if (!rc && r->place.attributes & KEPT_ATTRIBUTES) {
		wide = wide_path(r->temporary);
		(void)SetFileAttributesW(wide, r->place.attributes & KEPT_ATTRIBUTES);
		free(wide);
	}
	return rc ? -1 : 0;
}

/* Compares while nobody else has it open for writing. 0 and the system's code 0, or the
 * code of who holds it; -1: it is not the same, or cannot be read. */
static int compare(const char *real, const char *expected, DWORD *ret_code,
		   struct err *err)
{
	HANDLE hold = node_open(real, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE);
	int rc;

	*ret_code = hold == INVALID_HANDLE_VALUE ? GetLastError() : 0;
	if (*ret_code == ERROR_SHARING_VIOLATION)
		return 0;
	rc = file_check_same(real, expected, err);
	if (hold != INVALID_HANDLE_VALUE)
		CloseHandle(hold);
	*ret_code = 0;
	return rc;
}

/* Who waits for a holder looks again: what was waited for may have been a write. */
static int put_if_same(const char *from, const char *real, const char *expected,
		       struct err *err)
{
	unsigned waited_ms = 0;
	DWORD code;

	for (;;) {
		if (compare(real, expected, &code, err))
			return -1;
		if (!code)
			code = move_once(from, real, expected[0] != '\0');
		if (!code)
			return 0;
		if (code == ERROR_ALREADY_EXISTS || code == ERROR_FILE_EXISTS)
			continue; /* the look at it says who was first */
		if (!wait_for_holder(code, &waited_ms))
			return err_windows(err, code, "replace '%s'", real);
	}
}

int file_replace_if(const char *path, const struct file_new *new, struct err *err)
{
	struct replacement r = { 0 };
	char *real = NULL;
	int rc = -1;

	if (replacement_prepare(&r, path, err) || make_missing(&r.place, err))
		goto out;
	real = place_path(&r.place);
	r.temporary = str_printf("%s%s", real,
				 new->suffix ? new->suffix : FILE_NEW_SUFFIX);
	if (write_beside(&r, new->data, new->len, new->audience, err) ||
	    (new->expected ? put_if_same(r.temporary, real, new->expected, err)
			   : move_over(r.temporary, real, err))) {
		discard(r.temporary);
		goto out;
	}
	rc = 0;
out:
	free(real);
	replacement_release(&r);
	return rc;
}

int file_replace_keeping(const char *path, const void *data, size_t len,
			 enum file_audience audience, struct err *err)
{
	const struct file_new new = { .data = data, .len = len, .audience = audience };

	return file_replace_if(path, &new, err);
}

/* Adds who we are to the reason that is in `err`. */
static int not_replaceable(const char *path, struct err *err)
{
	wchar_t name[256] = L"";
	DWORD n = 256;
	char *account;

	(void)GetUserNameW(name, &n);
	account = utf8_from_wide(name);
	err_wrap(err, "user '%s' could not replace '%s'", account, path);
	free(account);
	return -1;
}

/* Opening the folder for what we would do asks the system without doing it. */
static int check_folder(const struct replacement *r, struct err *err)
{
	DWORD wanted = strchr(r->place.name, '\\') ? FILE_ADD_SUBDIRECTORY
						   : FILE_ADD_FILE;
	HANDLE dir = node_open(r->place.dir, wanted, SHARE_ALL);
	DWORD flags = 0;

	if (dir == INVALID_HANDLE_VALUE)
		return err_os(err, "folder '%s' is not writable", r->place.dir);
	(void)GetVolumeInformationByHandleW(dir, NULL, 0, NULL, NULL, &flags, NULL, 0);
	CloseHandle(dir);
	if (flags & FILE_READ_ONLY_VOLUME)
		return err_set(err, ERR_IO, "folder '%s' lies on a read-only file system",
			       r->place.dir);
	return 0;
}

/* May the old file be deleted, now? */
static int check_old(const struct replacement *r, struct err *err)
{
	char *real = place_path(&r->place);
	unsigned waited_ms = 0;
	HANDLE file;
	DWORD code;

	do {
		file = node_open(real, DELETE | READ_CONTROL, SHARE_ALL);
		code = GetLastError();
	} while (file == INVALID_HANDLE_VALUE && code == ERROR_SHARING_VIOLATION &&
		 waited_ms < CHECK_PATIENCE_MS && wait_for_holder(code, &waited_ms));
	free(real);
	if (file == INVALID_HANDLE_VALUE)
		return err_windows(err, code, "%s",
				   code == ERROR_SHARING_VIOLATION
					   ? "another program holds it open"
					   : "it may not be deleted");
	CloseHandle(file);
	return 0;
}

int file_check_replaceable(const char *path, struct err *err)
{
	struct replacement r = { 0 };
	int rc = -1;

	if (replacement_prepare(&r, path, err))
		goto out;
	if (check_folder(&r, err) || (r.place.exists && check_old(&r, err))) {
		not_replaceable(path, err);
		goto out;
	}
	rc = 0;
out:
	replacement_release(&r);
	return rc;
}

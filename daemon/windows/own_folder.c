#include "daemon/windows/own_folder.h"

#include <stdlib.h>
#include <windows.h>
#include <aclapi.h>

#include "base/files.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

static int judge_access(const char *path, PSID owner, PACL acl, struct err *err)
{
	GENERIC_MAPPING mapping = { FILE_GENERIC_READ, FILE_GENERIC_WRITE,
				    FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS };
	char *account;

	if (!sid_is_ours(owner)) {
		account = account_from_sid(owner);
		err_set(err, ERR_DENIED,
			"folder '%s' belongs to '%s', not to Administrators or "
			"SYSTEM: remove it, or make Administrators its owner",
			path, account);
		free(account);
		return -1;
	}
	account = acl_others_with(acl, FILE_ALL_ACCESS & ~(DWORD)SYNCHRONIZE, &mapping);
	if (account) {
		err_set(err, ERR_DENIED,
			"folder '%s' is open to '%s': leave access to SYSTEM and "
			"Administrators only (icacls \"%s\" /inheritance:r /grant:r "
			"*S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F)",
			path, account, path);
		free(account);
		return -1;
	}
	return 0;
}

/* Opened without following, so that what is judged is what is there. */
static int open_folder(const char *path, HANDLE *ret, struct err *err)
{
	wchar_t *wide = wide_path(path);
	HANDLE folder;

	folder = CreateFileW(wide, READ_CONTROL | FILE_READ_ATTRIBUTES,
			     FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
			     OPEN_EXISTING,
			     FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
			     NULL);
	if (folder == INVALID_HANDLE_VALUE)
		err_os(err, "look at folder '%s'", path);
	free(wide);
	if (folder == INVALID_HANDLE_VALUE)
		return -1;
	*ret = folder;
	return 0;
}

int own_folder_check(const char *path, struct err *err)
{
	BY_HANDLE_FILE_INFORMATION facts;
	PSECURITY_DESCRIPTOR security = NULL;
	PSID owner;
	PACL acl;
	HANDLE folder;
	DWORD failed;
	int rc = -1;

	if (open_folder(path, &folder, err))
		return -1;
	if (!GetFileInformationByHandle(folder, &facts)) {
		err_os(err, "look at folder '%s'", path);
		goto out;
	}
	if (!(facts.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) ||
	    (facts.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
		err_set(err, ERR_CONFIG, "folder '%s' is not a folder", path);
		goto out;
	}
	failed = GetSecurityInfo(folder, SE_FILE_OBJECT,
				 OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
				 &owner, NULL, &acl, NULL, &security);
	if (failed) {
		err_windows(err, failed, "read the access list of '%s'", path);
		goto out;
	}
	rc = judge_access(path, owner, acl, err);
out:
	LocalFree(security);
	CloseHandle(folder);
	return rc;
}

int own_folder_make(const char *path, struct err *err)
{
	if (dir_make(path, FILE_SECRET, err))
		return -1;
	return own_folder_check(path, err);
}

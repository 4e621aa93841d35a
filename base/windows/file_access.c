/* file_access.c - who may use a file that a service has to read.
 *
 * A mode becomes a DACL that inherits nothing: SYSTEM and Administrators everything, the
 * owner what the mode's first digit says, the group what its second says. A mode that
 * lets everybody in means the folder's own access, inherited: what "everybody" is, the
 * administrator of the folder has decided. A group without a mode may read. */
#include "base/files.h"

#include <stdlib.h>
#include <windows.h>

#include <aclapi.h>

#include "base/windows/file_parts.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

#define INHERITED_BY_ALL (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE)

static DWORD rights_of(uint32_t digit)
{
	DWORD rights = 0;

	if (digit & 4)
		rights |= FILE_GENERIC_READ | FILE_GENERIC_EXECUTE;
	if (digit & 2)
		rights |= FILE_GENERIC_WRITE | DELETE;
	return rights;
}

static bool allow(PACL acl, DWORD flags, DWORD rights, PSID sid)
{
	return !rights || !sid ||
	       AddAccessAllowedAceEx(acl, ACL_REVISION, flags, rights, sid);
}

/* Gives the list that a mode stands for; NULL and GetLastError(). */
static PACL acl_of_mode(PSID owner, PSID group, uint32_t mode, bool folder)
{
	unsigned char system[SECURITY_MAX_SID_SIZE], admins[SECURITY_MAX_SID_SIZE];
	DWORD n = sizeof(system), m = sizeof(admins);
	DWORD flags = folder ? INHERITED_BY_ALL : 0;
	DWORD size = 4 * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE) + 64;
	PACL acl = mem_calloc(1, size);

	if (CreateWellKnownSid(WinLocalSystemSid, NULL, system, &n) &&
	    CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, admins, &m) &&
	    InitializeAcl(acl, size, ACL_REVISION) &&
	    allow(acl, flags, FILE_ALL_ACCESS, system) &&
	    allow(acl, flags, FILE_ALL_ACCESS, admins) &&
	    allow(acl, flags, rights_of(mode >> 6), owner) &&
	    allow(acl, flags, rights_of(mode >> 3), group))
		return acl;
	free(acl);
	return NULL;
}

/* Code of the system. */
static DWORD set_owner(HANDLE node, PSID owner)
{
	DWORD code;

	(void)privilege_take(L"SeRestorePrivilege");
	code = SetSecurityInfo(node, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, owner,
			       NULL, NULL, NULL);
	privilege_drop();
	return code;
}

static DWORD set_mode(HANDLE node, PSID owner, PSID group, uint32_t mode)
{
	const SECURITY_INFORMATION dacl = DACL_SECURITY_INFORMATION;
	FILE_STANDARD_INFO facts = { 0 };
	ACL empty;
	PACL acl;
	DWORD code;

	if (mode & 07) {
		if (!InitializeAcl(&empty, sizeof(empty), ACL_REVISION))
			return GetLastError();
		return SetSecurityInfo(node, SE_FILE_OBJECT,
				       dacl | UNPROTECTED_DACL_SECURITY_INFORMATION, NULL,
				       NULL, &empty, NULL);
	}
	(void)GetFileInformationByHandleEx(node, FileStandardInfo, &facts, sizeof(facts));
	acl = acl_of_mode(owner, group, mode, facts.Directory);
	if (!acl)
		return GetLastError();
	code = SetSecurityInfo(node, SE_FILE_OBJECT,
			       dacl | PROTECTED_DACL_SECURITY_INFORMATION, NULL, NULL,
			       acl, NULL);
	free(acl);
	return code;
}

/* Lets the group read what it could not. */
static DWORD add_group(HANDLE node, PSID group)
{
	PACL old = NULL, acl = NULL;
	PSECURITY_DESCRIPTOR descriptor = NULL;
	struct err err;
	DWORD code = GetSecurityInfo(node, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION,
				     NULL, NULL, &old, NULL, &descriptor);

	if (code)
		return code;
	if (acl_with(old, group, FILE_GENERIC_READ | FILE_GENERIC_EXECUTE, file_mapping(),
		     &acl, &err))
		code = ERROR_INVALID_ACL;
	else
		code = SetSecurityInfo(node, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION,
				       NULL, NULL, acl, NULL);
	free(acl);
	LocalFree(descriptor);
	return code;
}

/* SetSecurityInfo() passes on to a folder's files what they inherit; flushing follows.
 * The privilege must be held when the owner's right is asked for, too. */
static HANDLE open_to_change(const char *path, bool owner)
{
	DWORD wanted = READ_CONTROL | WRITE_DAC | FILE_READ_ATTRIBUTES;
	HANDLE node;

	if (!owner)
		return node_open(path, wanted, SHARE_ALL);
	(void)privilege_take(L"SeRestorePrivilege");
	node = node_open(path, wanted | WRITE_OWNER, SHARE_ALL);
	privilege_drop();
	return node;
}

int file_check_accounts(const char *owner, const char *group, struct err *err)
{
	const char *const names[] = { owner, group };
	PSID sid;

	for (size_t i = 0; i < 2; i++) {
		if (!names[i])
			continue;
		if (sid_from_account(names[i], &sid, err))
			return -1;
		free(sid);
	}
	return 0;
}

int file_set_access(const char *path, const char *owner, const char *group, uint32_t mode,
		    struct err *err)
{
	PSID owner_sid = NULL, group_sid = NULL;
	HANDLE node = INVALID_HANDLE_VALUE;
	DWORD code = 0;
	int rc = -1;

	if ((owner && sid_from_account(owner, &owner_sid, err)) ||
	    (group && sid_from_account(group, &group_sid, err))) {
		err_wrap(err, "set access of '%s'", path);
		goto out;
	}
	node = open_to_change(path, owner != NULL);
	if (node == INVALID_HANDLE_VALUE) {
		err_os(err, "set access of '%s'", path);
		goto out;
	}
	if (owner)
		code = set_owner(node, owner_sid);
	if (code) {
		err_windows(err, code, "give '%s' to %s", path, owner);
		goto out;
	}
	if (mode)
		code = set_mode(node, owner_sid, group_sid, mode);
	else if (group)
		code = add_group(node, group_sid);
	if (code) {
		err_windows(err, code, "set access of '%s' to %04o%s%s", path,
			    (unsigned)mode, group ? " for " : "", group ? group : "");
		goto out;
	}
	sync_parent(path);
	rc = 0;
out:
	if (node != INVALID_HANDLE_VALUE)
		CloseHandle(node);
	free(owner_sid);
	free(group_sid);
	return rc;
}

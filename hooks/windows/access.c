/* access.c - owner, group and mode of a file, as file_set_access() made a DACL of them.
 */
#include "hooks/access.h"

#include <stdlib.h>
#include <windows.h>

#include "base/files.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

#include <aclapi.h>

struct access {
	PSECURITY_DESCRIPTOR memory;
	PSID owner;
	PACL dacl;
};

/* Through links: what is asked is what the service will open. */
static int access_read(const char *path, struct access *ret, struct err *err)
{
	wchar_t *wide = wide_path(path);
	HANDLE file = CreateFileW(wide, READ_CONTROL,
				  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
				  NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
	DWORD code = GetLastError();

	free(wide);
	if (file != INVALID_HANDLE_VALUE) {
		code = GetSecurityInfo(file, SE_FILE_OBJECT,
				       OWNER_SECURITY_INFORMATION |
					       DACL_SECURITY_INFORMATION,
				       &ret->owner, NULL, &ret->dacl, NULL, &ret->memory);
		CloseHandle(file);
	}
	return code && !ret->memory ? err_windows(err, code, "look at '%s'", path) : 0;
}

static int check_owner(const struct access *access, const char *path, const char *owner,
		       struct err *err)
{
	PSID sid = NULL;
	char *who;
	bool same;

	if (sid_from_account(owner, &sid, err))
		return -1;
	same = access->owner && EqualSid(access->owner, sid);
	free(sid);
	if (same)
		return 0;
	who = access->owner ? account_from_sid(access->owner) : str_dup("nobody");
	err_set(err, ERR_IO, "'%s' belongs to '%s', not to '%s'", path, who, owner);
	free(who);
	return -1;
}

static int check_group(const struct access *access, const char *path, const char *group,
		       struct err *err)
{
	PSID sid = NULL;
	bool reads;

	if (sid_from_account(group, &sid, err))
		return -1;
	reads = acl_grants(access->dacl, sid, FILE_GENERIC_READ, file_mapping());
	free(sid);
	if (reads)
		return 0;
	return err_set(err, ERR_IO, "'%s' is not readable by '%s'", path, group);
}

/* Who has more than ours, owner and group? Only then a mode without others is kept. */
static int check_mode(const struct access *access, const char *path, bool shared,
		      uint32_t mode, struct err *err)
{
	DWORD rights = shared ? FILE_WRITE_DATA | FILE_APPEND_DATA : FILE_READ_DATA;
	char *who;

	if (mode & 07 || (shared && mode & 0220))
		return 0;
	who = acl_others_with(access->dacl, rights, file_mapping());
	if (!who)
		return 0;
	err_set(err, ERR_IO, "'%s' is open to '%s', which is not mode %04o", path, who,
		(unsigned)mode);
	free(who);
	return -1;
}

int access_check(const char *path, const char *owner, const char *group, uint32_t mode,
		 struct err *err)
{
	struct access access = { 0 };
	int rc = -1;

	if (access_read(path, &access, err))
		return -1;
	if ((owner && check_owner(&access, path, owner, err)) ||
	    (group && check_group(&access, path, group, err)) ||
	    (mode && check_mode(&access, path, owner || group, mode, err)))
		goto out;
	rc = 0;
out:
	LocalFree(access.memory);
	return rc;
}

char *access_describe(const char *path)
{
	struct access access = { 0 };
	struct err ignored;
	char *who, *text;

	if (access_read(path, &access, &ignored))
		return NULL;
	who = acl_others_with(access.dacl, FILE_READ_DATA, file_mapping());
	text = who ? str_printf("administrators, and '%s'", who)
		   : str_dup("administrators");
	free(who);
	LocalFree(access.memory);
	return text;
}

#include "daemon/windows/administrator.h"

#include <windows.h>

int administrator_check(struct err *err)
{
	BYTE sid[SECURITY_MAX_SID_SIZE];
	DWORD size = sizeof(sid);
	BOOL member = FALSE;

	if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &size) ||
	    !CheckTokenMembership(NULL, sid, &member))
		return err_os(err, "look whether this account is an administrator");
	if (!member)
		return err_set(err, ERR_DENIED,
			       "only administrators may do this: run it as administrator "
			       "(right-click, \"Run as administrator\")");
	return 0;
}

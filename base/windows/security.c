/* security.c - accounts: from their names to SIDs and back, and which of them are ours.
 */
#include "base/windows/security.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <sddl.h>

#include "base/str.h"
#include "base/windows/wide.h"

#define SERVICE_PREFIX "NT SERVICE\\"
#define SHA1_BYTES 20

/* Names that the service manager and administrators write in every language of Windows.
 */
static const struct {
	const char *name;
	WELL_KNOWN_SID_TYPE type;
} aliases[] = {
	{ "LocalSystem", WinLocalSystemSid },
	{ "SYSTEM", WinLocalSystemSid },
	{ "NT AUTHORITY\\SYSTEM", WinLocalSystemSid },
	{ "NT AUTHORITY\\LocalSystem", WinLocalSystemSid },
	{ "LocalService", WinLocalServiceSid },
	{ "NT AUTHORITY\\LocalService", WinLocalServiceSid },
	{ "NT AUTHORITY\\LOCAL SERVICE", WinLocalServiceSid },
	{ "NetworkService", WinNetworkServiceSid },
	{ "NT AUTHORITY\\NetworkService", WinNetworkServiceSid },
	{ "NT AUTHORITY\\NETWORK SERVICE", WinNetworkServiceSid },
	{ "Administrators", WinBuiltinAdministratorsSid },
	{ "BUILTIN\\Administrators", WinBuiltinAdministratorsSid },
	{ "Users", WinBuiltinUsersSid },
	{ "BUILTIN\\Users", WinBuiltinUsersSid },
	{ "Everyone", WinWorldSid },
};

static PSID sid_copy(PSID sid)
{
	DWORD len = GetLengthSid(sid);
	PSID copy = mem_calloc(1, len);

	(void)CopySid(len, copy, sid);
	return copy;
}

static PSID sid_well_known(WELL_KNOWN_SID_TYPE type)
{
	DWORD size = SECURITY_MAX_SID_SIZE;
	PSID sid = mem_calloc(1, size);

	(void)CreateWellKnownSid(type, NULL, sid, &size);
	return sid;
}

static void digest_name(const char *name, unsigned char out[SHA1_BYTES])
{
	wchar_t *wide = wide_from_utf8(name), *upper = wide_upper(wide);

	(void)EVP_Digest(upper, wcslen(upper) * sizeof(*upper), out, NULL, EVP_sha1(),
			 NULL);
	free(upper);
	free(wide);
}

PSID sid_of_service(const char *name)
{
	SID_IDENTIFIER_AUTHORITY authority = { SECURITY_NT_AUTHORITY };
	unsigned char digest[SHA1_BYTES] = { 0 };
	bool all = str_equal_nocase(name, "ALL SERVICES"); /* S-1-5-80-0 */
	PSID sid = mem_calloc(1, SECURITY_MAX_SID_SIZE);
	const unsigned char *at;
	DWORD i;

	(void)InitializeSid(sid, &authority, all ? 2 : 6);
	*GetSidSubAuthority(sid, 0) = SECURITY_SERVICE_ID_BASE_RID;
	if (!all)
		digest_name(name, digest);
	for (i = 0, at = digest; i < (all ? 1 : SHA1_BYTES / 4); i++, at += 4)
		*GetSidSubAuthority(sid, i + 1) = (DWORD)at[0] | (DWORD)at[1] << 8 |
						  (DWORD)at[2] << 16 | (DWORD)at[3] << 24;
	return sid;
}

static int parse_sid(const char *text, PSID *ret_sid, struct err *err)
{
	wchar_t *wide = wide_from_utf8(text);
	PSID parsed = NULL;
	int rc = -1;

	if (!ConvertStringSidToSidW(wide, &parsed)) {
		err_set(err, ERR_CONFIG, "'%s' is not a SID", text);
		goto out;
	}
	*ret_sid = sid_copy(parsed);
	rc = 0;
out:
	if (parsed)
		LocalFree(parsed);
	free(wide);
	return rc;
}

/* ".\name" is an account of this machine. Gives the name to look up. */
static wchar_t *name_to_look_up(const char *account)
{
	wchar_t machine[MAX_COMPUTERNAME_LENGTH + 1] = L"";
	DWORD n = MAX_COMPUTERNAME_LENGTH + 1;
	char *utf8, *whole;
	wchar_t *wide;

	if (!str_starts(account, ".\\") || !GetComputerNameW(machine, &n))
		return wide_from_utf8(account);
	utf8 = utf8_from_wide(machine);
	whole = str_printf("%s%s", utf8, account + 1);
	wide = wide_from_utf8(whole);
	free(whole);
	free(utf8);
	return wide;
}

static int look_up(const char *account, PSID *ret_sid, struct err *err)
{
	wchar_t *name = name_to_look_up(account), domain[256];
	unsigned char sid[SECURITY_MAX_SID_SIZE];
	DWORD size = sizeof(sid), n = 256, code;
	SID_NAME_USE use;
	int rc = -1;

	if (!LookupAccountNameW(NULL, name, sid, &size, domain, &n, &use)) {
		code = GetLastError();
		if (code == ERROR_NONE_MAPPED)
			err_set(err, ERR_CONFIG, "there is no account '%s' here",
				account);
		else
			err_windows(err, code, "look up account '%s'", account);
		goto out;
	}
	*ret_sid = sid_copy(sid);
	rc = 0;
out:
	free(name);
	return rc;
}

int sid_from_account(const char *account, PSID *ret_sid, struct err *err)
{
	const size_t prefix = sizeof(SERVICE_PREFIX) - 1;
	char *head;
	bool service;
	size_t i;

	for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (str_equal_nocase(account, aliases[i].name)) {
			*ret_sid = sid_well_known(aliases[i].type);
			return 0;
		}
	}
	head = str_ndup(account, prefix);
	service = str_equal_nocase(head, SERVICE_PREFIX) && account[prefix];
	free(head);
	if (service) {
		*ret_sid = sid_of_service(account + prefix);
		return 0;
	}
	if (str_starts(account, "S-1-"))
		return parse_sid(account, ret_sid, err);
	return look_up(account, ret_sid, err);
}

char *account_from_sid(PSID sid)
{
	wchar_t name[256], domain[256], *text = NULL;
	DWORD n = 256, m = 256;
	SID_NAME_USE use;
	char *first, *second, *whole;

	if (LookupAccountSidW(NULL, sid, name, &n, domain, &m, &use) && *name) {
		first = utf8_from_wide(domain);
		second = utf8_from_wide(name);
		whole = *first ? str_printf("%s\\%s", first, second) : str_dup(second);
		free(first);
		free(second);
		return whole;
	}
	if (!ConvertSidToStringSidW(sid, &text))
		return str_dup("an unknown account");
	whole = utf8_from_wide(text);
	LocalFree(text);
	return whole;
}

static bool is_our_account(PSID sid)
{
	unsigned char memory[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	TOKEN_USER user;
	DWORD size = 0;
	HANDLE token;
	bool same = false;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return false;
	if (GetTokenInformation(token, TokenUser, memory, sizeof(memory), &size)) {
		memcpy(&user, memory, sizeof(user));
		same = EqualSid(user.User.Sid, sid);
	}
	CloseHandle(token);
	return same;
}

bool sid_is_ours(PSID sid)
{
	PSID installer;
	bool ours;

	if (IsWellKnownSid(sid, WinLocalSystemSid) ||
	    IsWellKnownSid(sid, WinBuiltinAdministratorsSid))
		return true;
	installer = sid_of_service("TrustedInstaller");
	ours = EqualSid(sid, installer) || is_our_account(sid);
	free(installer);
	return ours;
}

/* On a token of this thread: the rest of the process keeps without. */
bool privilege_take(const wchar_t *name)
{
	TOKEN_PRIVILEGES wanted = { .PrivilegeCount = 1 };
	HANDLE token = NULL;
	bool got = false;

	if (!LookupPrivilegeValueW(NULL, name, &wanted.Privileges[0].Luid) ||
	    !ImpersonateSelf(SecurityImpersonation))
		return false;
	wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
	if (OpenThreadToken(GetCurrentThread(), TOKEN_ADJUST_PRIVILEGES, TRUE, &token)) {
		got = AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL) &&
		      GetLastError() == ERROR_SUCCESS;
		CloseHandle(token);
	}
	return got;
}

void privilege_drop(void)
{
	DWORD code = GetLastError(); /* of the call that it was taken for */

	(void)RevertToSelf();
	SetLastError(code);
}

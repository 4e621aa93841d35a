/* security_acl.c - access lists: who is given what, judged entry by entry; and the lists
 * that we make. */
#include "base/windows/security.h"

#include <stdlib.h>
#include <string.h>

#include <aclapi.h>
#include <sddl.h>

#include "base/str.h"
#include "base/windows/wide.h"

#define OUR_KEY L"SOFTWARE\\certrenewd"
#define OUR_KEY_NAME "HKLM\\SOFTWARE\\certrenewd"

const GENERIC_MAPPING *file_mapping(void)
{
	static const GENERIC_MAPPING mapping = { FILE_GENERIC_READ, FILE_GENERIC_WRITE,
						 FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS };

	return &mapping;
}

const GENERIC_MAPPING *registry_mapping(void)
{
	static const GENERIC_MAPPING mapping = { KEY_READ, KEY_WRITE, KEY_EXECUTE,
						 KEY_ALL_ACCESS };

	return &mapping;
}

/* What an entry means for us. */
struct entry {
	bool allows, denies;
	DWORD rights; /* generic ones mapped */
	PSID sid;
};

/* Conditional entries are read with their condition fulfilled when somebody else might
 * gain by it, and as nothing when the account that we ask for would. */
static bool entry_read(PACL acl, DWORD i, const GENERIC_MAPPING *mapping, bool suspicious,
		       struct entry *ret)
{
	ACCESS_ALLOWED_ACE *ace;
	void *at = NULL;
	BYTE type;

	*ret = (struct entry){ 0 };
	if (!GetAce(acl, i, &at))
		return false;
	ace = at; /* allowing, denying and conditional entries begin alike */
	type = ace->Header.AceType;
	if (ace->Header.AceFlags & INHERIT_ONLY_ACE)
		return false;
	ret->allows = type == ACCESS_ALLOWED_ACE_TYPE ||
		      (suspicious && type == ACCESS_ALLOWED_CALLBACK_ACE_TYPE);
	ret->denies = type == ACCESS_DENIED_ACE_TYPE ||
		      (!suspicious && type == ACCESS_DENIED_CALLBACK_ACE_TYPE);
	ret->rights = ace->Mask;
	ret->sid = &ace->SidStart;
	if (mapping)
		MapGenericMask(&ret->rights, (PGENERIC_MAPPING)mapping);
	return ret->allows || ret->denies;
}

static bool is_service(PSID sid)
{
	SID_IDENTIFIER_AUTHORITY nt = { SECURITY_NT_AUTHORITY };

	return !memcmp(GetSidIdentifierAuthority(sid), &nt, sizeof(nt)) &&
	       *GetSidSubAuthorityCount(sid) > 1 &&
	       *GetSidSubAuthority(sid, 0) == SECURITY_SERVICE_ID_BASE_RID;
}

/* Is the account surely a member of the group, whatever the machine's settings? */
static bool is_member(PSID sid, PSID group)
{
	PSID all;
	bool is;

	if (EqualSid(sid, group) || IsWellKnownSid(group, WinWorldSid) ||
	    IsWellKnownSid(group, WinAuthenticatedUserSid))
		return true;
	if (IsWellKnownSid(sid, WinLocalSystemSid))
		return IsWellKnownSid(group, WinBuiltinAdministratorsSid);
	if (!is_service(sid))
		return false;
	all = sid_of_service("ALL SERVICES");
	is = EqualSid(group, all) || IsWellKnownSid(group, WinServiceSid);
	free(all);
	return is;
}

bool acl_grants(PACL acl, PSID sid, DWORD rights, const GENERIC_MAPPING *mapping)
{
	struct entry entry;
	DWORD i;

	if (!acl)
		return true;
	if (mapping)
		MapGenericMask(&rights, (PGENERIC_MAPPING)mapping);
	for (i = 0; rights && i < acl->AceCount; i++) {
		if (!entry_read(acl, i, mapping, false, &entry))
			continue;
		/* Most accounts are users: a denial for them is likely to hit. */
		if (entry.denies && (entry.rights & rights) &&
		    (is_member(sid, entry.sid) ||
		     IsWellKnownSid(entry.sid, WinBuiltinUsersSid)))
			return false;
		if (entry.allows && is_member(sid, entry.sid))
			rights &= ~entry.rights;
	}
	return !rights;
}

/* "The owner", "whoever made it": the owner is judged where he is named. */
static bool is_placeholder(PSID sid)
{
	return IsWellKnownSid(sid, WinCreatorOwnerSid) ||
	       IsWellKnownSid(sid, WinCreatorGroupSid) ||
	       IsWellKnownSid(sid, WinCreatorOwnerRightsSid);
}

char *acl_others_with(PACL acl, DWORD rights, const GENERIC_MAPPING *mapping)
{
	struct entry entry;
	DWORD i;

	if (!acl)
		return str_dup("everybody (it has no access list)");
	for (i = 0; i < acl->AceCount; i++)
		if (entry_read(acl, i, mapping, true, &entry) && entry.allows &&
		    (entry.rights & rights) && !is_placeholder(entry.sid) &&
		    !sid_is_ours(entry.sid))
			return account_from_sid(entry.sid);
	return NULL;
}

char *descriptor_others_with(PSECURITY_DESCRIPTOR descriptor, DWORD rights,
			     const GENERIC_MAPPING *mapping)
{
	BOOL defaulted, present = FALSE;
	PSID owner = NULL;
	PACL dacl = NULL;

	if (!GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) || !owner ||
	    !GetSecurityDescriptorDacl(descriptor, &present, &dacl, &defaulted))
		return str_dup("somebody");
	if (!sid_is_ours(owner))
		return account_from_sid(owner);
	return acl_others_with(present ? dacl : NULL, rights, mapping);
}

static bool is_inherited(PACL acl, DWORD i)
{
	void *at = NULL;

	return GetAce(acl, i, &at) && ((ACE_HEADER *)at)->AceFlags & INHERITED_ACE;
}

/* Copies the entries [from, to) behind those of `out`. */
static bool append_entries(PACL out, PACL acl, DWORD from, DWORD to)
{
	void *at = NULL;
	DWORD i;

	for (i = from; i < to; i++)
		if (!GetAce(acl, i, &at) || !AddAce(out, ACL_REVISION_DS, MAXDWORD, at,
						    ((ACE_HEADER *)at)->AceSize))
			return false;
	return true;
}

/* Canonical order: ours stands behind the explicit entries, before the inherited ones. */
int acl_with(PACL acl, PSID sid, DWORD rights, const GENERIC_MAPPING *mapping,
	     PACL *ret_acl, struct err *err)
{
	DWORD n = acl ? acl->AceCount : 0, at = 0, size;
	bool needed = !acl || !acl_grants(acl, sid, rights, mapping);
	PACL out;

	size = (acl ? acl->AclSize : (DWORD)sizeof(ACL)) +
	       (DWORD)sizeof(ACCESS_ALLOWED_ACE) + GetLengthSid(sid);
	size = (size + 3) & ~(DWORD)3;
	if (size > MAXWORD)
		return err_set(err, ERR_CONFIG, "the access list is full");
	out = mem_calloc(1, size);
	while (at < n && !is_inherited(acl, at))
		at++;
	if (!InitializeAcl(out, size, ACL_REVISION_DS) ||
	    !append_entries(out, acl, 0, at) ||
	    (needed && !AddAccessAllowedAce(out, ACL_REVISION_DS, rights, sid)) ||
	    !append_entries(out, acl, at, n)) {
		err_os(err, "make an access list");
		free(out);
		return -1;
	}
	*ret_acl = out;
	return 0;
}

int security_attributes_from(const wchar_t *sddl, SECURITY_ATTRIBUTES *ret,
			     struct err *err)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;

	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1,
								  &descriptor, NULL))
		return err_os(err, "make a security descriptor");
	*ret = (SECURITY_ATTRIBUTES){ .nLength = sizeof(*ret),
				      .lpSecurityDescriptor = descriptor };
	return 0;
}

void security_attributes_release(SECURITY_ATTRIBUTES *attributes)
{
	if (attributes->lpSecurityDescriptor)
		LocalFree(attributes->lpSecurityDescriptor);
	*attributes = (SECURITY_ATTRIBUTES){ 0 };
}

/* Who could change what is in the key, or read what only we may know? */
static int check_key(HKEY key, struct err *err)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;
	LSTATUS code = GetSecurityInfo(key, SE_REGISTRY_KEY,
				       OWNER_SECURITY_INFORMATION |
					       DACL_SECURITY_INFORMATION,
				       NULL, NULL, NULL, NULL, &descriptor);
	char *who;

	if (code)
		return err_windows(err, (unsigned long)code, "look at %s", OUR_KEY_NAME);
	who = descriptor_others_with(descriptor,
				     KEY_QUERY_VALUE | KEY_SET_VALUE |
					     KEY_CREATE_SUB_KEY | KEY_CREATE_LINK |
					     RIGHTS_TO_CHANGE,
				     registry_mapping());
	LocalFree(descriptor);
	if (!who)
		return 0;
	err_set(err, ERR_DENIED,
		"%s is open to %s; let only SYSTEM and Administrators read and write it",
		OUR_KEY_NAME, who);
	free(who);
	return -1;
}

int registry_open_ours(HKEY *ret, struct err *err)
{
	const REGSAM wanted = KEY_READ | KEY_WRITE | KEY_WOW64_64KEY;
	SECURITY_ATTRIBUTES attributes;
	HKEY key = NULL;
	LSTATUS code;

	if (security_attributes_from(SDDL_OURS_KEY, &attributes, err))
		return -1;
	code = RegCreateKeyExW(HKEY_LOCAL_MACHINE, OUR_KEY, 0, NULL, 0, wanted,
			       &attributes, &key, NULL);
	security_attributes_release(&attributes);
	if (code)
		return err_windows(err, (unsigned long)code, "open %s", OUR_KEY_NAME);
	if (check_key(key, err)) {
		RegCloseKey(key);
		return -1;
	}
	*ret = key;
	return 0;
}

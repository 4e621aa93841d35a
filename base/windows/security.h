/* security.h - accounts and access lists of Windows.
 *
 * Access is judged by walking the entries ourselves: the system's own evaluation fails
 * under Wine, and names of service accounts cannot be looked up there either; the SID of
 * "NT SERVICE\name" is computed then (the published rule: SHA-1 over the upper-cased name
 * in UTF-16LE as five little-endian words behind S-1-5-80). */
#ifndef BASE_WINDOWS_SECURITY_H
#define BASE_WINDOWS_SECURITY_H

#include <stdbool.h>
#include <windows.h>

#include "base/err.h"

/* Every right to a file or a registry key that lets its holder change or replace it. */
#define RIGHTS_TO_CHANGE (DELETE | WRITE_DAC | WRITE_OWNER)

/* SYSTEM and Administrators alone, inherited by what is made below; protected. */
#define SDDL_OURS L"O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
#define SDDL_OURS_KEY L"O:BAG:BAD:P(A;CI;KA;;;SY)(A;CI;KA;;;BA)"

/* The SID of "DOMAIN\name", "NT SERVICE\name", "LocalSystem", ".\name", "name@domain" or
 * "S-1-...". Gives *ret_sid, free(). ERR_CONFIG for an unknown account. */
int sid_from_account(const char *account, PSID *ret_sid, struct err *err);

/* "NT SERVICE\x" or, where it has no name, "S-1-...". Gives. */
char *account_from_sid(PSID sid);

/* The SID of a service by its key name. Gives, free(). */
PSID sid_of_service(const char *name);

/* Is it SYSTEM, Administrators, TrustedInstaller, or the account of this process? */
bool sid_is_ours(PSID sid);

/* Does the list give the account, or a group that surely holds it (Everyone,
 * Authenticated Users; Administrators and SYSTEM for themselves; for a service also
 * ALL SERVICES), all of the rights? Denials in front count. A NULL list grants all.
 * Generic rights in entries are mapped by `mapping`. */
bool acl_grants(PACL acl, PSID sid, DWORD rights, const GENERIC_MAPPING *mapping);

/* The first account beside ours that the list gives any of the rights; NULL: nobody.
 * Gives its name. Entries that are only for inheriting do not count. */
char *acl_others_with(PACL acl, DWORD rights, const GENERIC_MAPPING *mapping);

/* A copy of `acl` with an allowing entry for `sid` added (none if it grants already).
 * Gives *ret_acl, free(). `acl` NULL: an empty list. */
int acl_with(PACL acl, PSID sid, DWORD rights, const GENERIC_MAPPING *mapping,
	     PACL *ret_acl, struct err *err);

/* What the generic rights mean for files and for registry keys. */
const GENERIC_MAPPING *file_mapping(void);
const GENERIC_MAPPING *registry_mapping(void);

/* Gives the name of who beside ours owns the thing or is given any of `rights` by its
 * descriptor (owner and DACL); NULL: nobody. */
char *descriptor_others_with(PSECURITY_DESCRIPTOR descriptor, DWORD rights,
			     const GENERIC_MAPPING *mapping);

/* Opens HKLM\SOFTWARE\certrenewd for reading and writing, made with SDDL_OURS if absent;
 * refused with ERR_DENIED when anybody else may change it. RegCloseKey(). */
int registry_open_ours(HKEY *ret, struct err *err);

/* Turns a privilege that this process holds on for this thread; false: it holds none.
 * privilege_drop() takes it back (after false too), and no calls nest. */
bool privilege_take(const wchar_t *name);
void privilege_drop(void);

/* Security attributes from SDDL, for CreateFile and its like. Gives *ret with a
 * descriptor that security_attributes_release() frees. */
int security_attributes_from(const wchar_t *sddl, SECURITY_ATTRIBUTES *ret,
			     struct err *err);
void security_attributes_release(SECURITY_ATTRIBUTES *attributes);

#endif

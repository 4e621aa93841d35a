#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <windows.h>

#include <sddl.h>

#include "base/str.h"
#include "base/windows/security.h"

static void is_sid(PSID sid, const char *expected)
{
	char *text;
	LPSTR given = NULL;

	assert_true(ConvertSidToStringSidA(sid, &given));
	text = str_dup(given);
	LocalFree(given);
	assert_string_equal(text, expected);
	free(text);
}

static void names(const char *account, const char *expected)
{
	struct err err;
	PSID sid = NULL;

	if (sid_from_account(account, &sid, &err))
		fail_msg("%s", err.text);
	is_sid(sid, expected);
	free(sid);
}

static void the_sid_of_a_service_follows_the_published_rule(void **state)
{
	(void)state;
	names("NT SERVICE\\TrustedInstaller",
	      "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
	names("nt service\\anubis",
	      "S-1-5-80-765274699-3418405142-632509039-2036741013-1444054785");
	names("NT Service\\XtractUniversal Service",
	      "S-1-5-80-2835434641-1716488285-1104975628-79970361-2622572616");
	names("NT SERVICE\\ALL SERVICES", "S-1-5-80-0");
}

static void the_service_managers_names_are_known_in_every_language(void **state)
{
	struct err err;
	PSID sid = NULL;

	(void)state;
	names("LocalSystem", "S-1-5-18");
	names("NT AUTHORITY\\LocalService", "S-1-5-19");
	names("nt authority\\networkservice", "S-1-5-20");
	names("BUILTIN\\Administrators", "S-1-5-32-544");
	names("S-1-5-21-1-2-3-1004", "S-1-5-21-1-2-3-1004");
	assert_int_equal(sid_from_account("S-1-nonsense", &sid, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_int_equal(sid_from_account("no such account", &sid, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_null(sid);
}

/* The DACL of an SDDL text; *ret_memory keeps it. */
static PACL dacl_of(const wchar_t *sddl, PSECURITY_DESCRIPTOR *ret_memory)
{
	BOOL present = FALSE, defaulted;
	PACL acl = NULL;

	assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(
		sddl, SDDL_REVISION_1, ret_memory, NULL));
	assert_true(GetSecurityDescriptorDacl(*ret_memory, &present, &acl, &defaulted));
	return acl;
}

static bool grants(const wchar_t *sddl, const char *account, DWORD rights)
{
	PSECURITY_DESCRIPTOR memory;
	PACL acl = dacl_of(sddl, &memory);
	struct err err;
	PSID sid = NULL;
	bool does;

	assert_int_equal(sid_from_account(account, &sid, &err), 0);
	does = acl_grants(acl, sid, rights, file_mapping());
	free(sid);
	LocalFree(memory);
	return does;
}

static void access_is_granted_by_entries_and_not_by_hope(void **state)
{
	const char *xu = "NT SERVICE\\XtractUniversal Service";

	(void)state;
	assert_false(grants(L"D:", xu, FILE_GENERIC_READ));
	assert_false(grants(L"D:(A;;FA;;;SY)(A;;FA;;;BA)", xu, FILE_GENERIC_READ));
	assert_true(grants(L"D:(A;;FR;;;WD)", xu, FILE_GENERIC_READ));
	assert_true(grants(L"D:(A;;GR;;;AU)", xu, FILE_GENERIC_READ));
	assert_true(grants(L"D:(A;;FR;;;S-1-5-80-0)", xu, FILE_GENERIC_READ));
	assert_false(
		grants(L"D:(A;;FR;;;S-1-5-80-0)", "S-1-5-21-1-2-3-4", FILE_GENERIC_READ));
	assert_false(grants(L"D:(A;;FR;;;BU)", xu, FILE_GENERIC_READ));
	assert_false(grants(L"D:(A;OICIIO;FR;;;WD)", xu, FILE_GENERIC_READ));
	assert_false(grants(L"D:(D;;FR;;;WD)(A;;FA;;;WD)", xu, FILE_GENERIC_READ));
	assert_true(grants(L"D:(A;;FA;;;BA)", "LocalSystem", FILE_GENERIC_READ));
	assert_false(grants(L"D:(A;;FR;;;WD)", xu, FILE_ALL_ACCESS));
}

static void who_else_has_a_right_is_named(void **state)
{
	PSECURITY_DESCRIPTOR memory;
	PACL acl = dacl_of(L"D:(A;;FA;;;SY)(A;;FA;;;BA)(A;OICIIO;FA;;;WD)"
			   L"(A;OICI;FA;;;CO)(A;;FR;;;S-1-5-21-1-2-3-1004)",
			   &memory);
	char *who = acl_others_with(acl, FILE_READ_DATA, file_mapping());

	(void)state;
	assert_non_null(who);
	assert_string_equal(who, "S-1-5-21-1-2-3-1004");
	free(who);
	assert_null(acl_others_with(acl, FILE_WRITE_DATA, file_mapping()));
	LocalFree(memory);
	who = acl_others_with(NULL, FILE_WRITE_DATA, file_mapping());
	assert_non_null(who);
	free(who);
}

static void an_added_entry_stands_before_the_inherited_ones_and_once(void **state)
{
	PSECURITY_DESCRIPTOR memory;
	PACL acl = dacl_of(L"D:(A;;FA;;;SY)(A;ID;FA;;;BA)", &memory), more = NULL,
	     same = NULL;
	PSID sid = sid_of_service("XtractUniversal Service");
	struct err err;
	ACCESS_ALLOWED_ACE *ace;
	void *at = NULL;

	(void)state;
	assert_int_equal(
		acl_with(acl, sid, FILE_GENERIC_READ, file_mapping(), &more, &err), 0);
	assert_int_equal(more->AceCount, 3);
	assert_true(GetAce(more, 1, &at));
	ace = at;
	assert_true(EqualSid(&ace->SidStart, sid));
	assert_true(acl_grants(more, sid, FILE_GENERIC_READ, file_mapping()));
	assert_int_equal(
		acl_with(more, sid, FILE_GENERIC_READ, file_mapping(), &same, &err), 0);
	assert_int_equal(same->AceCount, 3);
	free(same);
	free(more);
	assert_int_equal(
		acl_with(NULL, sid, FILE_GENERIC_READ, file_mapping(), &more, &err), 0);
	assert_int_equal(more->AceCount, 1);
	free(more);
	free(sid);
	LocalFree(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sid_of_a_service_follows_the_published_rule),
		cmocka_unit_test(the_service_managers_names_are_known_in_every_language),
		cmocka_unit_test(access_is_granted_by_entries_and_not_by_hope),
		cmocka_unit_test(who_else_has_a_right_is_named),
		cmocka_unit_test(
			an_added_entry_stands_before_the_inherited_ones_and_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tool_key.c - key containers of the machine and their access lists. */
#include "tool.h"

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static bool open_container(const wchar_t *container, DWORD flags, HCRYPTPROV *ret)
{
	return CryptAcquireContextW(ret, container, TOOL_PROVIDER, PROV_RSA_AES,
				    flags | CRYPT_MACHINE_KEYSET | CRYPT_SILENT);
}

int tool_exists(wchar_t **argv)
{
	HCRYPTPROV provider = 0;

	if (open_container(argv[0], 0, &provider)) {
		CryptReleaseContext(provider, 0);
		puts("yes");
	} else if (GetLastError() == (DWORD)NTE_BAD_KEYSET) {
		puts("no");
	} else {
		return tool_fail("open the container");
	}
	return 0;
}

/* Names of the machine's containers, or NULL. */
static cJSON *containers(void)
{
	cJSON *list;
	HCRYPTPROV provider = 0;
	DWORD first = CRYPT_FIRST, len;
	DWORD machine = CRYPT_MACHINE_KEYSET; /* Wine looks for it here */
	char name[1024];

	if (!CryptAcquireContextW(&provider, NULL, TOOL_PROVIDER, PROV_RSA_AES,
				  CRYPT_VERIFYCONTEXT | CRYPT_MACHINE_KEYSET))
		return NULL;
	list = cJSON_CreateArray();
	for (;;) {
		len = sizeof(name);
		if (!CryptGetProvParam(provider, PP_ENUMCONTAINERS, (BYTE *)name, &len,
				       first | machine))
			break;
		cJSON_AddItemToArray(list, cJSON_CreateString(name));
		first = 0;
	}
	CryptReleaseContext(provider, 0);
	return list;
}

int tool_containers(wchar_t **argv)
{
	cJSON *list = containers();
	char *text = cJSON_Print(list);

	(void)argv;
	if (!text)
		return tool_fail("list the containers");
	puts(text);
	free(text);
	cJSON_Delete(list);
	return 0;
}

int tool_delete_keys(wchar_t **argv)
{
	cJSON *list = containers(), *name;
	HCRYPTPROV gone = 0;
	int ret = 0;

	(void)argv;
	if (!list)
		return tool_fail("list the containers");
	cJSON_ArrayForEach (name, list) {
		if (!CryptAcquireContextA(&gone, name->valuestring, NULL, PROV_RSA_AES,
					  CRYPT_DELETEKEYSET | CRYPT_MACHINE_KEYSET |
						  CRYPT_SILENT) &&
		    GetLastError() != (DWORD)NTE_BAD_KEYSET) /* gone meanwhile */
			ret = tool_fail(name->valuestring);
	}
	cJSON_Delete(list);
	return ret;
}

int tool_dacl(wchar_t **argv)
{
	HCRYPTPROV provider = 0;
	DWORD len = 0;
	BYTE *descriptor;
	wchar_t *sddl = NULL;

	if (!open_container(argv[0], 0, &provider))
		return tool_fail("open the container");
	CryptGetProvParam(provider, PP_KEYSET_SEC_DESCR, NULL, &len,
			  DACL_SECURITY_INFORMATION);
	descriptor = calloc(1, len + 1);
	if (!descriptor ||
	    !CryptGetProvParam(provider, PP_KEYSET_SEC_DESCR, descriptor, &len,
			       DACL_SECURITY_INFORMATION) ||
	    !ConvertSecurityDescriptorToStringSecurityDescriptorW(
		    descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &sddl, NULL))
		return tool_fail("read the access list");
	printf("%ls\n", sddl);
	LocalFree(sddl);
	free(descriptor);
	CryptReleaseContext(provider, 0);
	return 0;
}

/* Wine's provider asks for the right to write the SACL too, once a list was set. */
static void enable_security_privilege(void)
{
	TOKEN_PRIVILEGES privileges = { .PrivilegeCount = 1 };
	HANDLE token = NULL;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token))
		return;
	privileges.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
	if (LookupPrivilegeValueW(NULL, SE_SECURITY_NAME, &privileges.Privileges[0].Luid))
		AdjustTokenPrivileges(token, FALSE, &privileges, 0, NULL, NULL);
	CloseHandle(token);
}

int tool_set_dacl(wchar_t **argv)
{
	HCRYPTPROV provider = 0;
	PSECURITY_DESCRIPTOR descriptor = NULL;

	enable_security_privilege();
	if (!open_container(argv[0], 0, &provider) ||
	    !ConvertStringSecurityDescriptorToSecurityDescriptorW(
		    argv[1], SDDL_REVISION_1, &descriptor, NULL) ||
	    !CryptSetProvParam(provider, PP_KEYSET_SEC_DESCR, descriptor,
			       DACL_SECURITY_INFORMATION))
		return tool_fail("write the access list");
	LocalFree(descriptor);
	CryptReleaseContext(provider, 0);
	return 0;
}

int tool_delete_key(wchar_t **argv)
{
	HCRYPTPROV provider = 0;

	if (!open_container(argv[0], CRYPT_DELETEKEYSET, &provider))
		return tool_fail("delete the container");
	return 0;
}

/* Signs in the container that the entry names and verifies with the certificate. */
int tool_sign(wchar_t **argv)
{
	static const BYTE message[] = "signed by the entry's key";
	HCERTSTORE store = tool_open_store(argv[0]);
	PCCERT_CONTEXT cert = store ? tool_find(store, argv[1]) : NULL;
	CRYPT_KEY_PROV_INFO *info = cert ? tool_provider(cert) : NULL;
	HCRYPTPROV provider = 0;
	HCRYPTHASH hash = 0;
	HCRYPTKEY public = 0;
	BYTE signature[1024];
	DWORD len = sizeof(signature);

	if (!info ||
	    !CryptAcquireContextW(&provider, info->pwszContainerName, info->pwszProvName,
				  info->dwProvType,
				  (info->dwFlags & CRYPT_MACHINE_KEYSET) | CRYPT_SILENT))
		return tool_fail("open the key");
	if (!CryptCreateHash(provider, CALG_SHA_256, 0, 0, &hash) ||
	    !CryptHashData(hash, message, sizeof(message), 0) ||
	    !CryptSignHashW(hash, info->dwKeySpec, NULL, 0, signature, &len))
		return tool_fail("sign");
	if (!CryptImportPublicKeyInfo(provider, X509_ASN_ENCODING,
				      &cert->pCertInfo->SubjectPublicKeyInfo, &public) ||
	    !CryptVerifySignatureW(hash, signature, len, public, NULL, 0))
		return tool_fail("verify");
	puts("signed");
	return 0;
}

/* tool_other.c - files: read, held open, arguments echoed into one. */
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES 65536

char *tool_utf8(const wchar_t *text)
{
	int len;
	char *utf8;

	if (!text)
		text = L"";
	len = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
	utf8 = calloc(1, (size_t)len + 1);
	if (utf8)
		WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, len, NULL, NULL);
	return utf8;
}

char *tool_read(const wchar_t *path, size_t *ret_len)
{
	FILE *file = _wfopen(path, L"rb");
	char *text = calloc(1, FILE_BYTES + 1);
	size_t len = 0;

	if (!file || !text) {
		free(text);
		return NULL;
	}
	len = fread(text, 1, FILE_BYTES, file);
	fclose(file);
	if (ret_len)
		*ret_len = len;
	return text;
}

/* Says "held" when it is open, so that nobody has to guess. */
int tool_hold(wchar_t **argv)
{
	HANDLE file = CreateFileW(argv[0], GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);

	if (file == INVALID_HANDLE_VALUE)
		return tool_fail("open the file");
	puts("held");
	fflush(stdout);
	Sleep((DWORD)wcstoul(argv[1], NULL, 10));
	CloseHandle(file);
	return 0;
}

int tool_hold_service(wchar_t **argv)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = OpenServiceW(manager, argv[0], SERVICE_QUERY_STATUS);

	if (!service)
		return tool_fail("open the service");
	puts("held");
	fflush(stdout);
	Sleep((DWORD)wcstoul(argv[1], NULL, 10));
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
	return 0;
}

int tool_echo(wchar_t **argv)
{
	wchar_t *block = GetEnvironmentStringsW(), *line;
	FILE *file = _wfopen(argv[0], L"ab");
	char *text;
	int i;

	if (!file)
		return tool_fail("open the file");
	for (i = 1; argv[i]; i++) {
		text = tool_utf8(argv[i]);
		fprintf(file, "argument %s\n", text);
		free(text);
	}
	for (line = block; line && *line; line += wcslen(line) + 1) {
		if (wcsncmp(line, L"CERTRENEWD_", 11))
			continue;
		text = tool_utf8(line);
		fprintf(file, "environment %s\n", text);
		free(text);
	}
	fclose(file);
	return 0;
}

/* As .NET's ProtectedData does it: machine scope, no entropy. */
int tool_protect(wchar_t **argv)
{
	DATA_BLOB plain = { 0 }, sealed = { 0 };
	size_t len = 0;
	DWORD size = 0;
	char *base64;

	plain.pbData = (BYTE *)tool_read(argv[0], &len);
	plain.cbData = (DWORD)len;
	if (!plain.pbData ||
	    !CryptProtectData(&plain, NULL, NULL, NULL, NULL,
			      CRYPTPROTECT_LOCAL_MACHINE | CRYPTPROTECT_UI_FORBIDDEN,
			      &sealed))
		return tool_fail("protect the file");
	free(plain.pbData);
	CryptBinaryToStringA(sealed.pbData, sealed.cbData,
			     CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, NULL, &size);
	base64 = calloc(1, size + 1);
	if (!base64 || !CryptBinaryToStringA(sealed.pbData, sealed.cbData,
					     CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF,
					     base64, &size))
		return tool_fail("write base64");
	puts(base64);
	free(base64);
	LocalFree(sealed.pbData);
	return 0;
}

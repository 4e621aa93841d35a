#include "base/windows/wide.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/str.h"

#define LONG_PREFIX L"\\\\?\\"
#define UNC_PREFIX L"\\\\?\\UNC\\"

wchar_t *wide_from_utf8(const char *text)
{
	wchar_t *wide;
	int n;

	if (!text)
		return NULL;
	n = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
	wide = mem_calloc((size_t)n + 1, sizeof(*wide));
	(void)MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, n);
	return wide;
}

char *utf8_from_wide(const wchar_t *text)
{
	char *utf8;
	int n;

	if (!text)
		return NULL;
	n = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
	utf8 = mem_calloc((size_t)n + 1, 1);
	(void)WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, n, NULL, NULL);
	return utf8;
}

wchar_t *wide_upper(const wchar_t *text)
{
	size_t n = wcslen(text) + 1;
	wchar_t *upper = mem_calloc(n, sizeof(*upper));

	(void)LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_UPPERCASE, text, (int)n, upper,
			    (int)n, NULL, NULL, 0);
	return upper;
}

/* Gives prefix and rest in one. */
static wchar_t *joined(const wchar_t *prefix, const wchar_t *rest)
{
	size_t n = wcslen(prefix), m = wcslen(rest);
	wchar_t *whole = mem_calloc(n + m + 1, sizeof(*whole));

	memcpy(whole, prefix, n * sizeof(*whole));
	memcpy(whole + n, rest, m * sizeof(*whole));
	return whole;
}

wchar_t *wide_path(const char *path)
{
	wchar_t *given = wide_from_utf8(path), *full, *whole;
	DWORD n;

	if (!wcsncmp(given, LONG_PREFIX, wcslen(LONG_PREFIX)))
		return given;
	n = GetFullPathNameW(given, 0, NULL, NULL);
	full = mem_calloc((size_t)n + 1, sizeof(*full));
	(void)GetFullPathNameW(given, n + 1, full, NULL);
	if (!wcsncmp(full, L"\\\\.\\", 4)) /* a device, or a pipe */
		whole = joined(L"", full);
	else if (!wcsncmp(full, L"\\\\", 2))
		whole = joined(UNC_PREFIX, full + 2);
	else
		whole = joined(LONG_PREFIX, full);
	free(full);
	free(given);
	return whole;
}

char *path_from_wide(const wchar_t *path)
{
	char *rest, *whole;

	if (wcsncmp(path, UNC_PREFIX, wcslen(UNC_PREFIX)) == 0) {
		rest = utf8_from_wide(path + wcslen(UNC_PREFIX));
		whole = str_printf("\\\\%s", rest);
		free(rest);
		return whole;
	}
	if (wcsncmp(path, LONG_PREFIX, wcslen(LONG_PREFIX)) == 0)
		path += wcslen(LONG_PREFIX);
	return utf8_from_wide(path);
}

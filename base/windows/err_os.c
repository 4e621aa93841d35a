#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/str.h"
#include "base/windows/wide.h"

static enum err_kind kind_of(DWORD code)
{
	switch (code) {
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
	case ERROR_BAD_NETPATH:
	case ERROR_BAD_NET_NAME:
	case ERROR_INVALID_DRIVE:
	case ERROR_SERVICE_DOES_NOT_EXIST:
	case (DWORD)CRYPT_E_NOT_FOUND:
		return ERR_NOT_FOUND;
	case ERROR_ACCESS_DENIED:
	case ERROR_PRIVILEGE_NOT_HELD:
	case 740: /* ERROR_ELEVATION_REQUIRED */
	case (DWORD)E_ACCESSDENIED:
		return ERR_DENIED;
	default:
		return ERR_IO;
	}
}

/* In English where the system has it, else as the system says it; without line end. */
static char *words_of(DWORD code)
{
	const DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
	wchar_t said[512] = L"";
	char *words;
	size_t n;

	if (!FormatMessageW(flags, NULL, code, MAKELANGID(LANG_ENGLISH, SUBLANG_DEFAULT),
			    said, 512, NULL))
		(void)FormatMessageW(flags, NULL, code, 0, said, 512, NULL);
	words = utf8_from_wide(said);
	n = strlen(words);
	while (n && strchr("\r\n .", words[n - 1]))
		words[--n] = '\0';
	str_make_printable(words);
	return words;
}

static int say(struct err *err, DWORD code, const char *doing)
{
	char *words = words_of(code);
	bool number = code > 0xffff;

	err_set(err, kind_of(code), number ? "%s: %s%s(0x%08lx)" : "%s: %s%s(error %lu)",
		doing, words, *words ? " " : "", (unsigned long)code);
	free(words);
	return -1;
}

int err_os(struct err *err, const char *fmt, ...)
{
	DWORD code = GetLastError();
	char doing[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(doing, sizeof(doing), fmt, ap);
	va_end(ap);
	return say(err, code, doing);
}

int err_windows(struct err *err, unsigned long code, const char *fmt, ...)
{
	char doing[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(doing, sizeof(doing), fmt, ap);
	va_end(ap);
	return say(err, code, doing);
}

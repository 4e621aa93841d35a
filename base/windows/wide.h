/* wide.h - text at the border of Windows: UTF-8 inside, UTF-16 outside. Converted once,
 * where a call is made; no narrow call is made anywhere, because those speak a code page.
 * All give memory for free(); none fails but by abort when memory is out. */
#ifndef BASE_WINDOWS_WIDE_H
#define BASE_WINDOWS_WIDE_H

#include <wchar.h>

#include "base/err.h"

/* UTF-8 to UTF-16 and back; what is invalid becomes U+FFFD. NULL gives NULL. */
wchar_t *wide_from_utf8(const char *text);
char *utf8_from_wide(const wchar_t *text);

/* Upper case by the rules of no language, as Windows compares names. */
wchar_t *wide_upper(const wchar_t *text);

/* A path for a file call: absolute, '\' between its parts, "\\?\" in front, so that no
 * length limit holds. "\\server\share" becomes "\\?\UNC\server\share". */
wchar_t *wide_path(const char *path);

/* And back from a path that Windows gave us: without "\\?\". */
char *path_from_wide(const wchar_t *path);

/* err_os() for the code of a call that does not use GetLastError() (LSTATUS, HRESULT). */
int err_windows(struct err *err, unsigned long code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif

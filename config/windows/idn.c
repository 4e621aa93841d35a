/* Windows's own rules, with one guard: what older ones map away ("ß" to "ss") would order
 * a certificate for another name than its POSIX twin does, and is refused. */
#include "config/idn.h"

#include <stdlib.h>
#include <windows.h>

#include "base/str.h"
#include "base/windows/wide.h"

#define IDN_MAX 1024

/* How many letters are in it that IDNA 2003 maps away: sharp s, final sigma, the two
 * joiners. */
static size_t count_deviations(const wchar_t *name)
{
	size_t n = 0;

	for (; *name; name++) {
		if (*name == 0x00df || *name == 0x1e9e || *name == 0x03c2 ||
		    *name == 0x200c || *name == 0x200d)
			n++;
	}
	return n;
}

static const char *reason(DWORD code)
{
	return code == ERROR_INVALID_NAME ? "it has characters that no name may have"
					  : "it is too long or no text";
}

int idn_to_ascii(const char *utf8, char **ret_ascii, const char **ret_why)
{
	wchar_t *wide = wide_from_utf8(utf8);
	wchar_t ascii[IDN_MAX], again[IDN_MAX];
	int n = IdnToAscii(0, wide, -1, ascii, IDN_MAX);
	int rc = -1;

	if (n <= 0) {
		*ret_why = reason(GetLastError());
		goto out;
	}
	if (count_deviations(wide) &&
	    (IdnToUnicode(0, ascii, -1, again, IDN_MAX) <= 0 ||
	     count_deviations(again) != count_deviations(wide))) {
		*ret_why = "this system would make another name of it: write its ASCII "
			   "form, xn--...";
		goto out;
	}
	*ret_ascii = utf8_from_wide(ascii);
	rc = 0;
out:
	free(wide);
	return rc;
}

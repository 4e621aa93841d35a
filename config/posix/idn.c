#include "config/idn.h"

#include <idn2.h>

#include "base/str.h"

int idn_to_ascii(const char *utf8, char **ret_ascii, const char **ret_why)
{
	char *ascii = NULL;
	int rc = idn2_to_ascii_8z(utf8, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if (rc != IDN2_OK) {
		*ret_why = idn2_strerror(rc);
		return -1;
	}
	*ret_ascii = str_dup(ascii);
	idn2_free(ascii);
	return 0;
}

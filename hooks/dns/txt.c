/* txt.c - quoted strings of TXT records. */
#include "hooks/dns/txt.h"

#include <string.h>

#define STRING_MAX 255
#define ESCAPE_DIGITS 3

void txt_quote(const char *value, enum txt_escapes escapes, struct buf *out)
{
	size_t len = strlen(value);

	buf_puts(out, "\"");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		if (i && i % STRING_MAX == 0)
			buf_puts(out, "\" \"");
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c > 0x7E)
			buf_printf(out, escapes == TXT_OCTAL ? "\\%03o" : "\\%03d", c);
		else
			buf_append(out, &c, 1);
	}
	buf_puts(out, "\"");
}

/* The byte of "\ddd" at `text`, which is behind the backslash; -1 when it is none. */
static int escaped(const char *text, int base)
{
	int byte = 0;

	for (int i = 0; i < ESCAPE_DIGITS; i++) {
		if (text[i] < '0' || text[i] >= '0' + base)
			return -1;
		byte = byte * base + (text[i] - '0');
	}
	return byte <= 0xFF ? byte : -1;
}

bool txt_means(const char *text, enum txt_escapes escapes, const char *value)
{
	int base = escapes == TXT_OCTAL ? 8 : 10, byte;
	bool inside = false;

	if (*text != '"')
		return strcmp(text, value) == 0;
	for (; *text; text++) {
		if (*text == '"') {
			inside = !inside;
			continue;
		}
		if (!inside) {
			if (*text != ' ')
				return false;
			continue;
		}
		byte = (unsigned char)*text;
		if (*text == '\\') {
			byte = escaped(text + 1, base);
			text += byte >= 0 ? ESCAPE_DIGITS : 1;
			if (byte < 0)
				byte = (unsigned char)*text;
		}
		if (!byte || byte != (unsigned char)*value++)
			return false;
	}
	return !inside && !*value;
}

/* json_text.c - JSON strings: reading what they say, writing them in pure ASCII. */
#include "hooks/json_edit.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

#define REPLACEMENT_CHARACTER 0xFFFDu
#define TEXT_MAX_BYTES ((size_t)64 * 1024)

static int append_utf8(struct buf *out, uint32_t c)
{
	unsigned char bytes[4];
	size_t n;

	if (c < 0x80) {
		bytes[0] = (unsigned char)c;
		n = 1;
	} else if (c < 0x800) {
		bytes[0] = (unsigned char)(0xC0 | c >> 6);
		n = 2;
	} else if (c < 0x10000) {
		bytes[0] = (unsigned char)(0xE0 | c >> 12);
		n = 3;
	} else {
		bytes[0] = (unsigned char)(0xF0 | c >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		bytes[i] = (unsigned char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3F));
	return buf_append(out, bytes, n);
}

/* The four hex digits behind "\u" at `at`; the scanner has checked them. */
static uint32_t hex4(const unsigned char *at)
{
	unsigned char digits[2] = { 0 };
	char text[5] = { (char)at[0], (char)at[1], (char)at[2], (char)at[3], '\0' };

	hex_decode(text, digits, sizeof(digits));
	return (uint32_t)digits[0] << 8 | digits[1];
}

/* Decodes an escape of four hex digits at `at` (on its u), with the second of a surrogate
 * pair if there is one; gives its length. RFC 8259 7. */
static size_t decode_unicode(const unsigned char *at, const unsigned char *end,
			     struct buf *out)
{
	uint32_t c = hex4(at + 1), low;

	if (c >= 0xD800 && c < 0xDC00 && end - at >= 11 && at[5] == '\\' &&
	    at[6] == 'u') {
		low = hex4(at + 7);
		if (low >= 0xDC00 && low < 0xE000) {
			append_utf8(out, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
			return 11;
		}
	}
	if (!c || (c >= 0xD800 && c < 0xE000))
		c = REPLACEMENT_CHARACTER;
	append_utf8(out, c);
	return 5;
}

int json_edit_text(const struct json_edit *edit, const struct json_span *string,
		   struct buf *out)
{
	static const char names[] = "bfnrt", controls[] = "\b\f\n\r\t";
	const unsigned char *at = edit->bytes + string->start + 1;
	const unsigned char *end = edit->bytes + string->end - 1;
	const char *control;

	while (at < end) {
		if (*at != '\\') {
			buf_append(out, at++, 1);
			continue;
		}
		at++;
		control = strchr(names, *at);
		if (*at == 'u') {
			at += decode_unicode(at, end, out);
		} else {
			buf_append(out,
				   control ? &controls[control - names]
					   : (const char *)at,
				   1);
			at++;
		}
	}
	return buf_ok(out) ? 0 : -1;
}

bool json_edit_says(const struct json_edit *edit, const struct json_span *value,
		    const char *text)
{
	struct buf found;
	bool same;

	if (value->kind != JSON_IS_STRING)
		return false;
	buf_init(&found, TEXT_MAX_BYTES);
	same = !json_edit_text(edit, value, &found) && str_equal(buf_str(&found), text);
	buf_release(&found);
	return same;
}

/* One character of UTF-8, which ends in a NUL; gives its length. */
static size_t decode_utf8(const unsigned char *at, uint32_t *ret)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = at[0] < 0x80           ? 1
		   : (at[0] >> 5) == 0x06 ? 2
		   : (at[0] >> 4) == 0x0E ? 3
		   : (at[0] >> 3) == 0x1E ? 4
					  : 0;
	uint32_t c;

	*ret = REPLACEMENT_CHARACTER;
	if (!n)
		return 1;
	c = n == 1 ? at[0] : at[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xC0) != 0x80)
			return 1;
		c = c << 6 | (at[i] & 0x3F);
	}
	if (c < lowest[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		return 1;
	*ret = c;
	return n;
}

static void quote_character(struct buf *out, uint32_t c)
{
	if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", (int)c);
	else if (c >= 0x20 && c < 0x7F)
		buf_printf(out, "%c", (int)c);
	else if (c < 0x10000)
		buf_printf(out, "\\u%04X", (unsigned)c);
	else
		buf_printf(out, "\\u%04X\\u%04X",
			   (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
			   (unsigned)(0xDC00 + ((c - 0x10000) & 0x3FF)));
}

void json_quote(struct buf *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	uint32_t c;

	buf_puts(out, "\"");
	while (*at) {
		at += decode_utf8(at, &c);
		quote_character(out, c);
	}
	buf_puts(out, "\"");
}

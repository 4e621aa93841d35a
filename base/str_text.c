/* str_text.c - what people typed (edit distance) and what strangers said (printable, and
 * without our secrets). */
#include "base/str.h"

#include <stdint.h>
#include <string.h>

#define DISTANCE_MAX 64
#define SHORTEST_SECRET 4

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: three rows of the usual table are enough. */
size_t str_distance(const char *a, const char *b)
{
	size_t rows[3][DISTANCE_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2], *spare;
	size_t len_a = strlen(a), len_b = strlen(b);

	if (len_a > DISTANCE_MAX || len_b > DISTANCE_MAX)
		return DISTANCE_MAX;
	for (size_t j = 0; j <= len_b; j++)
		before[j] = last[j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		row[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			row[j] = least(last[j], row[j - 1]) + 1;
			row[j] = least(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[len_b];
}

/* Decodes one UTF-8 character of a NUL-terminated text. Returns its length, 0 if the
 * bytes are no character (overlong forms and surrogates included). */
static size_t utf8_next(const unsigned char *p, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;
	uint32_t c;

	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	c = p[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return len;
}

/* Control characters of ASCII and Latin-1, and the marks that break lines or turn the
 * direction of writing around. */
static bool moves_the_cursor(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

void str_make_printable(char *text)
{
	unsigned char *from = (unsigned char *)text, *to = from;
	uint32_t c = 0;
	size_t len;

	while (*from) {
		len = utf8_next(from, &c);
		if (c == '\n' || c == '\r' || c == '\t') {
			*to++ = ' ';
		} else if (!len || moves_the_cursor(c)) {
			*to++ = '?';
		} else {
			memmove(to, from, len);
			to += len;
		}
		from += len ? len : 1;
		c = 0;
	}
	*to = '\0';
}

void str_hide(char *text, const char *secret, size_t len)
{
	char *part, *at = text;

	if (!text || len < SHORTEST_SECRET)
		return;
	part = str_ndup(secret, len);
	while ((at = strstr(at, part))) {
		memset(at, '*', len);
		at += len;
	}
	str_free_secret(part);
}

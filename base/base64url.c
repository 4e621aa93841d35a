#include "base/base64url.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/str.h"

char *base64url_encode(const void *data, size_t len)
{
	char *text;

	assert(len < INT_MAX / 2);
	text = mem_calloc(len / 3 * 4 + 5, 1);
	EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	for (char *p = text; *p; p++) {
		if (*p == '+')
			*p = '-';
		else if (*p == '/')
			*p = '_';
		else if (*p == '=')
			*p = '\0'; /* padding comes last */
	}
	return text;
}

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Length without padding; SIZE_MAX when no encoder writes such a text: a foreign
 * character, both alphabets at once, a wrong number of characters or of '='. */
static size_t length_of_digits(const char *text)
{
	size_t len, padding;

	len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			   "0123456789+/-_");
	padding = strspn(text + len, "=");
	if (text[len + padding] != '\0' || len % 4 == 1)
		return SIZE_MAX;
	if (padding && (padding > 2 || (len + padding) % 4 != 0))
		return SIZE_MAX;
	if (strpbrk(text, "+/") && strpbrk(text, "-_"))
		return SIZE_MAX;
	return len;
}

int base64_any_decode(const char *text, struct buf *out)
{
	size_t len = length_of_digits(text);
	uint32_t bits = 0;
	int n_bits = 0;
	unsigned char byte;

	if (len == SIZE_MAX)
		return -1;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 6 | (uint32_t)digit_of(text[i]);
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		byte = (unsigned char)(bits >> n_bits);
		if (buf_append(out, &byte, 1))
			return -1;
		bits &= (1U << n_bits) - 1;
	}
	return bits ? -1 : 0; /* bits left over: the text was cut short */
}

/* str.c - memory, strings, lists. Edit distance and printable text: str_text.c. */
#include "base/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

void *mem_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		abort();
	return p;
}

void *mem_realloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p)
		abort();
	return p;
}

char *str_dup(const char *text)
{
	return text ? str_ndup(text, strlen(text)) : NULL;
}

char *str_ndup(const char *text, size_t len)
{
	char *copy;

	len = strnlen(text, len);
	copy = mem_calloc(len + 1, 1);
	memcpy(copy, text, len);
	return copy;
}

char *str_printf(const char *fmt, ...)
{
	char small[256], *text; /* most are paths: formatted once */
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	if ((size_t)len < sizeof(small)) {
		text = str_ndup(small, (size_t)len);
		OPENSSL_cleanse(small, (size_t)len); /* some are secrets */
		return text;
	}
	OPENSSL_cleanse(small, sizeof(small));

	text = mem_calloc((size_t)len + 1, 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

void str_free_secret(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

bool str_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_nocase(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	while (*a && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return fold(*a) == fold(*b);
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);

	return len >= tail && strcmp(text + len - tail, suffix) == 0;
}

void hex_encode(const void *data, size_t len, bool upper, char *out)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

static int hex_digit(char c)
{
	c = fold(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(const char *text, void *out, size_t len)
{
	unsigned char *p = out;

	if (strlen(text) != 2 * len || strspn(text, "0123456789abcdefABCDEF") != 2 * len)
		return -1;
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(hex_digit(text[2 * i]) * 16 +
				       hex_digit(text[2 * i + 1]));
	return 0;
}

void strlist_add(struct strlist *list, const char *text)
{
	list->items = mem_realloc(list->items, (list->n + 2) * sizeof(*list->items));
	list->items[list->n++] = str_dup(text);
	list->items[list->n] = NULL;
}

bool strlist_has(const struct strlist *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++) {
		if (str_equal(list->items[i], text))
			return true;
	}
	return false;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *list)
{
	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), by_bytes);
}

void strlist_clear(struct strlist *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strlist){ 0 };
}

void strlist_clear_secret(struct strlist *list)
{
	for (size_t i = 0; i < list->n; i++)
		OPENSSL_cleanse(list->items[i], strlen(list->items[i]));
	strlist_clear(list);
}

void str_copy(char *out, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/str.h"

void buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){ .max = max_bytes };
}

void buf_init_secret(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){ .max = max_bytes, .secret = true };
}

static void wipe(struct buf *buf)
{
	if (buf->secret && buf->data)
		OPENSSL_cleanse(buf->data, buf->cap);
}

void buf_release(struct buf *buf)
{
	wipe(buf);
	free(buf->data);
	buf->data = NULL;
	buf->len = buf->cap = 0;
	buf->overflow = false;
}

void buf_clear(struct buf *buf)
{
	wipe(buf);
	if (buf->data)
		buf->data[0] = '\0';
	buf->len = 0;
	buf->overflow = false;
}

/* Room for `more` bytes and the NUL. realloc() would leave a copy of a secret behind. */
static int reserve(struct buf *buf, size_t more)
{
	size_t cap = buf->cap ? buf->cap : 64;
	unsigned char *data;

	assert(buf->len <= buf->max || !buf->data);
	if (buf->overflow || more > buf->max - buf->len) {
		buf->overflow = true;
		return -1;
	}
	if (buf->len + more < buf->cap)
		return 0;
	while (cap <= buf->len + more)
		cap *= 2;
	data = mem_calloc(cap, 1);
	if (buf->len)
		memcpy(data, buf->data, buf->len);
	wipe(buf);
	free(buf->data);
	buf->data = data;
	buf->cap = cap;
	return 0;
}

int buf_append(struct buf *buf, const void *data, size_t len)
{
	if (reserve(buf, len))
		return -1;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_puts(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

int buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap, again;
	int len, rc = -1;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len < 0) {
		buf->overflow = true; /* longer than INT_MAX: longer than any maximum */
		goto out;
	}
	if (reserve(buf, (size_t)len))
		goto out;
	vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, fmt, again);
	buf->len += (size_t)len;
	rc = 0;
out:
	va_end(again);
	va_end(ap);
	return rc;
}

bool buf_ok(const struct buf *buf)
{
	return !buf->overflow;
}

const char *buf_str(const struct buf *buf)
{
	return buf->data ? (const char *)buf->data : "";
}

char *buf_steal(struct buf *buf)
{
	char *text = buf->data ? (char *)buf->data : str_dup("");

	buf->data = NULL;
	buf->len = buf->cap = 0;
	return text;
}

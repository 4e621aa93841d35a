/* buf.h - a growing byte buffer that is born with a maximum.
 *
 * Everything that arrives from network or disk lands in one of these, so that a hostile
 * peer costs at most `max` bytes. Overflow sticks: further appends fail, and the caller
 * may check once at the end with buf_ok(). A secret buffer is wiped whenever its memory
 * moves or goes.
 *
 *     struct buf b;
 *     buf_init(&b, 64 * 1024);
 *     buf_printf(&b, "%s\n", text);
 *     if (!buf_ok(&b)) ...
 *     buf_release(&b);
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf {
	unsigned char *data; /* NUL-terminated behind len; NULL while empty */
	size_t len, cap, max;
	bool secret, overflow;
};

/* Starts an empty buffer that will never hold more than `max_bytes`. */
void buf_init(struct buf *buf, size_t max_bytes);

/* The same, for key material: wiped when it grows, clears or is released. */
void buf_init_secret(struct buf *buf, size_t max_bytes);

/* Frees the contents; the buffer may be initialised again. A zeroed struct is fine. */
void buf_release(struct buf *buf);

/* Empties the buffer, keeps its memory and its maximum. */
void buf_clear(struct buf *buf);

/* Both return 0, or -1 when the maximum would be passed (the buffer keeps what it had
 * and remembers the overflow). Borrow `data`. */
int buf_append(struct buf *buf, const void *data, size_t len);
int buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Appends a NUL-terminated string. */
int buf_puts(struct buf *buf, const char *text);

/* Nothing was cut off so far. */
bool buf_ok(const struct buf *buf);

/* The contents as a C string; "" while empty. Borrowed until the next change. */
const char *buf_str(const struct buf *buf);

/* Gives the contents as a C string that the caller frees; the buffer is empty after. */
char *buf_steal(struct buf *buf);

#endif

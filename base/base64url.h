/* base64url.h - base64url without padding (RFC 4648 5, RFC 7515 2), and the lenient
 * reader for EAB keys, which CAs hand out in both alphabets (RFC 8555 7.3.4). */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include <stddef.h>

#include "base/buf.h"

/* Gives the encoding as a string that the caller frees. */
char *base64url_encode(const void *data, size_t len);

/* Appends the decoded bytes to `out`. Takes base64url and standard base64, padded or
 * not, without white space. -1 if `text` is neither or `out` is full. */
int base64_any_decode(const char *text, struct buf *out);

#endif

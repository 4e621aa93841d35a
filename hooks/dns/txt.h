/* txt.h - a TXT record's text as zone files and web APIs write it: strings of at most 255
 * bytes, each in double quotes (RFC 1035 3.3.14, 5.1). Pure. */
#ifndef HOOKS_DNS_TXT_H
#define HOOKS_DNS_TXT_H

#include "base/buf.h"

/* How bytes that do not print are escaped: "\ddd" in decimal (RFC 1035), or in octal
 * (Route 53). */
enum txt_escapes { TXT_DECIMAL, TXT_OCTAL };

/* Appends `value` as quoted strings, a blank between two. */
void txt_quote(const char *value, enum txt_escapes escapes, struct buf *out);

/* Does `text`, quoted strings or a bare one, mean `value`? */
bool txt_means(const char *text, enum txt_escapes escapes, const char *value);

#endif

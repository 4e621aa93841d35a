/* url.h - which URLs of a CA are followed: https, of sane length, printable. */
#ifndef ACME_URL_H
#define ACME_URL_H

#include <stdbool.h>

#include "base/err.h"

#define URL_MAX 2000

/* "https://", a host without a user name, at most URL_MAX visible ASCII characters. NULL
 * is not one. */
bool url_is_https(const char *url);

/* 0, or -1 with ERR_REFUSED: the CA gave 'x' as its `what` URL, which is not https. */
int url_check(const char *url, const char *what, struct err *err);

#endif

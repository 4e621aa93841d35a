#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

/* The first entry of the queue is the cause, later ones are the layers above it. */
int err_openssl(struct err *err, const char *fmt, ...)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);
	char doing[1024], all[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(doing, sizeof(doing), fmt, ap);
	va_end(ap);

	if (!code) {
		reason = "OpenSSL gave no reason";
	} else if (!reason) { /* the system's own: "error:80000002:lib::reason" */
		ERR_error_string_n(code, all, sizeof(all));
		reason = strrchr(all, ':') ? strrchr(all, ':') + 1 : all;
	}
	ERR_clear_error();
	return err_set(err, ERR_IO, "%s: %s", doing, reason);
}

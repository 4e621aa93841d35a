#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum err_kind kind_of(int code)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	default:
		return ERR_IO;
	}
}

int err_os(struct err *err, const char *fmt, ...)
{
	int code = errno;
	char doing[1024], said[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(doing, sizeof(doing), fmt, ap);
	va_end(ap);
	return err_set(err, kind_of(code), "%s: %s", doing,
		       strerror_r(code, said, sizeof(said)));
}

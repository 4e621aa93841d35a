/* err.c - building the one sentence. What libraries said is appended in err_openssl.c
 * and in the twin files err_os.c. */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	char text[sizeof(err->text)]; /* an argument may be err->text itself */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	err->kind = kind;
	err->retry_after_s = 0;
	memcpy(err->text, text, strlen(text) + 1);
	return -1;
}

/* Puts "context: " in front. Context is welcome but the cause is sacred: when both do not
 * fit, it is the context that goes. */
int err_wrap(struct err *err, const char *fmt, ...)
{
	char context[512];
	size_t head, cause = strlen(err->text) + 1;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);

	head = strlen(context);
	if (head + 2 + cause > sizeof(err->text))
		return -1;
	memmove(err->text + head + 2, err->text, cause);
	memcpy(err->text, context, head);
	memcpy(err->text + head, ": ", 2);
	return -1;
}

const char *err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_TRANSIENT] = "transient",
		[ERR_REFUSED] = "refused",
		[ERR_CONFIG] = "config",
		[ERR_NOT_FOUND] = "not_found",
		[ERR_DENIED] = "denied",
		[ERR_IO] = "io",
		[ERR_CANCELLED] = "cancelled",
		[ERR_BUG] = "bug",
	};

	static_assert(sizeof(names) / sizeof(*names) == ERR_BUG + 1, "a name per kind");
	return names[kind];
}

/* err.h - one failure, told once to the program and once to the operator.
 *
 * A fallible function returns 0 or -1 and fills the `struct err` it was given: a kind
 * for the program (retry? refused? operator?) and one sentence for the operator. The
 * bottom says what failed with its values, each layer above puts in front what it alone
 * knows, the top logs it once:
 *
 *     renew 'xu': finalize order: rateLimited: too many certificates
 *
 * Lower case, no full stop, failure first, values in single quotes. No secret ever.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

enum err_kind {
	ERR_NONE,
	ERR_TRANSIENT, /* try again later; retry_after_s may say when */
	ERR_REFUSED,   /* the CA (or a peer) said no, and will say no again */
	ERR_CONFIG,    /* only the operator can repair this */
	ERR_NOT_FOUND, /* what was asked for does not exist */
	ERR_DENIED,    /* this account may not do it */
	ERR_IO,        /* the system would not let us read, write or connect */
	ERR_CANCELLED, /* we were asked to stop */
	ERR_BUG,       /* only we can repair this */
};

struct err {
	enum err_kind kind;     /* what the program may do about it */
	uint32_t retry_after_s; /* the CA's advice; 0 if it gave none */
	char text[2048];        /* widest context first, cause last */
};

/* gnu_printf: %zu and %lld mean the same wherever we are built. */
#if defined(__clang__)
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#elif defined(__GNUC__)
#define PRINTF_LIKE(fmt, args) __attribute__((format(gnu_printf, fmt, args)))
#else
#define PRINTF_LIKE(fmt, args)
#endif

/* Sets kind and sentence, forgets what was there. Returns -1, so that failing is one
 * statement: return err_set(...). */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " in front of the sentence; kind and retry_after_s stay. Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Sets the sentence and appends what the system last said (errno, GetLastError): call it
 * before anything else can overwrite that. The kind follows the code: ERR_NOT_FOUND,
 * ERR_DENIED, else ERR_IO. Returns -1. */
int err_os(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Sets the sentence and appends the first reason in OpenSSL's error queue of this thread,
 * then empties the queue. Kind ERR_IO. Returns -1. */
int err_openssl(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The kind's name for JSON and tests: "transient", "refused", ... */
const char *err_kind_name(enum err_kind kind);

#endif

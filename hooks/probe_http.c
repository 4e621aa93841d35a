/* probe_http.c - does plain HTTP answer? After a fallback that is the proof. */
#include "hooks/probe_parts.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/str.h"

#define STATUS_LINE_BYTES 12 /* "HTTP/1.1 401" */

struct exchange {
	const struct probe_deadline *deadline;
	BIO *bio;
	int fd;
};

/* Moves some bytes. 0: *ret_moved of them, none when the peer is done. -1: deadline. */
static int move_some(const struct exchange *exchange, bool reading, char *data,
		     size_t len, size_t *ret_moved, struct err *err)
{
	*ret_moved = 0;
	for (;;) {
		ERR_clear_error();
		if (reading ? BIO_read_ex(exchange->bio, data, len, ret_moved)
			    : BIO_write_ex(exchange->bio, data, len, ret_moved))
			return 0;
		if (!BIO_should_retry(exchange->bio))
			return 0;
		if (probe_wait(exchange->deadline, exchange->fd, reading, err))
			return -1;
	}
}

/* Moves `len` bytes, or as many as the peer will have or give. */
static int move_all(const struct exchange *exchange, bool reading, char *data, size_t len,
		    size_t *ret_len, struct err *err)
{
	size_t moved = 1;

	for (*ret_len = 0; *ret_len < len && moved; *ret_len += moved) {
		if (move_some(exchange, reading, data + *ret_len, len - *ret_len, &moved,
			      err))
			return -1;
	}
	ERR_clear_error();
	return 0;
}

static int judge(const char *answer, size_t len, struct err *err)
{
	if (len == STATUS_LINE_BYTES && str_starts(answer, "HTTP/1."))
		return 0;
	if (!len)
		return err_set(err, ERR_TRANSIENT, "it hung up");
	if (answer[0] == 21 && (len < 2 || answer[1] == 3))
		return err_set(err, ERR_TRANSIENT, "it speaks TLS");
	return err_set(err, ERR_TRANSIENT, "something answers that does not speak HTTP");
}

/* The visit of one address: `ctx` is the request. */
static int ask(void *ctx, int fd, const struct probe_deadline *deadline, struct err *err)
{
	struct exchange exchange = { deadline, BIO_new_socket(fd, BIO_NOCLOSE), fd };
	char *request = ctx, answer[STATUS_LINE_BYTES + 1] = "";
	size_t len;
	int rc = -1;

	if (!exchange.bio) {
		err_openssl(err, "use a socket");
		goto out;
	}
	if (move_all(&exchange, false, request, strlen(request), &len, err) ||
	    move_all(&exchange, true, answer, STATUS_LINE_BYTES, &len, err))
		goto out;
	rc = judge(answer, len, err);
out:
	BIO_free(exchange.bio);
	return rc;
}

int probe_http(const char *connect, int64_t timeout_s, const struct cancel *cancel,
	       struct err *err)
{
	struct probe_deadline deadline = probe_deadline_in(timeout_s, cancel);
	char *request = str_printf("GET / HTTP/1.1\r\nHost: %s\r\n"
				   "User-Agent: certrenewd\r\nAccept: */*\r\n"
				   "Connection: close\r\n\r\n",
				   connect);
	int rc = probe_each_address(connect, &deadline, ask, request, err);

	free(request);
	return rc ? err_wrap(err, "'%s' does not answer plain HTTP", connect) : 0;
}

/* exchange.c - a message and its answer over the probe's connections. */
#include "hooks/dns/exchange.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include "hooks/probe_parts.h"

#define LENGTH_BYTES 2 /* in front of each message: RFC 1035 4.2.2 */
#define PART_BYTES 4096

struct exchange {
	const struct buf *message;
	struct buf *answer;
};

struct line {
	BIO *bio;
	int fd;
	const struct probe_deadline *deadline;
};

static int after_io(const struct line *line, bool reading, struct err *err)
{
	if (BIO_should_retry(line->bio))
		return probe_wait(line->deadline, line->fd, reading, err);
	ERR_clear_error();
	return err_set(err, ERR_TRANSIENT, "the connection ended before the answer");
}

static int send_all(const struct line *line, const unsigned char *data, size_t len,
		    struct err *err)
{
	while (len) {
		int n = BIO_write(line->bio, data, (int)len);

		if (n <= 0) {
			if (after_io(line, false, err))
				return -1;
			continue;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int receive(const struct line *line, size_t len, struct buf *out, struct err *err)
{
	unsigned char part[PART_BYTES];

	while (len) {
		int n = BIO_read(line->bio, part,
				 (int)(len < sizeof(part) ? len : sizeof(part)));

		if (n <= 0) {
			if (after_io(line, true, err))
				return -1;
			continue;
		}
		if (buf_append(out, part, (size_t)n))
			return err_set(err, ERR_REFUSED, "the answer is too long");
		len -= (size_t)n;
	}
	return 0;
}

static int receive_message(const struct line *line, struct buf *out, struct err *err)
{
	size_t len;

	buf_clear(out);
	if (receive(line, LENGTH_BYTES, out, err))
		return -1;
	len = (size_t)out->data[0] << 8 | out->data[1];
	buf_clear(out);
	return receive(line, len, out, err);
}

static int visit(void *ctx, int fd, const struct probe_deadline *deadline,
		 struct err *err)
{
	const struct exchange *exchange = ctx;
	size_t len = exchange->message->len;
	const unsigned char head[LENGTH_BYTES] = { (unsigned char)(len >> 8),
						   (unsigned char)len };
	struct line line = { BIO_new_socket(fd, BIO_NOCLOSE), fd, deadline };
	struct buf framed;
	int rc = -1;

	if (!line.bio)
		return err_openssl(err, "make a connection");
	buf_init(&framed, LENGTH_BYTES + len);
	buf_append(&framed, head, sizeof(head));
	buf_append(&framed, exchange->message->data, len);
	if (!send_all(&line, framed.data, framed.len, err))
		rc = receive_message(&line, exchange->answer, err);
	buf_release(&framed);
	BIO_free(line.bio);
	return rc;
}

int dns_exchange(const char *server, const struct buf *message, int64_t timeout_s,
		 const struct cancel *cancel, struct buf *answer, struct err *err)
{
	struct probe_deadline deadline = probe_deadline_in(timeout_s, cancel);
	struct exchange exchange = { message, answer };

	if (probe_each_address(server, &deadline, visit, &exchange, err))
		return err_wrap(err, "ask the name server '%s' by TCP", server);
	return 0;
}

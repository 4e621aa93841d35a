/* tls_connection.c - one handshake: bytes from the socket go into OpenSSL's memory, what
 * it answers goes out, and when it is done or has failed the connection is closed. */
#include "hooks/tls_listener.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "base/str.h"

#define MAX_CONNECTIONS 64
#define TIMEOUT_MS 5000
#define MAX_BYTES 32768
#define READ_BYTES 4096

struct connection {
	struct tls_connections *all;
	uv_tcp_t tcp;
	uv_timer_t timer;
	SSL *ssl;
	BIO *in, *out; /* the SSL's */
	size_t received, sent;
	size_t writing; /* outputs on their way */
	bool finishing; /* what is on its way out is the last */
	bool closing;
	int closed; /* of its two handles */
	char buffer[READ_BYTES];
};

struct output {
	uv_write_t request;
	struct connection *connection;
	char bytes[];
};

/* ---- its end --------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;

	if (++connection->closed < 2)
		return;
	connection->all->n--;
	SSL_free(connection->ssl);
	free(connection);
}

static void close_now(struct connection *connection)
{
	if (connection->closing)
		return;
	connection->closing = true;
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
	uv_close((uv_handle_t *)&connection->timer, on_closed);
}

bool tls_connection_close(uv_handle_t *handle)
{
	if (!handle->data)
		return false;
	close_now(handle->data);
	return true;
}

static void on_timeout(uv_timer_t *timer)
{
	close_now(timer->data);
}

/* ---- out ------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
	struct output *output = (struct output *)request;
	struct connection *connection = output->connection;

	free(output);
	connection->writing--;
	if (status || (connection->finishing && !connection->writing))
		close_now(connection);
}

/* Sends what OpenSSL has to say. */
static void flush(struct connection *connection)
{
	size_t n = BIO_ctrl_pending(connection->out);
	struct output *output;
	uv_buf_t buf;
	int got;

	if (!n) {
		if (connection->finishing && !connection->writing)
			close_now(connection);
		return;
	}
	if (n > MAX_BYTES - connection->sent) {
		close_now(connection);
		return;
	}
	output = mem_calloc(1, sizeof(*output) + n);
	output->connection = connection;
	got = BIO_read(connection->out, output->bytes, (int)n);
	connection->sent += n;
	buf = uv_buf_init(output->bytes, got > 0 ? (unsigned)got : 0);
	if (got <= 0 || uv_write(&output->request, (uv_stream_t *)&connection->tcp, &buf,
				 1, on_written)) {
		free(output);
		close_now(connection);
		return;
	}
	connection->writing++;
}

/* ---- in -------------------------------------------------------------------- */

/* The CA has seen the certificate, or somebody else an alert: nothing follows. */
static void finish(struct connection *connection, bool completed)
{
	connection->finishing = true;
	uv_read_stop((uv_stream_t *)&connection->tcp);
	if (completed)
		(void)SSL_shutdown(connection->ssl);
}

static void advance(struct connection *connection)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(connection->ssl);
	if (rc == 1)
		finish(connection, true);
	else if (SSL_get_error(connection->ssl, rc) != SSL_ERROR_WANT_READ)
		finish(connection, false);
	ERR_clear_error();
	flush(connection);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct connection *connection = handle->data;

	(void)suggested;
	*ret = uv_buf_init(connection->buffer, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *connection = stream->data;

	if (n == 0)
		return;
	if (n < 0 || (size_t)n > MAX_BYTES - connection->received ||
	    BIO_write(connection->in, buf->base, (int)n) != (int)n) {
		close_now(connection);
		return;
	}
	connection->received += (size_t)n;
	advance(connection);
}

/* ---- its beginning ---------------------------------------------------------- */

/* NULL: no memory for another handshake; the connection is closed then. */
static SSL *new_ssl(struct connection *connection)
{
	SSL *ssl = SSL_new(connection->all->ssl);

	connection->in = BIO_new(BIO_s_mem());
	connection->out = BIO_new(BIO_s_mem());
	if (!ssl || !connection->in || !connection->out) {
		SSL_free(ssl);
		BIO_free(connection->in);
		BIO_free(connection->out);
		return NULL;
	}
	SSL_set_bio(ssl, connection->in, connection->out);
	SSL_set_accept_state(ssl);
	return ssl;
}

void tls_connection_accept(struct tls_connections *all, uv_stream_t *listening)
{
	struct connection *connection = mem_calloc(1, sizeof(*connection));
	uv_loop_t *loop = listening->loop;

	connection->all = all;
	uv_timer_init(loop, &connection->timer);
	uv_tcp_init(loop, &connection->tcp);
	connection->timer.data = connection->tcp.data = connection;
	all->n++;
	if (uv_accept(listening, (uv_stream_t *)&connection->tcp) ||
	    all->n > MAX_CONNECTIONS || !(connection->ssl = new_ssl(connection)) ||
	    uv_timer_start(&connection->timer, on_timeout, TIMEOUT_MS, 0) ||
	    uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read))
		close_now(connection);
}

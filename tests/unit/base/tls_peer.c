#include "tls_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/files.h"
#include "tempdir.h"
#include "tests/support/testcert.h"

#define MAX_CONNECTIONS 32
#define DATE "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\n"

struct connection {
	struct tls_peer *peer;
	pthread_t thread;
	int fd;
};

struct tls_peer {
	char *dir, *bundle;
	unsigned port;
	int listener;
	SSL_CTX *ctx;
	pthread_t thread;
	atomic_bool stopping;
	atomic_int n;
	struct connection connections[MAX_CONNECTIONS];
};

static void say(SSL *ssl, const char *text)
{
	(void)SSL_write(ssl, text, (int)strlen(text));
}

static void answer(SSL *ssl, const char *status, const char *headers, const char *body)
{
	char *text = str_printf("HTTP/1.1 %s\r\n" DATE "%sContent-Length: %zu\r\n\r\n%s",
				status, headers, strlen(body), body);

	say(ssl, text);
	free(text);
}

static void redirect(SSL *ssl, int left)
{
	char *header = str_printf("Location: /redirect/%d\r\n", left - 1);

	answer(ssl, "302 Found", header, "elsewhere");
	free(header);
}

static void endless(SSL *ssl)
{
	static const char chunk[] = "10\r\nxxxxxxxxxxxxxxxx\r\n";
	int i;

	say(ssl, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (i = 0; i < 100000; i++)
		if (SSL_write(ssl, chunk, sizeof(chunk) - 1) <= 0)
			return;
}

static void many_headers(SSL *ssl)
{
	int i;

	say(ssl, "HTTP/1.1 200 OK\r\n");
	for (i = 0; i < 200; i++)
		say(ssl, "X-More: more\r\n");
	say(ssl, "Content-Length: 0\r\n\r\n");
}

static void hang(const struct tls_peer *peer)
{
	while (!peer->stopping)
		usleep(20000);
}

/* Answers one request; false: the connection is to be closed. */
static bool serve(struct tls_peer *peer, SSL *ssl, const char *method, const char *path)
{
	static const char nonce[] = "Replay-Nonce:   abc \r\n";

	if (str_equal(path, "/hello") || str_equal(path, "/redirect/0")) {
		if (str_equal(method, "HEAD"))
			say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
		else
			answer(ssl, "200 OK", nonce, "hello");
	} else if (str_equal(path, "/echo")) {
		answer(ssl, "200 OK", "", "POST {}");
	} else if (str_equal(path, "/500")) {
		answer(ssl, "500 Internal Server Error", "", "broken");
	} else if (str_equal(path, "/then-close")) {
		answer(ssl, "200 OK", "", "bye");
		return false;
	} else if (str_starts(path, "/redirect/")) {
		redirect(ssl, (int)strtol(path + strlen("/redirect/"), NULL, 10));
	} else if (str_equal(path, "/to-plain")) {
		answer(ssl, "302 Found", "Location: http://127.0.0.1:1/\r\n", "");
	} else if (str_equal(path, "/large")) {
		say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx");
		return false;
	} else if (str_equal(path, "/endless")) {
		endless(ssl);
		return false;
	} else if (str_equal(path, "/many-headers")) {
		many_headers(ssl);
	} else if (str_equal(path, "/truncated")) {
		say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
		return false;
	} else {
		hang(peer);
		return false;
	}
	return true;
}

/* Reads one request and its body of "{}"; false at the end. */
static bool read_request(SSL *ssl, char *text, size_t size)
{
	size_t len = 0;
	char *end;
	int n;

	while (len + 1 < size) {
		n = SSL_read(ssl, text + len, (int)(size - 1 - len));
		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (end && (!str_starts(text, "POST") || strstr(end, "{}")))
			return true;
	}
	return false;
}

static void *run_connection(void *arg)
{
	struct connection *connection = arg;
	SSL *ssl = SSL_new(connection->peer->ctx);
	char text[8192], method[16], path[256];

	SSL_set_fd(ssl, connection->fd);
	if (SSL_accept(ssl) == 1)
		while (read_request(ssl, text, sizeof(text)) &&
		       sscanf(text, "%15s %255s", method, path) == 2 &&
		       serve(connection->peer, ssl, method, path))
			;
	SSL_shutdown(ssl);
	SSL_free(ssl);
	shutdown(connection->fd, SHUT_RDWR);
	return NULL;
}

static void *run_peer(void *arg)
{
	struct tls_peer *peer = arg;
	struct connection *connection;
	int fd;

	while ((fd = accept(peer->listener, NULL, NULL)) >= 0) {
		if (peer->stopping || peer->n == MAX_CONNECTIONS) {
			close(fd);
			break;
		}
		connection = &peer->connections[peer->n];
		connection->peer = peer;
		connection->fd = fd;
		if (pthread_create(&connection->thread, NULL, run_connection, connection))
			abort();
		peer->n++;
	}
	return NULL;
}

static SSL_CTX *context(struct tls_peer *peer)
{
	struct testcert *ca = testcert_ca("Test Root");
	struct testcert *leaf = testcert_new(&(struct testcert_spec){
		.issuer = ca, .ips = (const char *const[]){ "127.0.0.1", NULL } });
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char *pem = testcert_pem(ca);

	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_use_certificate(ctx, leaf->x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, leaf->key), 1);
	put(peer->bundle, pem, 0644);
	free(pem);
	testcert_free(leaf);
	testcert_free(ca);
	return ctx;
}

struct tls_peer *tls_peer_start(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct tls_peer *peer = mem_calloc(1, sizeof(*peer));
	socklen_t len = sizeof(at);

	signal(SIGPIPE, SIG_IGN);
	peer->dir = tempdir_new();
	peer->bundle = path_join(peer->dir, "ca.pem");
	peer->ctx = context(peer);
	peer->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(peer->listener >= 0);
	assert_int_equal(bind(peer->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(peer->listener, 16), 0);
	assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&at, &len), 0);
	peer->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&peer->thread, NULL, run_peer, peer), 0);
	return peer;
}

void tls_peer_stop(struct tls_peer *peer)
{
	int i;

	peer->stopping = true;
	shutdown(peer->listener, SHUT_RDWR); /* wakes accept() */
	pthread_join(peer->thread, NULL);
	close(peer->listener);
	for (i = 0; i < peer->n; i++) {
		shutdown(peer->connections[i].fd, SHUT_RDWR);
		pthread_join(peer->connections[i].thread, NULL);
		close(peer->connections[i].fd);
	}
	SSL_CTX_free(peer->ctx);
	tempdir_free(peer->dir);
	free(peer->bundle);
	free(peer);
}

const char *tls_peer_bundle(const struct tls_peer *peer)
{
	return peer->bundle;
}

unsigned tls_peer_port(const struct tls_peer *peer)
{
	return peer->port;
}

int tls_peer_connections(struct tls_peer *peer)
{
	return peer->n;
}

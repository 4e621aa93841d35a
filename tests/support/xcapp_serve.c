/* xcapp_serve.c - the application's listener: HTTP or HTTPS, one thread a connection.
 */
#include "xcapp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CONNECTION_TIMEOUT_S 10
#define REQUEST_BYTES 4096

struct connection {
	int fd;
	SSL *ssl; /* NULL: plain HTTP */
};

int serve_listen(int port, bool localhost, char why[XCAPP_WORDS])
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	address.sin_port = htons((uint16_t)port);
	address.sin_addr.s_addr = htonl(localhost ? INADDR_LOOPBACK : INADDR_ANY);
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	    !bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 64))
		return fd;
	snprintf(why, XCAPP_WORDS, "port %d: %s", port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int read_some(struct connection *c, char *to, size_t size)
{
	if (c->ssl)
		return SSL_read(c->ssl, to, (int)size);
	return (int)recv(c->fd, to, size, 0);
}

static void write_all(struct connection *c, const char *text, size_t len)
{
	if (c->ssl)
		SSL_write(c->ssl, text, (int)len);
	else
		send(c->fd, text, len, MSG_NOSIGNAL);
}

static void answer(struct connection *c, const char *status, const char *body)
{
	char text[512];
	int len = snprintf(text, sizeof(text),
			   "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
			   "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
			   status, strlen(body), body);

	write_all(c, text, (size_t)len);
}

static void serve_request(struct connection *c)
{
	char request[REQUEST_BYTES + 1];
	size_t have = 0;
	int n;

	do {
		n = read_some(c, request + have, REQUEST_BYTES - have);
		if (n <= 0)
			return;
		have += (size_t)n;
		request[have] = '\0';
	} while (have < REQUEST_BYTES && !strstr(request, "\r\n\r\n"));
	if (!strncmp(request, "GET /version ", 13))
		answer(c, "200 OK", "{\"version\":\"6.8.1.2\"}");
	else
		answer(c, "404 Not Found", "{\"error\":\"not found\"}");
}

static void *connection_thread(void *arg)
{
	struct connection *c = arg;

	if (!c->ssl || SSL_accept(c->ssl) == 1)
		serve_request(c);
	if (c->ssl)
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	close(c->fd);
	free(c);
	return NULL;
}

void serve_connection(int fd, SSL_CTX *ctx)
{
	struct timeval timeout = { .tv_sec = CONNECTION_TIMEOUT_S };
	struct connection *c = calloc(1, sizeof(*c));
	pthread_t thread;

	if (!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (ctx) {
		c->ssl = SSL_new(ctx);
		if (c->ssl)
			SSL_set_fd(c->ssl, fd);
	}
	if ((ctx && !c->ssl) || pthread_create(&thread, NULL, connection_thread, c)) {
		SSL_free(c->ssl);
		close(fd);
		free(c);
		return;
	}
	pthread_detach(thread);
}

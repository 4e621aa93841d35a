/* serve.c - the application's listener: HTTP or HTTPS, one thread a connection. */
#include "app.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTION_TIMEOUT_MS 10000
#define BIND_TRIES 20
#define REQUEST_BYTES 4096

struct connection {
	const struct app *app;
	SOCKET socket;
	SSL *ssl; /* NULL: plain HTTP */
};

static bool try_to_listen(SOCKET s, int port, bool localhost)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	BOOL yes = TRUE;

	address.sin_port = htons((u_short)port);
	address.sin_addr.s_addr = htonl(localhost ? INADDR_LOOPBACK : INADDR_ANY);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, (const char *)&yes, sizeof(yes));
	return !bind(s, (struct sockaddr *)&address, sizeof(address)) && !listen(s, 64);
}

enum app_exit serve_listen(struct app *app)
{
	int port = app->tls ? app->secure_port : app->insecure_port, i;

	for (i = 0; i < BIND_TRIES; i++) {
		app->listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
		if (try_to_listen(app->listener, port, app->localhost))
			return APP_RUNS;
		snprintf(app->why, APP_WORDS, "port %d: error %d", port,
			 WSAGetLastError());
		closesocket(app->listener);
		Sleep(100);
	}
	return APP_NO_PORT;
}

static int read_some(struct connection *c, char *to, int size)
{
	return c->ssl ? SSL_read(c->ssl, to, size) : recv(c->socket, to, size, 0);
}

static void write_all(struct connection *c, const char *text)
{
	int len = (int)strlen(text);

	if (c->ssl)
		SSL_write(c->ssl, text, len);
	else
		send(c->socket, text, len, 0);
}

static void answer(struct connection *c, const char *status, const char *body)
{
	char head[256];

	snprintf(head, sizeof(head),
		 "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
		 "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		 status, strlen(body));
	write_all(c, head);
	write_all(c, body);
}

static void serve_request(struct connection *c)
{
	char request[REQUEST_BYTES + 1], *runs;
	int have = 0, n;

	do {
		n = read_some(c, request + have, REQUEST_BYTES - have);
		if (n <= 0)
			return;
		have += n;
		request[have] = '\0';
	} while (have < REQUEST_BYTES && !strstr(request, "\r\n\r\n"));
	runs = settings_file(c->app, L"extractions.json");
	if (!strncmp(request, "GET /version ", 13))
		answer(c, "200 OK", "{\"version\":\"6.8.1.2\"}");
	else if (!strncmp(request, "GET /logs/extractions", 21) && runs)
		answer(c, "200 OK", runs);
	else
		answer(c, "404 Not Found", "{\"error\":\"not found\"}");
	free(runs);
}

static DWORD WINAPI connection_thread(void *arg)
{
	struct connection *c = arg;

	if (!c->ssl || SSL_accept(c->ssl) == 1)
		serve_request(c);
	if (c->ssl)
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	shutdown(c->socket, SD_SEND);
	closesocket(c->socket);
	free(c);
	return 0;
}

static void serve_connection(const struct app *app, SOCKET s)
{
	DWORD timeout = CONNECTION_TIMEOUT_MS;
	struct connection *c = calloc(1, sizeof(*c));
	HANDLE thread;

	if (!c) {
		closesocket(s);
		return;
	}
	c->app = app;
	c->socket = s;
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (const char *)&timeout, sizeof(timeout));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, (const char *)&timeout, sizeof(timeout));
	if (app->ctx) {
		c->ssl = SSL_new(app->ctx);
		SSL_set_fd(c->ssl, (int)s);
	}
	thread = CreateThread(NULL, 0, connection_thread, c, 0, NULL);
	if (thread)
		CloseHandle(thread);
}

void serve(struct app *app)
{
	for (;;) {
		SOCKET s = accept(app->listener, NULL, NULL);

		if (s == INVALID_SOCKET)
			return;
		serve_connection(app, s);
	}
}

/* http_server.h - a small, bounded HTTP server on its own thread: the http-01 responder.
 *
 * GET and HEAD only, 64 connections, 5 s timeouts, request line and headers up to 8 KiB.
 * libmicrohttpd here (posix/), http.sys on Windows. */
#ifndef BASE_HTTP_SERVER_H
#define BASE_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/buf.h"

struct http_server;

/* Answers `path` (decoded, starts with '/') sent to `host` (the Host header, may be
 * NULL): returns the status and appends the body to `body`. Called on the server's
 * thread. */
typedef unsigned http_server_answer(void *ctx, const char *path, const char *host,
				    struct buf *body);

/* Serves what is below `prefix` ("/.well-known/acme-challenge/"; 404 for the rest) on
 * `listen`: ":80" (every address, IPv4 and IPv6; a machine without IPv6 is
 * fine), "127.0.0.1:8080", "[::1]:8080". Gives *ret; keeps ctx until stopped.
 * Fails   ERR_TRANSIENT "port 80 is taken by 'nginx' (process 812)", or without the name
 *         when the system does not tell; ERR_DENIED; ERR_CONFIG for a bad address. */
int http_server_start(const char *listen, const char *prefix, http_server_answer *answer,
		      void *ctx, struct http_server **ret, struct err *err);

/* Stops listening and waits for the thread. NULL is fine. */
void http_server_stop(struct http_server *server);

/* Who listens on this port: "'nginx' (process 812)". Gives; NULL when nobody does or the
 * system does not tell. */
char *port_owner(unsigned port);

/* Does the system say that nobody listens on this port? False also when it does not
 * tell. */
bool port_is_silent(unsigned port);

#endif

/* http_server.c - libmicrohttpd on a socket of our own making.
 *
 * The library says only that it did not start. We open and bind the socket ourselves, so
 * that the operator hears which port is taken by whom. ":80" is one socket for IPv6 and
 * IPv4 both; on a machine without IPv6 it is an IPv4 socket. */
#include "base/http_server.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/str.h"

#define MAX_CONNECTIONS 64
#define TIMEOUT_S 5
#define MAX_BODY_BYTES 65536
#define BACKLOG 64
/* What the library has for one connection: 8 KiB of request and room for its answer. */
#define CONNECTION_BYTES (10 * 1024)

struct http_server {
	http_server_answer *answer;
	void *ctx;
	char *prefix;
	struct MHD_Daemon *daemon;
};

/* ---- listening ----------------------------------------------------------- */

struct place_to_listen {
	char *host; /* NULL: every address */
	char *port;
};

static void place_to_listen_release(struct place_to_listen *at)
{
	free(at->host);
	free(at->port);
}

static bool is_port(const char *text)
{
	return strspn(text, "0123456789") == strlen(text) && *text && strlen(text) <= 5 &&
	       strtol(text, NULL, 10) >= 1 && strtol(text, NULL, 10) <= 65535;
}

/* ":80", "127.0.0.1:80", "[::1]:80" */
static int parse_listen(const char *listen, struct place_to_listen *ret, struct err *err)
{
	const char *colon = strrchr(listen, ':'), *end;
	bool brackets = *listen == '[';

	*ret = (struct place_to_listen){ 0 };
	end = colon && colon > listen ? colon - brackets : colon;
	if (!colon || !is_port(colon + 1) ||
	    (brackets && (end <= listen || *end != ']')) ||
	    (!brackets && memchr(listen, ':', (size_t)(colon - listen))))
		return err_set(err, ERR_CONFIG,
			       "cannot listen on '%s': expected ':80', '127.0.0.1:80' or "
			       "'[::1]:80'",
			       listen);
	ret->port = str_dup(colon + 1);
	if (colon > listen)
		ret->host = str_ndup(listen + brackets,
				     (size_t)(end - listen) - brackets);
	return 0;
}

/* Says why bind() would not. */
static int say_not_bound(const char *listen, const char *port, struct err *err)
{
	int code = errno;
	char *owner;

	switch (code) {
	case EADDRINUSE:
		owner = port_owner((unsigned)strtoul(port, NULL, 10));
		err_set(err, ERR_TRANSIENT, "port %s is taken%s%s", port,
			owner ? " by " : "", owner ? owner : " by another program");
		free(owner);
		return -1;
	case EACCES:
	case EPERM:
		return err_set(err, ERR_DENIED,
			       "may not listen on '%s': ports below 1024 need "
			       "CAP_NET_BIND_SERVICE",
			       listen);
	case EADDRNOTAVAIL:
		return err_set(err, ERR_CONFIG,
			       "cannot listen on '%s': this machine has no such address",
			       listen);
	default:
		return err_os(err, "listen on '%s'", listen);
	}
}

/* A bound and listening socket; -1 and errno. */
static int open_socket(const struct addrinfo *address, bool both_families)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	int on = 1, v6_only = !both_families, saved;

	if (fd < 0)
		return -1;
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
	    (address->ai_family != AF_INET6 ||
	     !setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only))) &&
	    !bind(fd, address->ai_addr, address->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool no_such_family(int code)
{
	return code == EAFNOSUPPORT || code == EADDRNOTAVAIL || code == EPROTONOSUPPORT;
}

/* Opens one socket for `host`, or for everything. -1 and errno; EAI codes as EINVAL. */
static int open_at(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_family = host ? AF_UNSPEC : AF_INET6,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV |
					      AI_PASSIVE };
	struct addrinfo *found = NULL;
	int fd = -1;

	if (getaddrinfo(host, port, &hints, &found)) {
		errno = EINVAL;
		return -1;
	}
	fd = open_socket(found, !host);
	freeaddrinfo(found);
	if (fd < 0 && !host && no_such_family(errno))
		return open_at("0.0.0.0", port);
	return fd;
}

static int open_listener(const char *listen, int *ret_fd, struct err *err)
{
	struct place_to_listen at;
	int fd, rc = -1;

	if (parse_listen(listen, &at, err))
		return -1;
	assert(at.port);
	fd = open_at(at.host, at.port);
	if (fd < 0 && errno == EINVAL)
		err_set(err, ERR_CONFIG, "cannot listen on '%s': '%s' is no IP address",
			listen, at.host ? at.host : "");
	else if (fd < 0)
		say_not_bound(listen, at.port, err);
	else
		rc = 0;
	*ret_fd = fd;
	place_to_listen_release(&at);
	return rc;
}

/* ---- answering ----------------------------------------------------------- */

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status,
			       const struct buf *body)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		body->len, (void *)buf_str(body), MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				"text/plain; charset=utf-8");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	rc = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection,
				  const char *path, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_len, void **request)
{
	struct http_server *server = ctx;
	unsigned status = MHD_HTTP_METHOD_NOT_ALLOWED;
	enum MHD_Result rc;
	struct buf body;

	(void)version;
	(void)upload;
	(void)upload_len;
	(void)request;
	buf_init(&body, MAX_BODY_BYTES);
	if (!str_starts(path, server->prefix))
		status = MHD_HTTP_NOT_FOUND;
	else if (str_equal(method, MHD_HTTP_METHOD_GET) ||
		 str_equal(method, MHD_HTTP_METHOD_HEAD))
		status = server->answer(server->ctx, path,
					MHD_lookup_connection_value(connection,
								    MHD_HEADER_KIND,
								    MHD_HTTP_HEADER_HOST),
					&body);
	if (!buf_ok(&body) || status < 200 || status > 599) {
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		buf_clear(&body);
	}
	rc = respond(connection, status, &body);
	buf_release(&body);
	return rc;
}

int http_server_start(const char *listen, const char *prefix, http_server_answer *answer,
		      void *ctx, struct http_server **ret, struct err *err)
{
	struct http_server *server;
	int fd;

	if (open_listener(listen, &fd, err))
		return -1;
	server = mem_calloc(1, sizeof(*server));
	server->answer = answer;
	server->ctx = ctx;
	server->prefix = str_dup(prefix);
	server->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_USE_ITC, 0, NULL,
		NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_END);
	if (!server->daemon) {
		/* It may have closed the socket or not: better to lose one descriptor
		 * than to close a stranger's. */
		free(server->prefix);
		free(server);
		return err_set(err, ERR_IO, "cannot start a server on '%s'", listen);
	}
	*ret = server;
	return 0;
}

void http_server_stop(struct http_server *server)
{
	int fd;

	if (!server)
		return;
	fd = MHD_quiesce_daemon(server->daemon);
	MHD_stop_daemon(server->daemon); /* waits for the thread */
	if (fd >= 0) {
		/* A child that was forked meanwhile has it too, until its exec: only
		 * this frees the port at once. */
		(void)shutdown(fd, SHUT_RDWR);
		close(fd);
	}
	free(server->prefix);
	free(server);
}

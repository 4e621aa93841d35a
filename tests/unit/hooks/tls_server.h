/* tls_server.h - a server on loopback for tests of the probe: TLS with a certificate, or
 * one of the things that are found on ports instead. Its own thread. Header only: tests
 * are single files. */
#ifndef TESTS_UNIT_HOOKS_TLS_SERVER_H
#define TESTS_UNIT_HOOKS_TLS_SERVER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "tests/support/testcert.h"

enum manner {
	SERVES_TLS,
	SERVES_TEXT, /* says `text` and closes, whatever it is asked */
	HANGS,       /* accepts and says nothing */
	HANGS_UP,    /* accepts and closes */
};

struct tls_server {
	enum manner manner;
	const struct testcert *cert; /* what it serves; may be changed while it runs */
	bool with_chain;             /* and its intermediates */
	const char *sni;             /* for this name only... */
	const struct testcert *sni_cert; /* ...this one */
	bool wants_client_certificate;
	int max_version;   /* 0: the newest */
	const char *text;  /* SERVES_TLS too: its answer to the first request */
	const char *until; /* it has heard enough once it has heard this */
	bool ipv6;
	atomic_int serve_other;       /* after so many connections... */
	const struct testcert *other; /* ...this one */

	atomic_int connections;
	atomic_int bytes; /* that an application would have seen */
	atomic_bool stop;
	char request[4096]; /* the last one; read it when the server is stopped */
	int fd, held;
	char connect[64];
	pthread_t thread;
};

static inline int choose_by_sni(SSL *ssl, int *alert, void *arg)
{
	struct tls_server *server = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	if (server->sni && name && !strcmp(name, server->sni)) {
		SSL_use_certificate(ssl, server->sni_cert->x509);
		SSL_use_PrivateKey(ssl, server->sni_cert->key);
	}
	return SSL_TLSEXT_ERR_OK;
}

static inline SSL_CTX *server_context(struct tls_server *server)
{
	int other_from = atomic_load(&server->serve_other);
	const struct testcert *cert = other_from && atomic_load(&server->connections) >
							      other_from
					      ? server->other
					      : server->cert;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	if (server->max_version)
		SSL_CTX_set_max_proto_version(ctx, server->max_version);
	if (cert) {
		SSL_CTX_use_certificate(ctx, cert->x509);
		SSL_CTX_use_PrivateKey(ctx, cert->key);
		for (int i = 0; server->with_chain && i < sk_X509_num(cert->above); i++)
			SSL_CTX_add1_chain_cert(ctx, sk_X509_value(cert->above, i));
	}
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_tlsext_servername_callback(ctx, choose_by_sni);
	SSL_CTX_set_tlsext_servername_arg(ctx, server);
	if (server->wants_client_certificate)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	return ctx;
}

/* Notes what was heard; is that the whole request? */
static inline bool heard(struct tls_server *server, const char *data, int n)
{
	size_t len = strlen(server->request);

	snprintf(server->request + len, sizeof(server->request) - len, "%.*s", n, data);
	return !server->until || strstr(server->request, server->until);
}

static inline void serve_tls(struct tls_server *server, int fd)
{
	SSL_CTX *ctx = server_context(server);
	SSL *ssl = SSL_new(ctx);
	char data[256];
	int n;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		while ((n = SSL_read(ssl, data, sizeof(data))) > 0) {
			atomic_fetch_add(&server->bytes, n);
			if (!server->text || !heard(server, data, n))
				continue;
			SSL_write(ssl, server->text, (int)strlen(server->text));
			SSL_shutdown(ssl);
			break;
		}
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static inline void serve_text(struct tls_server *server, int fd)
{
	char data[4096];
	ssize_t n;

	do {
		n = recv(fd, data, sizeof(data), 0);
	} while (n > 0 && !heard(server, data, (int)n));
	if (n > 0)
		(void)!send(fd, server->text, strlen(server->text), MSG_NOSIGNAL);
}

static inline void serve_one(struct tls_server *server, int fd)
{
	struct timeval limit = { .tv_sec = 5 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	atomic_fetch_add(&server->connections, 1);
	server->request[0] = '\0';
	switch (server->manner) {
	case SERVES_TLS:
		serve_tls(server, fd);
		break;
	case SERVES_TEXT:
		serve_text(server, fd);
		break;
	case HANGS:
		if (server->held >= 0)
			close(server->held);
		server->held = fd;
		return;
	case HANGS_UP:
		break;
	}
	close(fd);
}

static inline void *server_loop(void *arg)
{
	struct tls_server *server = arg;
	struct pollfd waiting = { .fd = server->fd, .events = POLLIN };
	int fd;

	while (!atomic_load(&server->stop)) {
		if (poll(&waiting, 1, 20) != 1)
			continue;
		fd = accept(server->fd, NULL, NULL);
		if (fd >= 0)
			serve_one(server, fd);
	}
	return NULL;
}

/* Binds a free port of loopback and fills `connect`; connections are refused until
 * somebody listens. */
static inline int server_bind(struct tls_server *server)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *address = server->ipv6 ? (struct sockaddr *)&six
						: (struct sockaddr *)&four;
	socklen_t len = server->ipv6 ? sizeof(six) : sizeof(four);

	server->held = -1;
	server->fd = socket(address->sa_family,
			    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0 || bind(server->fd, address, len) ||
	    getsockname(server->fd, address, &len))
		return -1;
	snprintf(server->connect, sizeof(server->connect), "%s:%u",
		 server->ipv6 ? "[::1]" : "127.0.0.1",
		 ntohs(server->ipv6 ? six.sin6_port : four.sin_port));
	return 0;
}

static inline void server_start(struct tls_server *server)
{
	assert_int_equal(server_bind(server), 0);
	assert_int_equal(listen(server->fd, 16), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, server_loop, server), 0);
}

static inline void server_stop(struct tls_server *server)
{
	atomic_store(&server->stop, true);
	pthread_join(server->thread, NULL);
	close(server->fd);
	if (server->held >= 0)
		close(server->held);
}

#endif

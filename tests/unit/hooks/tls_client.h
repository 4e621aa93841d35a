/* tls_client.h - a client on loopback for tests of the TLS listener: one handshake, and
 * how it ended. Header only: tests are single files. */
#ifndef TESTS_UNIT_HOOKS_TLS_CLIENT_H
#define TESTS_UNIT_HOOKS_TLS_CLIENT_H

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "tests/support/testcert.h"

#define ACME                                                                             \
	"\x0a"                                                                           \
	"acme-tls/1"
#define HTTP                                                                             \
	"\x08"                                                                           \
	"http/1.1"

/* ---- addresses -------------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static inline socklen_t loopback(int family, unsigned port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->any.sa_family = (sa_family_t)family;
	if (family == AF_INET6) {
		ret->v6.sin6_addr = in6addr_loopback;
		ret->v6.sin6_port = htons((uint16_t)port);
		return sizeof(ret->v6);
	}
	ret->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ret->v4.sin_port = htons((uint16_t)port);
	return sizeof(ret->v4);
}

/* A socket that listens somewhere on loopback. */
static inline int take_port(unsigned *ret_port)
{
	union address address;
	socklen_t len = loopback(AF_INET, 0, &address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, &address.any, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, &address.any, &len), 0);
	*ret_port = ntohs(address.v4.sin_port);
	return fd;
}

/* -1 when nobody listens. */
static inline int connect_to(int family, unsigned port)
{
	union address address;
	socklen_t len = loopback(family, port, &address);
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd >= 0 && connect(fd, &address.any, len)) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline bool has_ipv6(void)
{
	union address address;
	socklen_t len = loopback(AF_INET6, 0, &address);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && !bind(fd, &address.any, len);

	if (fd >= 0)
		close(fd);
	return has;
}

/* Is the connection closed by the peer within that time? What comes before is skipped. */
static inline bool is_closed(int fd, int within_ms)
{
	int64_t until = clock_mono_ms() + within_ms;
	char bytes[512];

	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		int64_t left = until - clock_mono_ms();

		if (left <= 0 || poll(&wait, 1, (int)left) != 1)
			return false;
		if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
			return true;
	}
}

/* ---- a client ---------------------------------------------------------------- */

struct client {
	int family; /* 0: IPv4 */
	const char *server_name, *protocols;
	int version; /* 0: any */
};

enum { CERTIFICATE = -1, CLOSED = -2 }; /* else the alert that was sent */

/* The number of the alert that the peer sent, if that ended the handshake. */
static inline int alert_of(void)
{
	int reason = ERR_GET_REASON(ERR_peek_error());

	return reason > SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET : CLOSED;
}

/* One handshake: CERTIFICATE when it was completed with `expected`, by acme-tls/1. */
static inline int shake(unsigned port, const struct client *client,
			const struct testcert *expected)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int fd = connect_to(client->family ? client->family : AF_INET, port), rc;
	const unsigned char *protocol;
	SSL *ssl = SSL_new(ctx);
	unsigned n;
	char byte;

	assert_true(fd >= 0);
	ERR_clear_error();
	if (client->version) {
		SSL_set_security_level(ssl, 0);
		SSL_set_min_proto_version(ssl, client->version);
		SSL_set_max_proto_version(ssl, client->version);
	}
	if (client->protocols)
		SSL_set_alpn_protos(ssl, (const unsigned char *)client->protocols,
				    (unsigned)strlen(client->protocols));
	if (client->server_name)
		SSL_set_tlsext_host_name(ssl, client->server_name);
	SSL_set_fd(ssl, fd);
	rc = SSL_connect(ssl) == 1 ? CERTIFICATE : alert_of();
	if (rc == CERTIFICATE) {
		SSL_get0_alpn_selected(ssl, &protocol, &n);
		assert_int_equal(n, 10);
		assert_memory_equal(protocol, "acme-tls/1", 10);
		assert_int_equal(X509_cmp(SSL_get0_peer_certificate(ssl), expected->x509),
				 0);
		assert_int_equal(SSL_read(ssl, &byte, 1), 0); /* and no more is said */
		assert_int_equal(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return rc;
}

#endif

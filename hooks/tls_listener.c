#include "hooks/tls_listener.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "base/http_server.h"
#include "base/str.h"

#define ALPN "acme-tls/1"
#define BACKLOG 64

struct tls_listener {
	tls_listener_pick *pick;
	void *ctx;
	struct tls_connections connections;
	uv_loop_t loop;
	uv_tcp_t tcp;
	uv_async_t stop; /* all that another thread may touch while it runs */
	uv_thread_t thread;
};

/* ---- what is answered ------------------------------------------------------ */

/* OpenSSL asks on_alpn() only when something was offered. */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *data;
	size_t n;

	(void)arg;
	if (SSL_client_hello_get0_ext(
		    ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &data, &n))
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	return SSL_CLIENT_HELLO_ERROR;
}

static int on_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_n,
		   const unsigned char *offered, unsigned n, void *arg)
{
	const unsigned char *end = offered + n;

	(void)ssl;
	(void)arg;
	while (offered < end && *offered < end - offered) {
		if (*offered == strlen(ALPN) &&
		    !memcmp(offered + 1, ALPN, strlen(ALPN))) {
			*ret = offered + 1;
			*ret_n = *offered;
			return SSL_TLSEXT_ERR_OK;
		}
		offered += 1 + *offered;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol */
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls_listener *listener = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	if (name && listener->pick(listener->ctx, name, ssl))
		return SSL_TLSEXT_ERR_OK;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* RFC 8737 4: TLS 1.2 or higher, and no application protocol behind it. */
static int make_context(struct tls_listener *listener, struct err *err)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());

	listener->connections.ssl = ssl;
	if (!ssl || !SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) ||
	    !SSL_CTX_set_num_tickets(ssl, 0))
		return err_openssl(err, "prepare to answer tls-alpn-01");
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_client_hello_cb(ssl, on_hello, NULL);
	SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
	SSL_CTX_set_tlsext_servername_callback(ssl, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(ssl, listener);
	return 0;
}

/* ---- where ----------------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct place {
	union address address;
	int port;
	bool everywhere; /* no address was said: `::`, which is both families */
};

/* ":443", "127.0.0.1:443", "[::1]:443" */
static int parse_listen(const char *listen, struct place *ret, struct err *err)
{
	const char *colon = strrchr(listen, ':');
	size_t n = colon ? (size_t)(colon - listen) : 0;
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	bool brackets = n > 2 && listen[0] == '[' && listen[n - 1] == ']';
	char host[64] = "::";

	ret->everywhere = colon == listen;
	if (brackets && n - 2 < sizeof(host))
		str_copy(host, n - 1, listen + 1);
	else if (n && n < sizeof(host))
		str_copy(host, n + 1, listen);
	ret->port = 0;
	if (digits && digits <= 5 && !colon[1 + digits])
		ret->port = (int)strtol(colon + 1, NULL, 10);
	if (ret->port < 1 || ret->port > 65535 || n >= sizeof(host) ||
	    (brackets || ret->everywhere
		     ? uv_ip6_addr(host, ret->port, &ret->address.v6)
		     : uv_ip4_addr(host, ret->port, &ret->address.v4)))
		return err_set(err, ERR_CONFIG,
			       "cannot listen on '%s': expected ':443', "
			       "'127.0.0.1:443' or '[::1]:443'",
			       listen);
	return 0;
}

static int say_not_bound(int code, const char *listen, int port, struct err *err)
{
	char *owner;

	switch (code) {
	case UV_EADDRINUSE:
		owner = port_owner((unsigned)port);
		err_set(err, ERR_TRANSIENT, "port %d is taken by %s", port,
			owner ? owner : "another program");
		free(owner);
		return -1;
	case UV_EACCES:
	case UV_EPERM:
		return err_set(err, ERR_DENIED,
			       "may not listen on '%s': ports below 1024 need "
			       "CAP_NET_BIND_SERVICE, or an administrator",
			       listen);
	case UV_EADDRNOTAVAIL:
		return err_set(err, ERR_CONFIG,
			       "cannot listen on '%s': this machine has no such address",
			       listen);
	default:
		return err_set(err, ERR_IO, "listen on '%s': %s", listen,
			       uv_strerror(code));
	}
}

/* ---- its thread ------------------------------------------------------------- */

static void on_connection(uv_stream_t *tcp, int status)
{
	struct tls_listener *listener = tcp->loop->data;

	if (!status)
		tls_connection_accept(&listener->connections, tcp);
}

/* Our own two handles have no data; the others are a connection's. */
static void end_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!tls_connection_close(handle) && !uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void on_stop(uv_async_t *stop)
{
	uv_walk(stop->loop, end_handle, NULL);
}

static void run(void *arg)
{
	struct tls_listener *listener = arg;

	(void)uv_run(&listener->loop, UV_RUN_DEFAULT); /* until all handles are closed */
	OPENSSL_thread_stop();
}

/* 0, or libuv's code. What was made is a handle of the loop, and closed with it. */
static int bind_and_listen(struct tls_listener *listener, const struct place *place)
{
	int rc = uv_tcp_init(&listener->loop, &listener->tcp);

	if (!rc)
		rc = uv_tcp_bind(&listener->tcp, &place->address.any, 0);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
	if (rc)
		uv_close((uv_handle_t *)&listener->tcp, NULL);
	(void)uv_run(&listener->loop, UV_RUN_NOWAIT); /* so that it is closed */
	return rc;
}

static bool lacks_ipv6(int code)
{
	return code == UV_EAFNOSUPPORT || code == UV_EADDRNOTAVAIL ||
	       code == UV_EPROTONOSUPPORT;
}

static int start(struct tls_listener *listener, const char *listen, struct err *err)
{
	struct place place;
	int rc;

	if (parse_listen(listen, &place, err))
		return -1;
	rc = bind_and_listen(listener, &place);
	if (rc && place.everywhere && lacks_ipv6(rc)) {
		(void)uv_ip4_addr("0.0.0.0", place.port, &place.address.v4);
		rc = bind_and_listen(listener, &place);
	}
	if (rc)
		return say_not_bound(rc, listen, place.port, err);
	rc = uv_async_init(&listener->loop, &listener->stop, on_stop);
	if (!rc)
		rc = uv_thread_create(&listener->thread, run, listener);
	return rc ? err_set(err, ERR_IO, "start to listen on '%s': %s", listen,
			    uv_strerror(rc))
		  : 0;
}

static void release(struct tls_listener *listener)
{
	(void)uv_loop_close(&listener->loop);
	SSL_CTX_free(listener->connections.ssl);
	free(listener);
}

int tls_listener_start(const char *listen, tls_listener_pick *pick, void *ctx,
		       struct tls_listener **ret, struct err *err)
{
	struct tls_listener *listener = mem_calloc(1, sizeof(*listener));

	listener->pick = pick;
	listener->ctx = ctx;
	if (uv_loop_init(&listener->loop))
		abort(); /* out of memory or of descriptors */
	listener->loop.data = listener;
	if (make_context(listener, err) || start(listener, listen, err)) {
		uv_walk(&listener->loop, end_handle, NULL);
		(void)uv_run(&listener->loop, UV_RUN_DEFAULT);
		release(listener);
		return -1;
	}
	*ret = listener;
	return 0;
}

void tls_listener_stop(struct tls_listener *listener)
{
	if (!listener)
		return;
	(void)uv_async_send(&listener->stop);
	(void)uv_thread_join(&listener->thread);
	release(listener);
}

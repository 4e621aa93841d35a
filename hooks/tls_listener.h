/* tls_listener.h - a TLS server on a thread of its own that does nothing but complete
 * handshakes which offer "acme-tls/1" (RFC 8737 4): below tls_alpn01.h, and private to
 * it. Speaks no protocol behind the handshake; remembers no session. */
#ifndef HOOKS_TLS_LISTENER_H
#define HOOKS_TLS_LISTENER_H

#include <stdbool.h>

#include <openssl/ssl.h>
#include <uv.h>

#include "base/err.h"

struct tls_listener;

/* Puts certificate and key for the server name into `ssl`; false: there is none. Called
 * on the listener's thread. */
typedef bool tls_listener_pick(void *ctx, const char *server_name, SSL *ssl);

/* Listens on ":443" (every address, IPv4 and IPv6; a machine without IPv6 is fine),
 * "127.0.0.1:8443" or "[::1]:8443". Gives *ret; keeps ctx until stopped.
 * Fails   ERR_TRANSIENT "port 443 is taken by 'nginx' (process 812)", or without the name
 *         when the system does not tell; ERR_DENIED; ERR_CONFIG for a bad address. */
int tls_listener_start(const char *listen, tls_listener_pick *pick, void *ctx,
		       struct tls_listener **ret, struct err *err);

/* Stops listening, ends what is connected, and waits for the thread. NULL is fine. */
void tls_listener_stop(struct tls_listener *listener);

/* ---- connections (tls_connection.c), on the listener's thread alone --------- */

struct tls_connections { /* of one listener */
	SSL_CTX *ssl;
	size_t n; /* open just now */
};

/* Takes the next connection of `listening`: it has 5 s for its handshake, and 32 KiB in
 * either direction; the 65th at a time is closed at once. */
void tls_connection_accept(struct tls_connections *all, uv_stream_t *listening);

/* Ends the connection that owns this handle; false: none does. */
bool tls_connection_close(uv_handle_t *handle);

#endif

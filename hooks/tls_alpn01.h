/* tls_alpn01.h - the tls-alpn-01 challenge (RFC 8737): our own TLS listener.
 *
 * One per process, shared by all workers like the http-01 responder (http01.h): it
 * listens from the first live answer to the last, completes handshakes that offer
 * "acme-tls/1" for a name that it has an answer for, and closes them; all others are
 * refused. 64 connections, 5 s each. */
#ifndef HOOKS_TLS_ALPN01_H
#define HOOKS_TLS_ALPN01_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"

struct tls_alpn01;

/* Gives an idle listener that binds nothing yet. */
struct tls_alpn01 *tls_alpn01_new(void);
void tls_alpn01_free(struct tls_alpn01 *tls_alpn01);

/* Answers for `server_name` (the name, or the reverse name of an address) on `listen`
 * (":443", "127.0.0.1:8443") with this certificate until withdrawn. Takes references of
 * both. Errors as http01_serve(); and ERR_TRANSIENT while the name has an answer already,
 * because two orders at once would take each other's for a wrong one. */
int tls_alpn01_serve(struct tls_alpn01 *tls_alpn01, const char *listen,
		     const char *server_name, X509 *cert, EVP_PKEY *key, struct err *err);

/* Withdraws it; the last one on an address closes its socket. */
void tls_alpn01_withdraw(struct tls_alpn01 *tls_alpn01, const char *listen,
			 const char *server_name);

/* Could `listen` be bound now (or is it bound by us)? For preflight. */
int tls_alpn01_check(struct tls_alpn01 *tls_alpn01, const char *listen, struct err *err);

#endif

/* xcapp.h - a small real TLS application laid out like Xtract Core, for tests and demo.
 *
 * It reads what the product reads (listener.json, config/servers/tls.json), finds its
 * certificate by thumbprint and refuses to start when it is not there or its key does not
 * work. It shares no code with certrenewd: what it says is a second opinion.
 *
 *     xcapp.c        settings, start, signals, misbehaviour
 *     xcapp_store.c  the certificate with that thumbprint
 *     xcapp_serve.c  connections: HTTP or HTTPS, `GET /version`
 */
#ifndef TESTS_SUPPORT_XCAPP_H
#define TESTS_SUPPORT_XCAPP_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#define XCAPP_SHA1_HEX 41
#define XCAPP_WORDS 512

/* What misbehave.json says; all off when it is absent, or when tls.json names the
 * thumbprint in `except`. */
struct misbehaviour {
	char refuse[XCAPP_WORDS];    /* last words before exit 1 */
	bool serve_old;              /* serves what was served before this start */
	bool hang;                   /* never listens, never ends by itself */
	bool omit_chain;             /* sends the leaf alone */
	int exit_after_s;            /* dies that long after it has begun to serve */
	char except[XCAPP_SHA1_HEX]; /* thumbprint with which it behaves */
};

struct app {
	const char *dir, *store;
	int insecure_port, secure_port;
	bool localhost; /* "mode": "Localhost" */
	bool tls_json;  /* the file is there */
	bool tls;       /* ... and says tlsEnabled */
	char thumbprint[XCAPP_SHA1_HEX];
	struct misbehaviour mis;
};

/* Makes a server context with the certificate of that thumbprint in `store` (folders
 * `<store>.versions/<name>/` with cert.pem, key.pem, fullchain.pem). Gives it; NULL with
 * the application's own words in `why`. */
SSL_CTX *store_context(const char *store, const char *thumbprint, bool omit_chain,
		       char why[XCAPP_WORDS]);

/* Opens the listening socket on 127.0.0.1 or, unless `localhost`, every address. The
 * descriptor, or -1 with the words in `why`. */
int serve_listen(int port, bool localhost, char why[XCAPP_WORDS]);

/* Answers one connection on its own thread. Takes `fd`; `ctx` NULL means plain HTTP, else
 * a reference is taken for the thread. */
void serve_connection(int fd, SSL_CTX *ctx);

#endif

/* tls_peer.h - an HTTPS server on loopback that behaves and misbehaves by path:
 *
 *     /hello  /echo  /500  /then-close  /redirect/N  /to-plain
 *     /large  /endless  /many-headers  /truncated  /hang
 *
 * Its certificate names 127.0.0.1 only. One thread a connection. */
#ifndef TESTS_UNIT_BASE_TLS_PEER_H
#define TESTS_UNIT_BASE_TLS_PEER_H

struct tls_peer;

/* Listens on a free port. Gives; asserts on trouble. */
struct tls_peer *tls_peer_start(void);

/* Closes everything and waits for the threads. */
void tls_peer_stop(struct tls_peer *peer);

/* The PEM file that holds its root. Borrowed. */
const char *tls_peer_bundle(const struct tls_peer *peer);
unsigned tls_peer_port(const struct tls_peer *peer);

/* How many connections were accepted so far. */
int tls_peer_connections(struct tls_peer *peer);

#endif

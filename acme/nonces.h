/* nonces.h - unused anti-replay nonces (RFC 8555 6.5), first in, first out, bounded. */
#ifndef ACME_NONCES_H
#define ACME_NONCES_H

#include <stddef.h>

#define NONCES_KEPT 16

struct nonces { /* a zeroed one is empty */
	char *items[NONCES_KEPT];
	size_t n;
};

/* Keeps a copy of `nonce` if it is base64url of at most 512 characters; NULL and anything
 * else is ignored. When full, the oldest goes. */
void nonces_put(struct nonces *nonces, const char *nonce);

/* Gives the oldest; NULL when there is none. */
char *nonces_take(struct nonces *nonces);

/* Forgets all of them. */
void nonces_clear(struct nonces *nonces);

#endif

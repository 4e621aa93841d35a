#include "acme/nonces.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define NONCE_MAX 512
#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

void nonces_put(struct nonces *nonces, const char *nonce)
{
	size_t len = nonce ? strlen(nonce) : 0;

	if (len == 0 || len > NONCE_MAX || strspn(nonce, BASE64URL) != len)
		return;
	if (nonces->n == NONCES_KEPT)
		free(nonces_take(nonces));
	nonces->items[nonces->n++] = str_dup(nonce);
}

char *nonces_take(struct nonces *nonces)
{
	char *oldest;

	if (nonces->n == 0)
		return NULL;
	oldest = nonces->items[0];
	nonces->n--;
	memmove(nonces->items, nonces->items + 1, nonces->n * sizeof(*nonces->items));
	return oldest;
}

void nonces_clear(struct nonces *nonces)
{
	while (nonces->n > 0)
		free(nonces_take(nonces));
}

/* world_cache.c - two functions of OpenSSL's that certrenewd calls a thousand times in
 * two years with the same bytes: their answers are kept. What they give is the same. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/str.h"

#define KEPT 64

struct kept {
	char *bytes;
	size_t len;
	void *object;
};

struct cache {
	struct kept items[KEPT];
	size_t next; /* the oldest gives way */
};

static void *find(const struct cache *cache, const void *bytes, size_t len)
{
	for (size_t i = 0; i < KEPT; i++)
		if (cache->items[i].len == len && cache->items[i].object &&
		    !memcmp(cache->items[i].bytes, bytes, len))
			return cache->items[i].object;
	return NULL;
}

static struct kept *room(struct cache *cache, const void *bytes, size_t len)
{
	struct kept *kept = &cache->items[cache->next++ % KEPT];

	free(kept->bytes);
	kept->bytes = mem_calloc(1, len + 1);
	memcpy(kept->bytes, bytes, len);
	kept->len = len;
	return kept;
}

X509 *d2i_X509(X509 **reuse, const unsigned char **at, long len)
{
	static struct cache cache;
	const unsigned char *from = *at;
	X509 *x509 = reuse ? NULL : find(&cache, from, (size_t)len);
	struct kept *kept;

	if (x509) {
		*at += len;
		X509_up_ref(x509);
		return x509;
	}
	x509 = (X509 *)ASN1_item_d2i((ASN1_VALUE **)reuse, at, len, ASN1_ITEM_rptr(X509));
	if (!x509 || reuse || *at != from + len)
		return x509;
	kept = room(&cache, from, (size_t)len);
	X509_free(kept->object);
	X509_up_ref(x509);
	kept->object = x509;
	return x509;
}

EVP_PKEY *PEM_read_bio_PrivateKey(BIO *bio, EVP_PKEY **reuse, pem_password_cb *ask,
				  void *arg)
{
	static struct cache cache;
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	EVP_PKEY *key = find(&cache, bytes, (size_t)len);
	struct kept *kept;

	(void)reuse;
	if (key) {
		EVP_PKEY_up_ref(key);
		return key;
	}
	bytes = str_ndup(bytes, (size_t)len); /* reading takes them away */
	key = PEM_read_bio_PrivateKey_ex(bio, NULL, ask, arg, NULL, NULL);
	if (key) {
		kept = room(&cache, bytes, (size_t)len);
		EVP_PKEY_free(kept->object);
		EVP_PKEY_up_ref(key);
		kept->object = key;
	}
	free(bytes);
	return key;
}

/* world_cache.c - two functions of OpenSSL's that certrenewd calls a thousand times in
 * two years with the same bytes: their answers are kept. What they give is the same. */
#include <dlfcn.h>
#include <stdbool.h>
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

/* ---- signatures: of a key that is proven again and again ------------------------ */

struct proof {
	const void *a, *b;
	unsigned char text[32], signature[128];
	size_t text_len, signature_len;
	int result;
};

struct proofs {
	struct proof items[KEPT];
	size_t next;
};

static struct proofs signatures, chains;

static struct proof *proof_of(struct proofs *proofs, const void *a, const void *b,
			      const unsigned char *text, size_t len)
{
	for (size_t i = 0; i < KEPT; i++) {
		struct proof *proof = &proofs->items[i];

		if (proof->a == a && proof->b == b && proof->text_len == len &&
		    (!len || !memcmp(proof->text, text, len)))
			return proof;
	}
	return NULL;
}

static struct proof *new_proof(struct proofs *proofs, const void *a, const void *b,
			       const unsigned char *text, size_t len)
{
	struct proof *proof = &proofs->items[proofs->next++ % KEPT];

	*proof = (struct proof){ .a = a, .b = b, .text_len = len };
	if (len)
		memcpy(proof->text, text, len);
	return proof;
}

static EVP_PKEY *key_of(EVP_MD_CTX *ctx)
{
	return EVP_PKEY_CTX_get0_pkey(EVP_MD_CTX_get_pkey_ctx(ctx));
}

int EVP_DigestSign(EVP_MD_CTX *ctx, unsigned char *out, size_t *out_len,
		   const unsigned char *text, size_t len)
{
	EVP_PKEY *key = key_of(ctx);
	struct proof *proof = NULL;

	if (!out) /* how long will it be? */
		return EVP_DigestSignFinal(ctx, NULL, out_len);
	if (len <= sizeof(proof->text))
		proof = proof_of(&signatures, key, NULL, text, len);
	if (proof && proof->signature_len <= *out_len) {
		memcpy(out, proof->signature, proof->signature_len);
		*out_len = proof->signature_len;
		return 1;
	}
	if (EVP_DigestSignUpdate(ctx, text, len) != 1 ||
	    EVP_DigestSignFinal(ctx, out, out_len) != 1)
		return 0;
	if (len <= sizeof(proof->text) && *out_len <= sizeof(proof->signature)) {
		EVP_PKEY_up_ref(key); /* it must not come back as another */
		proof = new_proof(&signatures, key, NULL, text, len);
		memcpy(proof->signature, out, *out_len);
		proof->signature_len = *out_len;
	}
	return 1;
}

int EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *signature, size_t len,
		     const unsigned char *text, size_t text_len)
{
	struct proof *proof = text_len <= sizeof(proof->text)
				      ? proof_of(&signatures, key_of(ctx), NULL, text,
						 text_len)
				      : NULL;
	bool same = proof && proof->signature_len == len &&
		    !memcmp(proof->signature, signature, len);

	if (same && proof->result)
		return proof->result;
	if (EVP_DigestVerifyUpdate(ctx, text, text_len) != 1 ||
	    EVP_DigestVerifyFinal(ctx, signature, len) != 1)
		return 0;
	if (same)
		proof->result = 1;
	return 1;
}

/* The library's own, behind this one. */
typedef int verify(X509 *x509, EVP_PKEY *key);

int X509_verify(X509 *x509, EVP_PKEY *key)
{
	struct proof *proof = proof_of(&chains, x509, key, NULL, 0);
	verify *real;
	int result;

	if (proof)
		return proof->result;
	*(void **)&real = dlsym(RTLD_NEXT, "X509_verify");
	result = real(x509, key);
	X509_up_ref(x509);
	EVP_PKEY_up_ref(key);
	new_proof(&chains, x509, key, NULL, 0)->result = result;
	return result;
}

/* world_cache.c - functions of OpenSSL's that certrenewd calls a thousand times in two
 * years with the same bytes: their answers are kept. What they give is the same. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "base/str.h"
#include "tests/sim/world_keys.h"

#define KEPT 64
#define MADE 16
#define NAME_FLAGS (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

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

/* A name as text: there are a handful. */
int X509_NAME_print_ex(BIO *out, const X509_NAME *name, int indent, unsigned long flags)
{
	typedef int print(BIO * out, const X509_NAME *name, int indent,
			  unsigned long flags);
	static struct cache caches[2];
	static print *real;
	struct cache *cache = &caches[flags == XN_FLAG_RFC2253];
	const unsigned char *der = NULL;
	size_t len = 0;
	BIO *text;
	char *bytes = NULL;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "X509_NAME_print_ex");
	if (indent || (flags != XN_FLAG_RFC2253 && flags != NAME_FLAGS) ||
	    !X509_NAME_get0_der(name, &der, &len))
		return real(out, name, indent, flags);
	bytes = find(cache, der, len);
	if (!bytes) {
		struct kept *kept = room(cache, der, len);
		long text_len;

		text = BIO_new(BIO_s_mem());
		real(text, name, indent, flags);
		text_len = BIO_get_mem_data(text, &bytes);
		free(kept->object);
		bytes = kept->object = str_ndup(bytes, (size_t)text_len);
		BIO_free(text);
	}
	return BIO_puts(out, bytes);
}

static struct cache keys;

static void keep_key(const char *bytes, size_t len, EVP_PKEY *key)
{
	struct kept *kept = room(&keys, bytes, len);

	EVP_PKEY_free(kept->object);
	EVP_PKEY_up_ref(key);
	kept->object = key;
}

EVP_PKEY *PEM_read_bio_PrivateKey(BIO *bio, EVP_PKEY **reuse, pem_password_cb *ask,
				  void *arg)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	EVP_PKEY *key = find(&keys, bytes, (size_t)len);

	(void)reuse;
	if (key) {
		EVP_PKEY_up_ref(key);
		return key;
	}
	bytes = str_ndup(bytes, (size_t)len); /* reading takes them away */
	key = PEM_read_bio_PrivateKey_ex(bio, NULL, ask, arg, NULL, NULL);
	if (key)
		keep_key(bytes, (size_t)len, key);
	free(bytes);
	return key;
}

/* What is written without a password is read again. */
int PEM_write_bio_PKCS8PrivateKey(BIO *bio, const EVP_PKEY *key, const EVP_CIPHER *cipher,
				  const char *password, int len, pem_password_cb *ask,
				  void *arg)
{
	typedef int write(BIO * bio, const EVP_PKEY *key, const EVP_CIPHER *cipher,
			  const char *password, int len, pem_password_cb *ask, void *arg);
	char *bytes = NULL;
	static write *real;
	long written;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "PEM_write_bio_PKCS8PrivateKey");
	if (cipher ? !real(bio, key, cipher, password, len, ask, arg)
		   : !world_write_key(bio, key))
		return 0;
	written = BIO_get_mem_data(bio, &bytes);
	if (!cipher && written > 0)
		keep_key(bytes, (size_t)written, (EVP_PKEY *)(uintptr_t)key);
	return 1;
}

/* ---- signatures: of a key that is proven again and again ------------------------ */

struct proof {
	const void *a, *b;
	unsigned char text[32], signature[128];
	size_t text_len, signature_len;
	const void *verified_by; /* a key */
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

/* The last signatures that were made here. */
static struct made {
	unsigned char *text, signature[128];
	size_t text_len, signature_len;
	EVP_PKEY *key;
} made[MADE];

static void keep_signature(EVP_PKEY *key, const unsigned char *text, size_t text_len,
			   const unsigned char *signature, size_t len)
{
	static size_t next;
	struct made *one = &made[next++ % MADE];

	if (len > sizeof(one->signature))
		return;
	EVP_PKEY_up_ref(key);
	EVP_PKEY_free(one->key);
	free(one->text);
	*one = (struct made){ .text = mem_calloc(1, text_len + 1),
			      .text_len = text_len,
			      .signature_len = len,
			      .key = key };
	memcpy(one->text, text, text_len);
	memcpy(one->signature, signature, len);
}

/* What a key signed here it verifies: asked is only whether it is this key. */
static bool was_signed_by(EVP_PKEY *key, const unsigned char *text, size_t text_len,
			  const unsigned char *signature, size_t len)
{
	for (size_t i = 0; i < MADE; i++)
		if (made[i].key && made[i].signature_len == len &&
		    made[i].text_len == text_len &&
		    !memcmp(made[i].signature, signature, len) &&
		    !memcmp(made[i].text, text, text_len))
			return EVP_PKEY_eq(made[i].key, key) == 1;
	return false;
}

/* Nobody in this world verifies a JWS (world_ca.c). The dice are thrown as they are for
 * a real signature. */
static bool is_jws(EVP_PKEY *key, const unsigned char *text, size_t len)
{
	return len > 3 && !memcmp(text, "eyJ", 3) && EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_bits(key) == 256;
}

static int sign_jws(unsigned char *out, size_t *out_len)
{
	static const unsigned char der[70] = {
		0x30, 68, 2, 32, [4] = 1, [36] = 2, 32, [38] = 1,
	};
	unsigned char nonce[64];

	if (RAND_priv_bytes(nonce, sizeof(nonce)) != 1)
		return 0;
	memcpy(out, der, sizeof(der));
	memcpy(out + 8, nonce, 28);
	*out_len = sizeof(der);
	return 1;
}

int EVP_DigestSign(EVP_MD_CTX *ctx, unsigned char *out, size_t *out_len,
		   const unsigned char *text, size_t len)
{
	EVP_PKEY *key = key_of(ctx);
	struct proof *proof = NULL;

	if (!out) /* how long will it be? */
		return EVP_DigestSignFinal(ctx, NULL, out_len);
	if (is_jws(key, text, len))
		return sign_jws(out, out_len);
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
	keep_signature(key, text, len, out, *out_len);
	if (len <= sizeof(proof->text) && *out_len <= sizeof(proof->signature)) {
		EVP_PKEY_up_ref(key); /* it must not come back as another */
		proof = new_proof(&signatures, key, NULL, text, len);
		memcpy(proof->signature, out, *out_len);
		proof->signature_len = *out_len;
	}
	return 1;
}

/* A signature that was made here, and has been verified with this key before? */
static struct proof *made_here(const unsigned char *signature, size_t len,
			       const unsigned char *text, size_t text_len)
{
	for (size_t i = 0; i < KEPT; i++) {
		struct proof *proof = &signatures.items[i];

		if (proof->a && proof->signature_len == len &&
		    proof->text_len == text_len &&
		    !memcmp(proof->signature, signature, len) &&
		    !memcmp(proof->text, text, text_len))
			return proof;
	}
	return NULL;
}

int EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *signature, size_t len,
		     const unsigned char *text, size_t text_len)
{
	struct proof *proof = made_here(signature, len, text, text_len);
	EVP_PKEY *key = key_of(ctx);

	if (proof && proof->verified_by == key)
		return 1;
	if (!was_signed_by(key, text, text_len, signature, len) &&
	    (EVP_DigestVerifyUpdate(ctx, text, text_len) != 1 ||
	     EVP_DigestVerifyFinal(ctx, signature, len) != 1))
		return 0;
	if (proof) {
		EVP_PKEY_up_ref(key);
		proof->verified_by = key;
	}
	return 1;
}

/* The key of the certificate's, again and again the same. */
int X509_digest(const X509 *x509, const EVP_MD *md, unsigned char *out, unsigned *ret_len)
{
	static struct proofs digests;
	struct proof *proof = proof_of(&digests, x509, md, NULL, 0);
	unsigned len = 0;

	if (!proof) {
		if (!ASN1_item_digest(ASN1_ITEM_rptr(X509), md, (void *)(uintptr_t)x509,
				      out, &len))
			return 0;
		X509_up_ref((X509 *)(uintptr_t)x509);
		proof = new_proof(&digests, x509, md, NULL, 0);
		memcpy(proof->signature, out, len);
		proof->signature_len = len;
	}
	memcpy(out, proof->signature, proof->signature_len);
	if (ret_len)
		*ret_len = (unsigned)proof->signature_len;
	return 1;
}

/* The library's own, behind this one. */
typedef int verify(X509 *x509, EVP_PKEY *key);

int X509_verify(X509 *x509, EVP_PKEY *key)
{
	struct proof *proof = proof_of(&chains, x509, key, NULL, 0);
	static verify *real;
	int result;

	if (proof)
		return proof->result;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "X509_verify");
	result = real(x509, key);
	X509_up_ref(x509);
	EVP_PKEY_up_ref(key);
	new_proof(&chains, x509, key, NULL, 0)->result = result;
	return result;
}

/* Does the certificate's key belong to that one? */
int EVP_PKEY_eq(const EVP_PKEY *a, const EVP_PKEY *b)
{
	typedef int equal(const EVP_PKEY *a, const EVP_PKEY *b);
	static struct proofs pairs;
	static equal *real;
	struct proof *proof = proof_of(&pairs, a, b, NULL, 0);
	int result;

	if (proof)
		return proof->result;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "EVP_PKEY_eq");
	result = real(a, b);
	if (!a || !b)
		return result;
	EVP_PKEY_up_ref((EVP_PKEY *)(uintptr_t)a);
	EVP_PKEY_up_ref((EVP_PKEY *)(uintptr_t)b);
	new_proof(&pairs, a, b, NULL, 0)->result = result;
	return result;
}

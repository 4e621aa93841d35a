/* world_decoders.c - OpenSSL 3.0 builds a chain of decoders for each public key that it
 * reads, and one of encoders for each that it writes, which takes ten times as long as
 * the work (3.2 keeps them). Here decoders are kept: the library's own, each used again
 * when nobody has it; what they read once they need not read again; and the keys of this
 * world, all of one kind, need no encoder. Each hundredth that is written is compared. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/str.h"
#include "tests/sim/world_keys.h"

#define KEPT 8
#define KEYS_READ 64
#define SPKI_LEN ((size_t)91) /* of a key on P-256 */
#define COMPARED_EVERY 100

static struct kept {
	OSSL_DECODER_CTX *ctx;
	char *key;
	int selection;
	bool taken;
	EVP_PKEY *read, **wanted_at; /* what it reads, and who wants it */
} all[KEPT];

static struct kept *kept_of(const OSSL_DECODER_CTX *ctx)
{
	for (size_t i = 0; i < KEPT; i++)
		if (ctx && all[i].ctx == ctx)
			return &all[i];
	return NULL;
}

/* One that does this and is free, or room for one; NULL: neither. */
static struct kept *choose(const char *key, int selection)
{
	struct kept *room = NULL;

	for (size_t i = 0; i < KEPT; i++) {
		struct kept *kept = &all[i];

		if (!kept->ctx)
			room = kept;
		else if (!kept->taken && kept->selection == selection &&
			 str_equal(kept->key, key))
			return kept;
	}
	return room;
}

OSSL_DECODER_CTX *OSSL_DECODER_CTX_new_for_pkey(EVP_PKEY **ret, const char *input,
						const char *structure, const char *key,
						int selection, OSSL_LIB_CTX *library,
						const char *properties)
{
	typedef OSSL_DECODER_CTX *make(EVP_PKEY * *ret, const char *input,
				       const char *structure, const char *key,
				       int selection, OSSL_LIB_CTX *library,
				       const char *properties);
	static make *real;
	struct kept *kept = NULL;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "OSSL_DECODER_CTX_new_for_pkey");
	if (str_equal(input, "DER") && str_equal(structure, "SubjectPublicKeyInfo") &&
	    !library && !properties && !*ret) /* read by OSSL_DECODER_from_data() */
		kept = choose(key, selection);
	if (!kept)
		return real(ret, input, structure, key, selection, library, properties);
	if (!kept->ctx) {
		*kept = (struct kept){ .key = str_dup(key), .selection = selection };
		kept->ctx = real(&kept->read, input, structure, key, selection, library,
				 properties);
	}
	kept->taken = true;
	kept->wanted_at = ret;
	return kept->ctx;
}

/* Public keys that were read lately: nobody changes one. */
static struct {
	unsigned char der[SPKI_LEN];
	EVP_PKEY *key;
} keys_read[KEYS_READ];

static EVP_PKEY *read_before(const unsigned char *der)
{
	for (size_t i = 0; i < KEYS_READ; i++)
		if (keys_read[i].key && !memcmp(keys_read[i].der, der, SPKI_LEN))
			return keys_read[i].key;
	return NULL;
}

static void keep_read(const unsigned char *der, EVP_PKEY *key)
{
	static size_t next;
	size_t i = next++ % KEYS_READ;

	EVP_PKEY_free(keys_read[i].key);
	EVP_PKEY_up_ref(key);
	keys_read[i].key = key;
	memcpy(keys_read[i].der, der, SPKI_LEN);
}

int OSSL_DECODER_from_data(OSSL_DECODER_CTX *ctx, const unsigned char **at, size_t *len)
{
	typedef int read(OSSL_DECODER_CTX * ctx, const unsigned char **at, size_t *len);
	static read *real;
	struct kept *kept = kept_of(ctx);
	const unsigned char *from = *at;
	bool fits = kept && *len == SPKI_LEN;
	EVP_PKEY *known = fits ? read_before(from) : NULL;
	int done;

	if (known) {
		EVP_PKEY_up_ref(known);
		*kept->wanted_at = known;
		*at += SPKI_LEN;
		*len = 0;
		return 1;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "OSSL_DECODER_from_data");
	done = real(ctx, at, len);
	if (kept) {
		*kept->wanted_at = kept->read;
		kept->read = NULL;
	}
	if (done && fits && !*len && *kept->wanted_at)
		keep_read(from, *kept->wanted_at);
	return done;
}

void OSSL_DECODER_CTX_free(OSSL_DECODER_CTX *ctx)
{
	typedef void let_go(OSSL_DECODER_CTX * ctx);
	static let_go *real;
	struct kept *kept = kept_of(ctx);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "OSSL_DECODER_CTX_free");
	if (kept)
		kept->taken = false;
	else
		real(ctx);
}

/* The point of a key on P-256; false: it is another kind of key. */
static bool point_of(const EVP_PKEY *key, unsigned char *out, size_t room)
{
	size_t len = 0;

	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 256 &&
	       EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out, room,
					       &len) == 1 &&
	       len == room && out[0] == 4;
}

int X509_PUBKEY_set(X509_PUBKEY **ret, EVP_PKEY *key)
{
	typedef int set(X509_PUBKEY * *ret, EVP_PKEY * key);
	/* RFC 5480: SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING } */
	static const unsigned char head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
					      0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
					      0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
					      0x01, 0x07, 0x03, 0x42, 0x00 };
	static set *real;
	unsigned char der[sizeof(head) + 65];
	const unsigned char *at = der;
	X509_PUBKEY *fresh = NULL;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "X509_PUBKEY_set");
	memcpy(der, head, sizeof(head));
	if (point_of(key, der + sizeof(head), sizeof(der) - sizeof(head)))
		fresh = d2i_X509_PUBKEY(NULL, &at, sizeof(der));
	if (!fresh)
		return real(ret, key);
	X509_PUBKEY_free(*ret);
	*ret = fresh;
	return 1;
}

/* ---- private keys -------------------------------------------------------------------
 */

typedef int write_key(BIO *bio, const EVP_PKEY *key, const EVP_CIPHER *cipher,
		      const char *password, int len, pem_password_cb *ask, void *arg);

/* RFC 5208 around RFC 5915, as OpenSSL writes it: version, algorithm, the number, the
 * point. False: it is another kind of key. */
static bool write_p256(BIO *bio, const EVP_PKEY *key)
{
	static const unsigned char head[] = {
		0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86,
		0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20,
	};
	static const unsigned char between[] = { 0xa1, 0x44, 0x03, 0x42, 0x00 };
	unsigned char der[sizeof(head) + 32 + sizeof(between) + 65], *at = der;
	BIGNUM *number = NULL;
	bool done;

	memcpy(at, head, sizeof(head));
	at += sizeof(head);
	done = EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
	       BN_bn2binpad(number, at, 32) == 32;
	BN_clear_free(number);
	at += 32;
	memcpy(at, between, sizeof(between));
	at += sizeof(between);
	return done && point_of(key, at, 65) &&
	       PEM_write_bio(bio, PEM_STRING_PKCS8INF, "", der, sizeof(der)) > 0;
}

/* Does the library write the same? */
static void compare(BIO *bio, const EVP_PKEY *key, write_key *real)
{
	BIO *same = BIO_new(BIO_s_mem());
	char *a = NULL, *b = NULL;
	long a_len = BIO_get_mem_data(bio, &a), b_len;

	if (!same || !real(same, key, NULL, NULL, 0, NULL, NULL))
		abort();
	b_len = BIO_get_mem_data(same, &b);
	if (a_len != b_len || memcmp(a, b, (size_t)a_len) != 0)
		abort();
	BIO_free(same);
}

int world_write_key(BIO *bio, const EVP_PKEY *key)
{
	static unsigned long count;
	static write_key *real;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "PEM_write_bio_PKCS8PrivateKey");
	if (BIO_pending(bio) || !write_p256(bio, key))
		return real(bio, key, NULL, NULL, 0, NULL, NULL);
	if (++count % COMPARED_EVERY == 0)
		compare(bio, key, real);
	return 1;
}

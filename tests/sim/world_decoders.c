/* world_decoders.c - OpenSSL 3.0 builds a chain of decoders for each public key that it
 * reads, and one of encoders for each that it writes, which takes ten times as long as
 * the work (3.2 keeps them). Here decoders are kept: the library's own, each used again
 * when nobody has it; and the keys of this world, all of one kind, need no encoder. */
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/x509.h>

#include "base/str.h"

#define KEPT 8

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

int OSSL_DECODER_from_data(OSSL_DECODER_CTX *ctx, const unsigned char **at, size_t *len)
{
	typedef int read(OSSL_DECODER_CTX * ctx, const unsigned char **at, size_t *len);
	static read *real;
	struct kept *kept = kept_of(ctx);
	int done;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "OSSL_DECODER_from_data");
	done = real(ctx, at, len);
	if (kept) {
		*kept->wanted_at = kept->read;
		kept->read = NULL;
	}
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

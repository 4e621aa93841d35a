/* foresight_chain.c - the CA certificates that an issuer has issued from. */
#include "daemon/foresight.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#define SEEN_MAX 64
#define NAME_MAX_BYTES 512

/* In OpenSSL's RFC 2253 form. Gives. */
static char *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL, *text;
	long len = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
		len = BIO_get_mem_data(bio, &data);
	text = str_ndup(len > 0 ? data : "",
			len > NAME_MAX_BYTES ? NAME_MAX_BYTES : (size_t)len);
	BIO_free(bio);
	str_make_printable(text);
	return text;
}

/* SHA-256 of the public key, hexadecimal; false when it has none that we can read. */
static bool hash_key(X509 *x509, char out[CERT_SHA256_HEX])
{
	unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
	unsigned n = 0;
	bool hashed = len > 0 &&
		      EVP_Digest(der, (size_t)len, digest, &n, EVP_sha256(), NULL);

	if (hashed)
		hex_encode(digest, n, false, out);
	OPENSSL_free(der);
	return hashed;
}

static bool is_seen(const cJSON *seen, const char *member, const char *value)
{
	const cJSON *each;

	cJSON_ArrayForEach (each, seen) {
		if (str_equal(json_string(each, member), value))
			return true;
	}
	return false;
}

static void add_seen(cJSON *seen, const char *name, const char *issuer, const char *spki,
		     int64_t now)
{
	cJSON *item = cJSON_CreateObject();
	char since[CLOCK_TEXT_MAX];

	clock_format_rfc3339(now, since);
	json_set_string(item, "name", name);
	json_set_string(item, "issuer", issuer);
	json_set_string(item, "spki", spki);
	json_set_string(item, "since", since);
	while (cJSON_GetArraySize(seen) >= SEEN_MAX)
		cJSON_DeleteItemFromArray(seen, 0);
	if (!cJSON_AddItemToArray(seen, item))
		abort();
}

bool foresight_see_chain(cJSON *seen, const struct cert *cert, int64_t now,
			 struct foresight_changes *changes)
{
	bool first = !cJSON_GetArraySize(seen), changed = false;
	STACK_OF(X509) *chain = cert_chain(cert);

	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *x509 = sk_X509_value(chain, i);
		char *name = name_text(X509_get_subject_name(x509));
		char *issuer = name_text(X509_get_issuer_name(x509));
		char spki[CERT_SHA256_HEX];

		if (hash_key(x509, spki) && !is_seen(seen, "spki", spki)) {
			bool new_root = !is_seen(seen, "issuer", issuer);

			add_seen(seen, name, issuer, spki, now);
			changed = true;
			if (!first)
				foresight_add(
					changes, SEVERITY_NOTICE,
					str_printf("it issues from a new intermediate "
						   "'%s', below the %sroot or "
						   "intermediate '%s'; SHA-256 of its "
						   "key: %s",
						   name, new_root ? "new " : "", issuer,
						   spki),
					"who pins intermediates or keeps them in a "
					"store of its own has to add it");
		}
		free(issuer);
		free(name);
	}
	return changed;
}

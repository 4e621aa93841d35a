#include "acme/key.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/str.h"

#define PEM_MAX 65536

struct key_type {
	const char *name;
	const char *algorithm;
	unsigned bits;
	const char *group; /* as OpenSSL reports it; NULL: RSA */
};

static const struct key_type types[] = {
	{ "rsa-2048", "RSA", 2048, NULL },     { "rsa-3072", "RSA", 3072, NULL },
	{ "rsa-4096", "RSA", 4096, NULL },     { "ec-p256", "EC", 256, "prime256v1" },
	{ "ec-p384", "EC", 384, "secp384r1" },
};

#define N_TYPES (sizeof(types) / sizeof(*types))

static EVP_PKEY *generate(const struct key_type *type)
{
	if (type->group)
		return EVP_PKEY_Q_keygen(NULL, NULL, type->algorithm, type->group);
	return EVP_PKEY_Q_keygen(NULL, NULL, type->algorithm, (size_t)type->bits);
}

int key_generate(const char *type, EVP_PKEY **ret_key, struct err *err)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		EVP_PKEY *key;

		if (!str_equal(type, types[i].name))
			continue;
		key = generate(&types[i]);
		if (!key)
			return err_openssl(err, "make a key of type '%s'", type);
		*ret_key = key;
		return 0;
	}
	return err_set(err, ERR_CONFIG,
		       "'%s' is no key type: use rsa-2048, rsa-3072, rsa-4096, ec-p256 "
		       "or ec-p384",
		       type ? type : "");
}

int key_to_pem(const EVP_PKEY *key, struct buf *out, struct err *err)
{
	BIO *pem = BIO_new(BIO_s_secmem()); /* wiped when freed */
	char *text;
	long len;
	int rc = -1;

	if (!pem || !PEM_write_bio_PKCS8PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL)) {
		err_openssl(err, "encode private key");
		goto out;
	}
	len = BIO_get_mem_data(pem, &text);
	if (len <= 0 || buf_append(out, text, (size_t)len)) {
		err_set(err, ERR_BUG, "encode private key: no room for %ld bytes", len);
		goto out;
	}
	rc = 0;
out:
	BIO_free(pem);
	return rc;
}

/* Without this OpenSSL would ask the terminal for a passphrase. */
static int no_passphrase(char *buf, int size, int rwflag, void *userdata)
{
	bool *asked = userdata;

	(void)buf;
	(void)size;
	(void)rwflag;
	*asked = true;
	return -1;
}

static EVP_PKEY *read_pem(const void *pem, size_t len, bool *ret_asked)
{
	BIO *bio = NULL;
	EVP_PKEY *key = NULL;

	if (len > 0 && len <= PEM_MAX)
		bio = BIO_new_mem_buf(pem, (int)len);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, ret_asked);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

/* Does OpenSSL read keys at this moment? Short of memory its decoders find none, and do
 * not say why. */
static bool reads_keys(void)
{
	EVP_PKEY *key = NULL, *copy = NULL;
	bool asked = false;
	struct err ignored;
	struct buf pem;

	buf_init_secret(&pem, PEM_MAX);
	if (!key_generate("ec-p256", &key, &ignored) && !key_to_pem(key, &pem, &ignored))
		copy = read_pem(pem.data, pem.len, &asked);
	ERR_clear_error();
	EVP_PKEY_free(key);
	EVP_PKEY_free(copy);
	buf_release(&pem);
	return copy != NULL;
}

int key_from_pem(const void *pem, size_t len, EVP_PKEY **ret_key, struct err *err)
{
	bool asked = false;
	EVP_PKEY *key = read_pem(pem, len, &asked);

	if (!key && asked)
		return err_set(
			err, ERR_CONFIG,
			"the private key is encrypted: store it without a passphrase");
	if (!key && !reads_keys())
		return err_set(err, ERR_IO,
			       "OpenSSL can read no private key at the moment: there is "
			       "too little memory, say");
	if (!key)
		key = read_pem(pem, len, &asked); /* it could not at first, say */
	if (!key)
		return err_set(err, ERR_CONFIG, "not a private key in PEM form");
	*ret_key = key;
	return 0;
}

const char *key_type_name(const EVP_PKEY *key)
{
	char group[64] = "";
	int bits = key ? EVP_PKEY_get_bits(key) : 0;

	if (key && EVP_PKEY_is_a(key, "EC") &&
	    !EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group,
					    sizeof(group), NULL))
		return "other";
	for (size_t i = 0; i < N_TYPES; i++) {
		if (!key || !EVP_PKEY_is_a(key, types[i].algorithm))
			continue;
		if (types[i].group ? str_equal(types[i].group, group)
				   : bits == (int)types[i].bits)
			return types[i].name;
	}
	return "other";
}

/* store_prove.c - is what lies on disk usable? The bytes are read back, the key signs,
 * the certificate verifies the signature, and whoever must read them may. */

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "hooks/access.h"
#include "hooks/store_parts.h"

#define PART_MAX_BYTES ((size_t)256 * 1024)
#define SIGNATURE_MAX 2048

/* A key of ours has no password: never ask for one on a terminal. */
static int no_password(char *out, int size, int writing, void *ctx)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static int read_key(const char *path, EVP_PKEY **ret_key, struct err *err)
{
	struct buf pem;
	BIO *bio = NULL;
	int rc = -1;

	buf_init_secret(&pem, PART_MAX_BYTES);
	if (file_read(path, &pem, err))
		goto out;
	bio = BIO_new_mem_buf(buf_str(&pem), (int)pem.len);
	*ret_key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	if (!*ret_key) {
		err_openssl(err, "'%s' holds no usable private key", path);
		goto out;
	}
	rc = 0;
out:
	BIO_free(bio);
	buf_release(&pem);
	return rc;
}

/* Signs with the private key, verifies with the certificate's public one. */
static int key_signs(EVP_PKEY *key, X509 *leaf, struct err *err)
{
	static const unsigned char text[] = "certrenewd proves this key";
	EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
	unsigned char signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);
	int rc = -1;

	if (!sign || EVP_DigestSignInit(sign, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(sign, signature, &len, text, sizeof(text)) != 1) {
		err_openssl(err, "the key does not sign");
		goto out;
	}
	if (!verify ||
	    EVP_DigestVerifyInit(verify, NULL, NULL, NULL, X509_get0_pubkey(leaf)) != 1 ||
	    EVP_DigestVerify(verify, signature, len, text, sizeof(text)) != 1) {
		err_openssl(err, "the key's signature does not verify");
		goto out;
	}
	rc = 0;
out:
	EVP_MD_CTX_free(sign);
	EVP_MD_CTX_free(verify);
	return rc;
}

static int prove_key(const char *path, const struct cert *cert, struct err *err)
{
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (read_key(path, &key, err))
		goto out;
	if (!cert_matches_key(cert, key)) {
		err_set(err, ERR_IO, "'%s' is not the key of certificate %s", path,
			cert_sha1(cert));
		goto out;
	}
	if (key_signs(key, cert_leaf(cert), err)) {
		err_wrap(err, "'%s'", path);
		goto out;
	}
	rc = 0;
out:
	EVP_PKEY_free(key);
	return rc;
}

static int prove_bytes(const char *path, enum store_part part,
		       const struct material *material, struct err *err)
{
	struct buf expected, found;
	int rc = -1;

	store_part_bytes(part, material, &expected);
	buf_init(&found, PART_MAX_BYTES);
	if (file_read(path, &found, err))
		goto out;
	if (found.len != expected.len ||
	    memcmp(buf_str(&found), buf_str(&expected), found.len) != 0) {
		err_set(err, ERR_IO, "'%s' is damaged: it does not hold certificate %s",
			path, cert_sha1(material->cert));
		goto out;
	}
	rc = 0;
out:
	buf_release(&expected);
	buf_release(&found);
	return rc;
}

int store_prove_part(const struct store *store, const char *folder, enum store_part part,
		     const struct material *material, struct err *err)
{
	char *path = path_join(folder, store_part_name(part));
	uint32_t mode = part == PART_KEY ? store_key_mode(store) : STORE_CERT_MODE;
	int rc;

	rc = part == PART_KEY ? prove_key(path, material->cert, err)
			      : prove_bytes(path, part, material, err);
	if (!rc)
		rc = access_check(path, store->owner, store->group, mode, err);
	free(path);
	return rc;
}

int store_prove_folder(const struct store *store, const char *folder,
		       const struct material *material, struct err *err)
{
	uint32_t mode = store->group ? 0750 : 0700;

	for (int part = 0; part < PARTS; part++) {
		if (store_prove_part(store, folder, (enum store_part)part, material, err))
			return -1;
	}
	return access_check(folder, store->owner, store->group, mode, err);
}

int store_directory_prove(const struct store *store, const struct material *material,
			  struct err *err)
{
	char *folder = store_version(store, cert_sha1(material->cert));
	int rc = store_prove_folder(store, folder, material, err);

	free(folder);
	return rc ? err_wrap(err, "prove '%s'", store->path) : 0;
}

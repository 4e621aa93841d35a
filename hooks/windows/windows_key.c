/* windows_key.c - keys by the place where they live: CAPI or CNG, and the proof that one
 * signs for its certificate. */
#include "hooks/windows/windows_store_parts.h"

#include <stdlib.h>
#include <objbase.h>

#include <openssl/ecdsa.h>

#include "base/windows/wide.h"

#define CAPI_PROVIDER "Microsoft Enhanced RSA and AES Cryptographic Provider"
#define CNG_PROVIDER "Microsoft Software Key Storage Provider"
#define SIGNATURE_MAX 2048

void key_place_clear(struct key_place *place)
{
	free(place->container);
	free(place->provider);
	*place = (struct key_place){ 0 };
}

void key_place_for(const EVP_PKEY *key, const char *container, struct key_place *ret)
{
	bool rsa = EVP_PKEY_is_a(key, "RSA");

	*ret = (struct key_place){
		.container = str_dup(container),
		.provider = str_dup(rsa ? CAPI_PROVIDER : CNG_PROVIDER),
		.type = rsa ? PROV_RSA_AES : 0,
		.spec = rsa ? AT_KEYEXCHANGE : 0,
		.machine = true,
	};
}

bool key_place_is_same(const struct key_place *a, const struct key_place *b)
{
	return str_equal_nocase(a->container, b->container) && a->machine == b->machine;
}

int key_container_name(char **ret, struct err *err)
{
	wchar_t text[64];
	GUID guid;
	HRESULT result = CoCreateGuid(&guid);

	if (FAILED(result) || !StringFromGUID2(&guid, text, 64))
		return err_windows(err, (unsigned long)result,
				   "name a new key container");
	*ret = utf8_from_wide(text);
	return 0;
}

int key_create(const struct key_place *place, const EVP_PKEY *key, bool exportable,
	       struct err *err)
{
	return place->type ? capi_create(place, key, exportable, err)
			   : cng_create(place, key, exportable, err);
}

int key_delete(const struct key_place *place, struct err *err)
{
	return place->type ? capi_delete(place, err) : cng_delete(place, err);
}

int key_security_get(const struct key_place *place, PSECURITY_DESCRIPTOR *ret,
		     struct err *err)
{
	return place->type ? capi_security_get(place, ret, err)
			   : cng_security_get(place, ret, err);
}

int key_security_set(const struct key_place *place, PSECURITY_DESCRIPTOR descriptor,
		     struct err *err)
{
	return place->type ? capi_security_set(place, descriptor, err)
			   : cng_security_set(place, descriptor, err);
}

/* CNG's r and s side by side become what X.509 has. */
static int ecdsa_to_der(struct buf *signature, struct err *err)
{
	int half = (int)(signature->len / 2), len;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature->data, half, NULL);
	BIGNUM *s = BN_bin2bn(signature->data + half, half, NULL);
	unsigned char *der = NULL;
	int rc = -1;

	if (!sig || !r || !s || !ECDSA_SIG_set0(sig, r, s)) {
		BN_free(r);
		BN_free(s);
		err_openssl(err, "read a signature");
		goto out;
	}
	len = i2d_ECDSA_SIG(sig, &der);
	buf_clear(signature);
	if (len <= 0 || buf_append(signature, der, (size_t)len)) {
		err_openssl(err, "read a signature");
		goto out;
	}
	rc = 0;
out:
	ECDSA_SIG_free(sig);
	OPENSSL_free(der);
	return rc;
}

static int sign(const struct key_place *place, const EVP_PKEY *public_key,
		const void *text, size_t len, struct buf *ret, struct err *err)
{
	bool rsa = EVP_PKEY_is_a(public_key, "RSA");
	unsigned char digest[32];

	if (place->type)
		return capi_sign(place, text, len, ret, err);
	if (!EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL))
		return err_openssl(err, "make a digest");
	if (cng_sign(place, rsa, digest, ret, err))
		return -1;
	return rsa ? 0 : ecdsa_to_der(ret, err);
}

int key_proves(const struct key_place *place, const struct cert *cert, struct err *err)
{
	static const char text[] = "does this key sign?";
	EVP_PKEY *public_key = X509_get0_pubkey(cert_leaf(cert));
	EVP_MD_CTX *check = EVP_MD_CTX_new();
	struct buf signature;
	int rc = -1;

	buf_init(&signature, SIGNATURE_MAX);
	if (!public_key || !check) {
		err_openssl(err, "read the certificate's key");
		goto out;
	}
	if (sign(place, public_key, text, sizeof(text), &signature, err))
		goto out;
	if (EVP_DigestVerifyInit(check, NULL, EVP_sha256(), NULL, public_key) != 1 ||
	    EVP_DigestVerify(check, signature.data, signature.len,
			     (const unsigned char *)text, sizeof(text)) != 1) {
		err_openssl(err,
			    "the key in container '%s' does not belong to certificate %s",
			    place->container, cert_sha1(cert));
		err->kind = ERR_CONFIG;
		goto out;
	}
	rc = 0;
out:
	EVP_MD_CTX_free(check);
	buf_release(&signature);
	return rc;
}

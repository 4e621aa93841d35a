/* windows_cng.c - keys of CNG: EC keys of ours (`experimental`), and whatever AD CS or an
 * administrator made. Wine has hardly any of it: this is written by the documentation. */
#include "hooks/windows/windows_store_parts.h"

#include <stdlib.h>
#include <string.h>
#include <ncrypt.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "base/windows/wide.h"

#define BLOB_MAX 1024
#define ECDSA_P256_PRIVATE 0x32534345u
#define ECDSA_P384_PRIVATE 0x34534345u
#define SECURITY_FLAGS (DACL_SECURITY_INFORMATION | NCRYPT_SILENT_FLAG)

static DWORD machine_flag(const struct key_place *place)
{
	return place->machine ? NCRYPT_MACHINE_KEY_FLAG : 0;
}

static int open_provider(const struct key_place *place, NCRYPT_PROV_HANDLE *ret,
			 struct err *err)
{
	wchar_t *name = wide_from_utf8(place->provider);
	SECURITY_STATUS status = NCryptOpenStorageProvider(ret, name, 0);

	free(name);
	return status ? err_windows(err, (unsigned long)status, "open '%s'",
				    place->provider)
		      : 0;
}

static int open_key(const struct key_place *place, NCRYPT_KEY_HANDLE *ret,
		    struct err *err)
{
	wchar_t *name = wide_from_utf8(place->container);
	NCRYPT_PROV_HANDLE provider = 0;
	SECURITY_STATUS status;
	int rc = -1;

	if (open_provider(place, &provider, err))
		goto out;
	status = NCryptOpenKey(provider, ret, name, place->spec,
			       machine_flag(place) | NCRYPT_SILENT_FLAG);
	if (status) {
		err_windows(err, (unsigned long)status, "open the key '%s'",
			    place->container);
		if (status == NTE_BAD_KEYSET)
			err->kind = ERR_NOT_FOUND;
		goto out;
	}
	rc = 0;
out:
	if (provider)
		(void)NCryptFreeObject(provider);
	free(name);
	return rc;
}

/* ---- a new key ----------------------------------------------------------- */

static int append_number(const EVP_PKEY *key, const char *name, int len, struct buf *blob)
{
	unsigned char bytes[128];
	BIGNUM *number = NULL;
	int rc = -1;

	if (len <= (int)sizeof(bytes) && EVP_PKEY_get_bn_param(key, name, &number) &&
	    BN_bn2binpad(number, bytes, len) == len)
		rc = buf_append(blob, bytes, (size_t)len);
	BN_clear_free(number);
	SecureZeroMemory(bytes, sizeof(bytes));
	return rc;
}

/* BCRYPT_ECCKEY_BLOB, X, Y, d: big-endian. */
static int make_blob(const EVP_PKEY *key, struct buf *blob, struct err *err)
{
	int bits = EVP_PKEY_get_bits(key), len = bits / 8;
	const ULONG header[2] = { bits == 256 ? ECDSA_P256_PRIVATE : ECDSA_P384_PRIVATE,
				  (ULONG)len };

	if (bits != 256 && bits != 384)
		return err_set(err, ERR_CONFIG,
			       "an EC key for the Windows store is ec-p256 or ec-p384");
	if (buf_append(blob, header, sizeof(header)) ||
	    append_number(key, OSSL_PKEY_PARAM_EC_PUB_X, len, blob) ||
	    append_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, len, blob) ||
	    append_number(key, OSSL_PKEY_PARAM_PRIV_KEY, len, blob))
		return err_openssl(err, "take the key apart");
	return 0;
}

/* Named, and finished only when its export policy is set. */
static SECURITY_STATUS import(NCRYPT_PROV_HANDLE provider, const struct key_place *place,
			      struct buf *blob, bool exportable)
{
	wchar_t *name = wide_from_utf8(place->container);
	NCryptBuffer parameter = {
		.cbBuffer = (ULONG)((wcslen(name) + 1) * sizeof(wchar_t)),
		.BufferType = NCRYPTBUFFER_PKCS_KEY_NAME,
		.pvBuffer = name,
	};
	NCryptBufferDesc parameters = { NCRYPTBUFFER_VERSION, 1, &parameter };
	DWORD policy = exportable ? NCRYPT_ALLOW_EXPORT_FLAG |
					    NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG
				  : 0;
	NCRYPT_KEY_HANDLE key = 0;
	SECURITY_STATUS status;

	status = NCryptImportKey(provider, 0, BCRYPT_ECCPRIVATE_BLOB, &parameters, &key,
				 blob->data, (DWORD)blob->len,
				 machine_flag(place) | NCRYPT_SILENT_FLAG |
					 NCRYPT_DO_NOT_FINALIZE_FLAG);
	if (!status)
		status = NCryptSetProperty(key, NCRYPT_EXPORT_POLICY_PROPERTY,
					   (PBYTE)&policy, sizeof(policy),
					   NCRYPT_PERSIST_FLAG | NCRYPT_SILENT_FLAG);
	if (!status)
		status = NCryptFinalizeKey(key, NCRYPT_SILENT_FLAG);
	if (key)
		(void)NCryptFreeObject(key);
	free(name);
	return status;
}

int cng_create(const struct key_place *place, const EVP_PKEY *key, bool exportable,
	       struct err *err)
{
	NCRYPT_PROV_HANDLE provider = 0;
	SECURITY_STATUS status;
	struct buf blob;
	int rc = -1;

	buf_init_secret(&blob, BLOB_MAX);
	if (make_blob(key, &blob, err) || open_provider(place, &provider, err))
		goto out;
	status = import(provider, place, &blob, exportable);
	if (status) {
		err_windows(err, (unsigned long)status, "import the key '%s'",
			    place->container);
		goto out;
	}
	rc = 0;
out:
	if (provider)
		(void)NCryptFreeObject(provider);
	buf_release(&blob);
	return rc;
}

int cng_delete(const struct key_place *place, struct err *err)
{
	NCRYPT_KEY_HANDLE key;
	SECURITY_STATUS status;

	if (open_key(place, &key, err))
		return err->kind == ERR_NOT_FOUND ? 0 : -1;
	status = NCryptDeleteKey(key, NCRYPT_SILENT_FLAG); /* frees it */
	if (!status)
		return 0;
	(void)NCryptFreeObject(key);
	return err_windows(err, (unsigned long)status, "delete the key '%s'",
			   place->container);
}

/* ---- signing ------------------------------------------------------------- */

int cng_sign(const struct key_place *place, bool rsa, const unsigned char digest[32],
	     struct buf *ret, struct err *err)
{
	BCRYPT_PKCS1_PADDING_INFO padding = { BCRYPT_SHA256_ALGORITHM };
	unsigned char signature[1024], copy[32];
	DWORD n = sizeof(signature);
	NCRYPT_KEY_HANDLE key;
	SECURITY_STATUS status;

	if (open_key(place, &key, err))
		return -1;
	memcpy(copy, digest, sizeof(copy));
	status = NCryptSignHash(key, rsa ? &padding : NULL, copy, sizeof(copy), signature,
				sizeof(signature), &n,
				NCRYPT_SILENT_FLAG | (rsa ? BCRYPT_PAD_PKCS1 : 0));
	(void)NCryptFreeObject(key);
	if (status)
		return err_windows(err, (unsigned long)status, "sign with the key '%s'",
				   place->container);
	return buf_append(ret, signature, n);
}

/* ---- who may read it ----------------------------------------------------- */

int cng_security_get(const struct key_place *place, PSECURITY_DESCRIPTOR *ret,
		     struct err *err)
{
	NCRYPT_KEY_HANDLE key;
	BYTE *bytes = NULL;
	SECURITY_STATUS status;
	DWORD n = 0;

	if (open_key(place, &key, err))
		return -1;
	status = NCryptGetProperty(key, NCRYPT_SECURITY_DESCR_PROPERTY, NULL, 0, &n,
				   SECURITY_FLAGS);
	if (!status) {
		bytes = mem_calloc(1, n + 1);
		status = NCryptGetProperty(key, NCRYPT_SECURITY_DESCR_PROPERTY, bytes, n,
					   &n, SECURITY_FLAGS);
	}
	(void)NCryptFreeObject(key);
	if (status) {
		free(bytes);
		return err_windows(err, (unsigned long)status,
				   "read who may use the key '%s'", place->container);
	}
	*ret = bytes;
	return 0;
}

int cng_security_set(const struct key_place *place, PSECURITY_DESCRIPTOR descriptor,
		     struct err *err)
{
	NCRYPT_KEY_HANDLE key;
	SECURITY_STATUS status;

	if (open_key(place, &key, err))
		return -1;
	status = NCryptSetProperty(key, NCRYPT_SECURITY_DESCR_PROPERTY, descriptor,
				   GetSecurityDescriptorLength(descriptor),
				   SECURITY_FLAGS);
	(void)NCryptFreeObject(key);
	return status ? err_windows(err, (unsigned long)status,
				    "set who may use the key '%s'", place->container)
		      : 0;
}

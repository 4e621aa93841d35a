/* windows_capi.c - RSA keys in containers of the CryptoAPI: what win-acme's default
 * amounts to, and the one way that runs the same under Windows and Wine. */
#include "hooks/windows/windows_store_parts.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "base/windows/security.h"
#include "base/windows/wide.h"

#define BLOB_MAX ((size_t)8 * 1024)
#define RSA2_MAGIC 0x32415352u

static DWORD machine_flag(const struct key_place *place)
{
	return place->machine ? CRYPT_MACHINE_KEYSET : 0;
}

/* GetLastError() tells the rest. */
static BOOL acquire(const struct key_place *place, DWORD flags, HCRYPTPROV *ret)
{
	wchar_t *container = wide_from_utf8(place->container);
	wchar_t *provider = wide_from_utf8(place->provider);
	BOOL done = CryptAcquireContextW(ret, container, provider, place->type,
					 flags | machine_flag(place) | CRYPT_SILENT);
	DWORD code = GetLastError();

	free(container);
	free(provider);
	SetLastError(code);
	return done;
}

static int open_container(const struct key_place *place, HCRYPTPROV *ret, struct err *err)
{
	DWORD code;

	if (acquire(place, 0, ret))
		return 0;
	code = GetLastError(); /* making the sentence may change it */
	err_windows(err, code, "open the key container '%s'", place->container);
	if (code == (DWORD)NTE_BAD_KEYSET)
		err->kind = ERR_NOT_FOUND;
	return -1;
}

/* ---- a new key ----------------------------------------------------------- */

/* Appends one number of the key, little-endian, `len` bytes wide. */
static int append_number(const EVP_PKEY *key, const char *name, int len, struct buf *blob)
{
	unsigned char bytes[BLOB_MAX / 2];
	BIGNUM *number = NULL;
	int rc = -1;

	if (len <= (int)sizeof(bytes) && EVP_PKEY_get_bn_param(key, name, &number) &&
	    BN_bn2lebinpad(number, bytes, len) == len)
		rc = buf_append(blob, bytes, (size_t)len);
	BN_clear_free(number);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return rc;
}

/* PRIVATEKEYBLOB: header, public exponent, and the eight numbers. */
static int make_blob(const EVP_PKEY *key, struct buf *blob, struct err *err)
{
	static const struct {
		const char *name;
		int halves;
	} numbers[] = {
		{ OSSL_PKEY_PARAM_RSA_N, 2 },
		{ OSSL_PKEY_PARAM_RSA_FACTOR1, 1 },
		{ OSSL_PKEY_PARAM_RSA_FACTOR2, 1 },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT1, 1 },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT2, 1 },
		{ OSSL_PKEY_PARAM_RSA_COEFFICIENT1, 1 },
		{ OSSL_PKEY_PARAM_RSA_D, 2 },
	};
	const BLOBHEADER header = { PRIVATEKEYBLOB, CUR_BLOB_VERSION, 0, CALG_RSA_KEYX };
	RSAPUBKEY pub = { .magic = RSA2_MAGIC };
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *e = NULL;
	int rc = -1;

	if (bits <= 0 || bits % 16 || !EVP_PKEY_get_bn_param(key, "e", &e) ||
	    BN_num_bytes(e) > 4) {
		err_openssl(err, "the key's size or exponent does not fit Windows");
		goto out;
	}
	pub.bitlen = (DWORD)bits;
	pub.pubexp = (DWORD)BN_get_word(e);
	(void)buf_append(blob, &header, sizeof(header));
	(void)buf_append(blob, &pub, sizeof(pub));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (append_number(key, numbers[i].name, bits / 16 * numbers[i].halves,
				  blob)) {
			err_openssl(err, "take the key apart");
			goto out;
		}
	}
	rc = 0;
out:
	BN_free(e);
	return rc;
}

int capi_create(const struct key_place *place, const EVP_PKEY *key, bool exportable,
		struct err *err)
{
	HCRYPTPROV provider = 0;
	HCRYPTKEY imported = 0;
	struct buf blob;
	int rc = -1;

	buf_init_secret(&blob, BLOB_MAX);
	if (make_blob(key, &blob, err))
		goto out;
	if (!acquire(place, CRYPT_NEWKEYSET, &provider)) {
		err_os(err, "make the key container '%s'", place->container);
		goto out;
	}
	if (!CryptImportKey(provider, blob.data, (DWORD)blob.len, 0,
			    exportable ? CRYPT_EXPORTABLE : 0, &imported)) {
		err_os(err, "import the key into container '%s'", place->container);
		goto out;
	}
	rc = 0;
out:
	if (imported)
		(void)CryptDestroyKey(imported);
	if (provider)
		(void)CryptReleaseContext(provider, 0);
	buf_release(&blob);
	return rc;
}

int capi_delete(const struct key_place *place, struct err *err)
{
	HCRYPTPROV none;
	DWORD code;

	if (acquire(place, CRYPT_DELETEKEYSET, &none))
		return 0;
	code = GetLastError();
	if (code == (DWORD)NTE_BAD_KEYSET || code == (DWORD)NTE_KEYSET_NOT_DEF ||
	    code == ERROR_FILE_NOT_FOUND)
		return 0;
	return err_os(err, "delete the key container '%s'", place->container);
}

/* ---- signing ------------------------------------------------------------- */

/* Older providers of Microsoft know no SHA-256: the newer one opens their containers. */
static int open_for_signing(const struct key_place *place, HCRYPTPROV *ret,
			    struct err *err)
{
	struct key_place newer = *place;
	char provider[] = "Microsoft Enhanced RSA and AES Cryptographic Provider";

	if (place->type == PROV_RSA_FULL || place->type == PROV_RSA_SCHANNEL) {
		newer.type = PROV_RSA_AES;
		newer.provider = provider;
	}
	return open_container(&newer, ret, err);
}

/* CAPI's signatures are little-endian. */
static void reverse(unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		unsigned char byte = bytes[i];

		bytes[i] = bytes[len - 1 - i];
		bytes[len - 1 - i] = byte;
	}
}

int capi_sign(const struct key_place *place, const void *text, size_t len,
	      struct buf *ret, struct err *err)
{
	unsigned char signature[1024];
	DWORD n = sizeof(signature);
	HCRYPTPROV provider = 0;
	HCRYPTHASH hash = 0;
	int rc = -1;

	if (open_for_signing(place, &provider, err))
		return -1;
	if (!CryptCreateHash(provider, CALG_SHA_256, 0, 0, &hash) ||
	    !CryptHashData(hash, text, (DWORD)len, 0) ||
	    !CryptSignHashW(hash, place->spec, NULL, 0, signature, &n)) {
		err_os(err, "sign with the key in container '%s'", place->container);
		goto out;
	}
	reverse(signature, n);
	rc = buf_append(ret, signature, n);
out:
	if (hash)
		(void)CryptDestroyHash(hash);
	(void)CryptReleaseContext(provider, 0);
	return rc;
}

/* ---- who may read it ----------------------------------------------------- */

int capi_security_get(const struct key_place *place, PSECURITY_DESCRIPTOR *ret,
		      struct err *err)
{
	HCRYPTPROV provider = 0;
	BYTE *bytes = NULL;
	DWORD n = 0;
	int rc = -1;

	if (open_container(place, &provider, err))
		return -1;
	if (CryptGetProvParam(provider, PP_KEYSET_SEC_DESCR, NULL, &n,
			      DACL_SECURITY_INFORMATION)) {
		bytes = mem_calloc(1, n + 1);
		if (CryptGetProvParam(provider, PP_KEYSET_SEC_DESCR, bytes, &n,
				      DACL_SECURITY_INFORMATION))
			rc = 0;
	}
	if (rc) {
		err_os(err, "read who may use the key in container '%s'",
		       place->container);
		free(bytes);
	} else {
		*ret = bytes;
	}
	(void)CryptReleaseContext(provider, 0);
	return rc;
}

int capi_security_set(const struct key_place *place, PSECURITY_DESCRIPTOR descriptor,
		      struct err *err)
{
	HCRYPTPROV provider = 0;
	int rc = 0;

	if (open_container(place, &provider, err))
		return -1;
	/* Wine asks for the SACL's right too, once a list was set. */
	(void)privilege_take(L"SeSecurityPrivilege");
	if (!CryptSetProvParam(provider, PP_KEYSET_SEC_DESCR, descriptor,
			       DACL_SECURITY_INFORMATION))
		rc = err_os(err, "set who may use the key in container '%s'",
			    place->container);
	privilege_drop();
	(void)CryptReleaseContext(provider, 0);
	return rc;
}

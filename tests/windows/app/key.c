/* key.c - the certificate by its thumbprint, and TLS with a key that stays in its CAPI
 * container: OpenSSL asks us for each signature, we ask the provider. */
#include "app.h"

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wincrypt.h>

#include <openssl/rsa.h>
#include <openssl/x509.h>

#define CHAIN_LENGTH 5

struct container {
	HCRYPTPROV provider;
	DWORD spec;
	CRITICAL_SECTION lock;
};

static bool hash_from_hex(const char *hex, BYTE hash[20])
{
	unsigned byte;
	int i;

	for (i = 0; i < 20; i++) {
		if (sscanf(hex + i * 2, "%2x", &byte) != 1)
			return false;
		hash[i] = (BYTE)byte;
	}
	return true;
}

static HCERTSTORE open_store(const wchar_t *name)
{
	return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
			     CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG,
			     name);
}

static ALG_ID algorithm_of(int nid)
{
	switch (nid) {
	case NID_sha1:
		return CALG_SHA1;
	case NID_sha256:
		return CALG_SHA_256;
	case NID_sha384:
		return CALG_SHA_384;
	case NID_sha512:
		return CALG_SHA_512;
	default:
		return 0;
	}
}

/* RSA_meth_set_sign: PKCS#1 v1.5 by the provider, which answers little-endian. */
static int sign_in_container(int nid, const unsigned char *digest, unsigned int len,
			     unsigned char *sig, unsigned int *sig_len, const RSA *rsa)
{
	struct container *key = RSA_get_app_data(rsa);
	ALG_ID algorithm = algorithm_of(nid);
	DWORD size = (DWORD)RSA_size(rsa), i;
	HCRYPTHASH hash = 0;
	BYTE swap;
	BOOL ok;

	(void)len;
	EnterCriticalSection(&key->lock);
	ok = algorithm && CryptCreateHash(key->provider, algorithm, 0, 0, &hash) &&
	     CryptSetHashParam(hash, HP_HASHVAL, digest, 0) &&
	     CryptSignHashW(hash, key->spec, NULL, 0, sig, &size);
	if (hash)
		CryptDestroyHash(hash);
	LeaveCriticalSection(&key->lock);
	if (!ok)
		return 0;
	for (i = 0; i < size / 2; i++) {
		swap = sig[i];
		sig[i] = sig[size - 1 - i];
		sig[size - 1 - i] = swap;
	}
	*sig_len = size;
	return 1;
}

/* What Windows would check at CryptAcquireContext and Wine does not: may the account of
 * this service read the key? */
static bool account_may_read(const struct app *app, HCRYPTPROV provider)
{
	BYTE name_hash[20];
	wchar_t upper[256], text[128];
	DWORD words[5], len = 0, i;
	BYTE *descriptor;
	PSID sid = NULL;
	PACL acl = NULL;
	BOOL present = FALSE, defaulted, found = FALSE;

	wcscpy_s(upper, 256, app->service);
	CharUpperW(upper);
	len = sizeof(name_hash);
	CryptHashCertificate(0, CALG_SHA1, 0, (BYTE *)upper,
			     (DWORD)(wcslen(upper) * sizeof(*upper)), name_hash, &len);
	memcpy(words, name_hash, sizeof(words));
	swprintf(text, 128, L"S-1-5-80-%lu-%lu-%lu-%lu-%lu", words[0], words[1], words[2],
		 words[3], words[4]);
	len = 0;
	CryptGetProvParam(provider, PP_KEYSET_SEC_DESCR, NULL, &len,
			  DACL_SECURITY_INFORMATION);
	descriptor = calloc(1, len + 1);
	if (descriptor && ConvertStringSidToSidW(text, &sid) &&
	    CryptGetProvParam(provider, PP_KEYSET_SEC_DESCR, descriptor, &len,
			      DACL_SECURITY_INFORMATION) &&
	    GetSecurityDescriptorDacl(descriptor, &present, &acl, &defaulted) && present)
		for (i = 0; acl && i < acl->AceCount && !found; i++) {
			ACCESS_ALLOWED_ACE *ace;

			found = GetAce(acl, i, (void **)&ace) &&
				ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
				(ace->Mask &
				 (GENERIC_READ | GENERIC_ALL | READ_CONTROL)) &&
				EqualSid(&ace->SidStart, sid);
		}
	LocalFree(sid);
	free(descriptor);
	return found;
}

/* Is this service run by its own virtual account? */
static bool has_virtual_account(const struct app *app)
{
	BYTE buffer[8192];
	QUERY_SERVICE_CONFIGW *config = (QUERY_SERVICE_CONFIGW *)buffer;
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = OpenServiceW(manager, app->service, SERVICE_QUERY_CONFIG);
	DWORD needed;
	bool virtual = service &&
		       QueryServiceConfigW(service, config, sizeof(buffer), &needed) &&
		       !_wcsnicmp(config->lpServiceStartName, L"NT SERVICE\\", 11);

	CloseServiceHandle(service);
	CloseServiceHandle(manager);
	return virtual;
}

static struct container *open_container(struct app *app, PCCERT_CONTEXT cert)
{
	CRYPT_KEY_PROV_INFO *info = NULL;
	struct container *key = calloc(1, sizeof(*key));
	DWORD len = 0;

	if (CertGetCertificateContextProperty(cert, CERT_KEY_PROV_INFO_PROP_ID, NULL,
					      &len))
		info = calloc(1, len);
	if (!key || !info ||
	    !CertGetCertificateContextProperty(cert, CERT_KEY_PROV_INFO_PROP_ID, info,
					       &len)) {
		snprintf(app->why, APP_WORDS, "certificate %s has no private key",
			 app->thumbprint);
		goto fail;
	}
	if (!CryptAcquireContextW(&key->provider, info->pwszContainerName,
				  info->pwszProvName, info->dwProvType,
				  (info->dwFlags & CRYPT_MACHINE_KEYSET) |
					  CRYPT_SILENT)) {
		snprintf(app->why, APP_WORDS, "keyset of %s: error 0x%lx",
			 app->thumbprint, GetLastError());
		goto fail;
	}
	key->spec = info->dwKeySpec;
	if (app->service[0] && has_virtual_account(app) &&
	    !account_may_read(app, key->provider)) {
		snprintf(app->why, APP_WORDS,
			 "keyset of %s: access denied to 'NT SERVICE\\%ls'",
			 app->thumbprint, app->service);
		goto fail;
	}
	InitializeCriticalSection(&key->lock);
	free(info);
	return key;
fail:
	free(key);
	free(info);
	return NULL;
}

/* An RSA key of the certificate's public half whose signatures come from the container.
 */
static EVP_PKEY *key_of(struct container *container, X509 *x509)
{
	const RSA *public = EVP_PKEY_get0_RSA(X509_get0_pubkey(x509));
	RSA_METHOD *method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
	EVP_PKEY *pkey = EVP_PKEY_new();
	RSA *rsa = RSA_new();

	if (!public || !method || !pkey || !rsa)
		return NULL;
	RSA_meth_set1_name(method, "container");
	RSA_meth_set_sign(method, sign_in_container);
	RSA_set0_key(rsa, BN_dup(RSA_get0_n(public)), BN_dup(RSA_get0_e(public)), NULL);
	RSA_set_method(rsa, method);
	RSA_set_app_data(rsa, container);
	EVP_PKEY_assign_RSA(pkey, rsa);
	return pkey;
}

static X509 *x509_of(PCCERT_CONTEXT cert)
{
	const unsigned char *der = cert->pbCertEncoded;

	return d2i_X509(NULL, &der, (long)cert->cbCertEncoded);
}

/* Issuers from LocalMachine\CA, up to and without the root. */
static void add_intermediates(SSL_CTX *ctx, PCCERT_CONTEXT leaf)
{
	HCERTSTORE store = open_store(L"CA");
	PCCERT_CONTEXT now = CertDuplicateCertificateContext(leaf), issuer;
	int i;

	for (i = 0; store && i < CHAIN_LENGTH; i++) {
		issuer = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0,
						    CERT_FIND_SUBJECT_NAME,
						    &now->pCertInfo->Issuer, NULL);
		if (!issuer)
			break;
		SSL_CTX_add_extra_chain_cert(ctx, x509_of(issuer));
		CertFreeCertificateContext(now);
		now = issuer;
	}
	CertFreeCertificateContext(now);
	if (store)
		CertCloseStore(store, 0);
}

static PCCERT_CONTEXT find_certificate(struct app *app)
{
	BYTE hash[20];
	CRYPT_HASH_BLOB blob = { sizeof(hash), hash };
	HCERTSTORE store = open_store(L"My");
	PCCERT_CONTEXT cert = NULL;

	if (store && hash_from_hex(app->thumbprint, hash))
		cert = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0,
						  CERT_FIND_SHA1_HASH, &blob, NULL);
	if (!cert)
		snprintf(app->why, APP_WORDS, "no certificate %s in LocalMachine\\My",
			 app->thumbprint);
	if (store)
		CertCloseStore(store, 0);
	return cert;
}

enum app_exit key_context(struct app *app)
{
	PCCERT_CONTEXT cert = find_certificate(app);
	struct container *container = cert ? open_container(app, cert) : NULL;
	X509 *x509 = container ? x509_of(cert) : NULL;
	EVP_PKEY *pkey = x509 ? key_of(container, x509) : NULL;

	if (!cert)
		return APP_NO_CERTIFICATE;
	if (!container)
		return APP_NO_KEY;
	app->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_max_proto_version(app->ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(app->ctx, "ECDHE+AESGCM");
	SSL_CTX_set1_sigalgs_list(app->ctx, "RSA+SHA256:RSA+SHA384:RSA+SHA512");
	if (!pkey || SSL_CTX_use_certificate(app->ctx, x509) != 1 ||
	    SSL_CTX_use_PrivateKey(app->ctx, pkey) != 1) {
		snprintf(app->why, APP_WORDS, "the key of %s does not fit",
			 app->thumbprint);
		return APP_NO_KEY;
	}
	if (!app->mis.omit_chain)
		add_intermediates(app->ctx, cert);
	X509_free(x509);
	CertFreeCertificateContext(cert);
	return APP_RUNS;
}

/* tool_store.c - entries of LocalMachine stores: list, import, remove. */
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

HCERTSTORE tool_open_store(const wchar_t *name)
{
	return CertOpenStore(
		CERT_STORE_PROV_SYSTEM_W, 0, 0,
		CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_ENUM_ARCHIVED_FLAG, name);
}

static void hex_of(PCCERT_CONTEXT cert, wchar_t ret[41])
{
	BYTE hash[20] = { 0 };
	DWORD len = sizeof(hash), i;

	CertGetCertificateContextProperty(cert, CERT_SHA1_HASH_PROP_ID, hash, &len);
	for (i = 0; i < 20; i++)
		swprintf(ret + i * 2, 3, L"%02X", hash[i]);
}

PCCERT_CONTEXT tool_find(HCERTSTORE store, const wchar_t *thumbprint)
{
	PCCERT_CONTEXT cert = NULL;
	wchar_t hex[41];

	while ((cert = CertEnumCertificatesInStore(store, cert))) {
		hex_of(cert, hex);
		if (!_wcsicmp(hex, thumbprint))
			break;
	}
	return cert;
}

CRYPT_KEY_PROV_INFO *tool_provider(PCCERT_CONTEXT cert)
{
	CRYPT_KEY_PROV_INFO *info = NULL;
	DWORD len = 0;

	if (CertGetCertificateContextProperty(cert, CERT_KEY_PROV_INFO_PROP_ID, NULL,
					      &len))
		info = calloc(1, len);
	if (info && !CertGetCertificateContextProperty(cert, CERT_KEY_PROV_INFO_PROP_ID,
						       info, &len)) {
		free(info);
		info = NULL;
	}
	return info;
}

static void add_text(cJSON *object, const char *name, const wchar_t *text)
{
	char *utf8 = tool_utf8(text);

	cJSON_AddStringToObject(object, name, utf8);
	free(utf8);
}

static cJSON *describe(PCCERT_CONTEXT cert)
{
	cJSON *entry = cJSON_CreateObject();
	CRYPT_KEY_PROV_INFO *info = tool_provider(cert);
	wchar_t hex[41], friendly[512] = L"";
	DWORD len = sizeof(friendly), none = 0;

	hex_of(cert, hex);
	CertGetCertificateContextProperty(cert, CERT_FRIENDLY_NAME_PROP_ID, friendly,
					  &len);
	add_text(entry, "thumbprint", hex);
	add_text(entry, "friendly_name", friendly);
	cJSON_AddBoolToObject(entry, "archived",
			      CertGetCertificateContextProperty(
				      cert, CERT_ARCHIVED_PROP_ID, NULL, &none));
	add_text(entry, "container", info ? info->pwszContainerName : NULL);
	add_text(entry, "provider", info ? info->pwszProvName : NULL);
	cJSON_AddNumberToObject(entry, "type", info ? info->dwProvType : 0);
	cJSON_AddBoolToObject(entry, "machine",
			      info && info->dwFlags & CRYPT_MACHINE_KEYSET);
	free(info);
	return entry;
}

int tool_list(wchar_t **argv)
{
	HCERTSTORE store = tool_open_store(argv[0]);
	cJSON *list = cJSON_CreateArray();
	PCCERT_CONTEXT cert = NULL;
	char *text;

	if (!store)
		return tool_fail("open the store");
	while ((cert = CertEnumCertificatesInStore(store, cert)))
		cJSON_AddItemToArray(list, describe(cert));
	text = cJSON_Print(list);
	puts(text);
	free(text);
	cJSON_Delete(list);
	CertCloseStore(store, 0);
	return 0;
}

static BIO *open_pem(const wchar_t *path)
{
	size_t len = 0;
	char *text = tool_read(path, &len);

	return text ? BIO_new_mem_buf(text, (int)len) : NULL;
}

/* The first certificate of the file, with the key's container when there is one. */
static int add_to_store(const wchar_t *name, const wchar_t *path,
			CRYPT_KEY_PROV_INFO *info)
{
	HCERTSTORE store = tool_open_store(name);
	BIO *bio = open_pem(path);
	X509 *x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	unsigned char *der = NULL;
	int len = x509 ? i2d_X509(x509, &der) : 0;
	PCCERT_CONTEXT cert = NULL;

	if (!store || len <= 0)
		return tool_fail("read the certificate");
	cert = CertCreateCertificateContext(X509_ASN_ENCODING, der, (DWORD)len);
	if (!cert ||
	    (info && !CertSetCertificateContextProperty(cert, CERT_KEY_PROV_INFO_PROP_ID,
							0, info)) ||
	    !CertAddCertificateContextToStore(store, cert,
					      CERT_STORE_ADD_REPLACE_EXISTING, NULL))
		return tool_fail("add the certificate");
	CertControlStore(store, CERT_STORE_CTRL_COMMIT_FORCE_FLAG, CERT_STORE_CTRL_COMMIT,
			 NULL);
	CertCloseStore(store, 0);
	return 0;
}

int tool_add(wchar_t **argv)
{
	return add_to_store(argv[0], argv[1], NULL);
}

/* A container of the machine with the key of a PEM file. */
static int import_key(const wchar_t *path, const wchar_t *container)
{
	BIO *bio = open_pem(path), *blob = BIO_new(BIO_s_mem());
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	HCRYPTPROV provider = 0;
	HCRYPTKEY handle = 0;
	char *bytes = NULL;
	long len;

	if (!key || i2b_PrivateKey_bio(blob, key) <= 0)
		return tool_fail("read the key");
	len = BIO_get_mem_data(blob, &bytes);
	if (!CryptAcquireContextW(&provider, container, TOOL_PROVIDER, PROV_RSA_AES,
				  CRYPT_NEWKEYSET | CRYPT_MACHINE_KEYSET) ||
	    !CryptImportKey(provider, (BYTE *)bytes, (DWORD)len, 0, CRYPT_EXPORTABLE,
			    &handle))
		return tool_fail("import the key");
	CryptDestroyKey(handle);
	CryptReleaseContext(provider, 0);
	return 0;
}

int tool_import(wchar_t **argv)
{
	wchar_t provider[] = TOOL_PROVIDER;
	CRYPT_KEY_PROV_INFO info = {
		.pwszContainerName = argv[3],
		.pwszProvName = provider,
		.dwProvType = PROV_RSA_AES,
		.dwFlags = CRYPT_MACHINE_KEYSET,
		.dwKeySpec = AT_KEYEXCHANGE,
	};

	if (import_key(argv[2], argv[3]))
		return 1;
	return add_to_store(argv[0], argv[1], &info);
}

int tool_remove(wchar_t **argv)
{
	HCERTSTORE store = tool_open_store(argv[0]);
	PCCERT_CONTEXT cert = store ? tool_find(store, argv[1]) : NULL;

	if (!cert || !CertDeleteCertificateFromStore(cert))
		return tool_fail("remove the certificate");
	CertControlStore(store, CERT_STORE_CTRL_COMMIT_FORCE_FLAG, CERT_STORE_CTRL_COMMIT,
			 NULL);
	CertCloseStore(store, 0);
	return 0;
}

int tool_clear(wchar_t **argv)
{
	HCERTSTORE store = tool_open_store(argv[0]);
	PCCERT_CONTEXT cert;
	HCRYPTPROV gone;

	if (!store)
		return tool_fail("open the store");
	while ((cert = CertEnumCertificatesInStore(store, NULL))) {
		CRYPT_KEY_PROV_INFO *info = tool_provider(cert);

		if (info)
			CryptAcquireContextW(&gone, info->pwszContainerName,
					     info->pwszProvName, info->dwProvType,
					     (info->dwFlags & CRYPT_MACHINE_KEYSET) |
						     CRYPT_DELETEKEYSET);
		free(info);
		if (!CertDeleteCertificateFromStore(cert))
			return tool_fail("remove the certificate");
	}
	CertControlStore(store, CERT_STORE_CTRL_COMMIT_FORCE_FLAG, CERT_STORE_CTRL_COMMIT,
			 NULL);
	CertCloseStore(store, 0);
	return 0;
}

/* windows_entry.c - entries of the certificate stores: found, added, deleted, hidden, and
 * the place of a key as an entry names it. */
#include "hooks/windows/windows_store_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/windows/wide.h"

#define SHA1_BYTES 20

/* ---- stores -------------------------------------------------------------- */

int entry_store_open(const char *location, const char *name, enum entry_open how,
		     HCERTSTORE *ret, struct err *err)
{
	DWORD flags = CERT_STORE_ENUM_ARCHIVED_FLAG;
	wchar_t *wide;

	if (str_equal_nocase(location, "LocalMachine"))
		flags |= CERT_SYSTEM_STORE_LOCAL_MACHINE;
	else if (str_equal_nocase(location, "CurrentUser"))
		flags |= CERT_SYSTEM_STORE_CURRENT_USER;
	else
		return err_set(err, ERR_CONFIG,
			       "'%s' is no store location: use LocalMachine", location);
	if (how == ENTRY_READ)
		flags |= CERT_STORE_READONLY_FLAG;
	if (how != ENTRY_MAKE)
		flags |= CERT_STORE_OPEN_EXISTING_FLAG;
	wide = wide_from_utf8(name);
	*ret = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, flags, wide);
	free(wide);
	if (*ret)
		return 0;
	err_os(err, "open the certificate store '%s\\%s'", location, name);
	if (err->kind == ERR_DENIED)
		err_wrap(err, "run as administrator");
	return -1;
}

int entry_store_commit(HCERTSTORE store, struct err *err)
{
	if (CertControlStore(store, CERT_STORE_CTRL_COMMIT_FORCE_FLAG,
			     CERT_STORE_CTRL_COMMIT, NULL))
		return 0;
	return err_os(err, "write the certificate store");
}

/* ---- finding ------------------------------------------------------------- */

PCCERT_CONTEXT entry_find(HCERTSTORE store, const char *sha1)
{
	unsigned char digest[SHA1_BYTES];
	CRYPT_HASH_BLOB blob = { SHA1_BYTES, digest };

	if (strlen(sha1) != SHA1_BYTES * 2 || hex_decode(sha1, digest, SHA1_BYTES))
		return NULL;
	return CertFindCertificateInStore(store, X509_ASN_ENCODING, 0,
					  CERT_FIND_SHA1_HASH, &blob, NULL);
}

int entry_cert(PCCERT_CONTEXT entry, struct cert **ret, struct err *err)
{
	const unsigned char *der = entry->pbCertEncoded;
	X509 *x509 = d2i_X509(NULL, &der, (long)entry->cbCertEncoded);

	if (!x509)
		return err_openssl(err, "read an entry of the certificate store");
	*ret = cert_from_x509(x509, NULL);
	X509_free(x509);
	return 0;
}

int entry_key_place(PCCERT_CONTEXT entry, struct key_place *ret, struct err *err)
{
	CRYPT_KEY_PROV_INFO *info;
	DWORD n = 0;

	if (!CertGetCertificateContextProperty(entry, CERT_KEY_PROV_INFO_PROP_ID, NULL,
					       &n))
		return err_set(err, ERR_CONFIG,
			       "the store knows no private key for it; `certutil "
			       "-repairstore my SERIAL` finds one that lost its link");
	info = mem_calloc(1, n);
	if (!CertGetCertificateContextProperty(entry, CERT_KEY_PROV_INFO_PROP_ID, info,
					       &n)) {
		free(info);
		return err_os(err, "read where the entry's key is");
	}
	*ret = (struct key_place){
		.container = utf8_from_wide(info->pwszContainerName),
		.provider = utf8_from_wide(info->pwszProvName),
		.type = info->dwProvType,
		.spec = info->dwKeySpec,
		.machine = (info->dwFlags & CRYPT_MACHINE_KEYSET) != 0,
	};
	free(info);
	return 0;
}

/* ---- changing ------------------------------------------------------------ */

static int name_key(PCCERT_CONTEXT entry, const struct key_place *place, struct err *err)
{
	wchar_t *container = wide_from_utf8(place->container);
	wchar_t *provider = wide_from_utf8(place->provider);
	CRYPT_KEY_PROV_INFO info = {
		.pwszContainerName = container,
		.pwszProvName = provider,
		.dwProvType = place->type,
		.dwFlags = place->machine ? CRYPT_MACHINE_KEYSET : 0,
		.dwKeySpec = place->spec,
	};
	BOOL done = CertSetCertificateContextProperty(entry, CERT_KEY_PROV_INFO_PROP_ID,
						      0, &info);
	int rc = done ? 0 : err_os(err, "tell the entry where its key is");

	free(container);
	free(provider);
	return rc;
}

static int name_for_people(PCCERT_CONTEXT entry, const char *name, struct err *err)
{
	wchar_t *wide = wide_from_utf8(name);
	CRYPT_DATA_BLOB blob = {
		.cbData = (DWORD)((wcslen(wide) + 1) * sizeof(wchar_t)),
		.pbData = (BYTE *)wide,
	};
	BOOL done = CertSetCertificateContextProperty(entry, CERT_FRIENDLY_NAME_PROP_ID,
						      0, &blob);
	int rc = done ? 0 : err_os(err, "set the entry's friendly name");

	free(wide);
	return rc;
}

/* The entry gets its properties before it enters the store: nobody sees it half made. */
int entry_add(HCERTSTORE store, X509 *x509, const struct key_place *place,
	      const char *friendly_name, struct err *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x509, &der);
	PCCERT_CONTEXT entry = NULL;
	int rc = -1;

	if (len <= 0)
		return err_openssl(err, "encode the certificate");
	entry = CertCreateCertificateContext(X509_ASN_ENCODING, der, (DWORD)len);
	if (!entry) {
		err_os(err, "read the certificate");
		goto out;
	}
	if ((place && name_key(entry, place, err)) ||
	    (friendly_name && name_for_people(entry, friendly_name, err)))
		goto out;
	if (!CertAddCertificateContextToStore(store, entry,
					      CERT_STORE_ADD_REPLACE_EXISTING, NULL)) {
		err_os(err, "add the certificate to the store");
		goto out;
	}
	rc = entry_store_commit(store, err);
out:
	if (entry)
		CertFreeCertificateContext(entry);
	OPENSSL_free(der);
	return rc;
}

int entry_delete(HCERTSTORE store, const char *sha1, struct err *err)
{
	PCCERT_CONTEXT entry = entry_find(store, sha1);

	if (!entry)
		return 0;
	if (!CertDeleteCertificateFromStore(entry)) /* frees it */
		return err_os(err, "delete %s from the store", sha1);
	return entry_store_commit(store, err);
}

int entry_archive(HCERTSTORE store, const char *sha1, struct err *err)
{
	PCCERT_CONTEXT entry = entry_find(store, sha1);
	CRYPT_DATA_BLOB empty = { 0 };
	BOOL done;

	if (!entry)
		return err_set(err, ERR_NOT_FOUND, "%s is not in the store", sha1);
	done = CertSetCertificateContextProperty(entry, CERT_ARCHIVED_PROP_ID, 0, &empty);
	if (!done)
		err_os(err, "archive %s", sha1);
	CertFreeCertificateContext(entry);
	return done ? entry_store_commit(store, err) : -1;
}

/* ---- who else has a key -------------------------------------------------- */

static char *user_in(HCERTSTORE store, const struct key_place *place, const char *name,
		     const char *except)
{
	PCCERT_CONTEXT entry = NULL;
	char *found = NULL;

	while (!found && (entry = CertEnumCertificatesInStore(store, entry)) != NULL) {
		struct key_place its = { 0 };
		struct cert *cert = NULL;
		struct err ignored;

		if (entry_key_place(entry, &its, &ignored))
			continue;
		if (key_place_is_same(&its, place) &&
		    !entry_cert(entry, &cert, &ignored) &&
		    !str_equal_nocase(cert_sha1(cert), except ? except : ""))
			found = str_printf("'%s' %s", name, cert_sha1(cert));
		cert_free(cert);
		key_place_clear(&its);
	}
	if (entry)
		CertFreeCertificateContext(entry);
	return found;
}

int entry_others_with(const struct key_place *place, const struct store *store,
		      const char *sha1, char **ret, struct err *err)
{
	const char *const names[] = { store->name, "My", "WebHosting", "Remote Desktop" };

	*ret = NULL;
	for (size_t i = 0; !*ret && i < sizeof(names) / sizeof(*names); i++) {
		bool own = str_equal_nocase(names[i], store->name);
		HCERTSTORE other;

		if (i && own)
			continue;
		if (entry_store_open(store->location, names[i], ENTRY_READ, &other,
				     err)) {
			if (err->kind == ERR_NOT_FOUND)
				continue;
			return -1;
		}
		*ret = user_in(other, place, names[i], own ? sha1 : NULL);
		(void)CertCloseStore(other, 0);
	}
	return 0;
}

/* source_store.c - the Windows certificate store as a place where certificates appear: by
 * AD CS auto-enrolment, by certlm.msc, by certreq -accept. Only looks; no key leaves its
 * container, and none is opened for reading. */
#include "hooks/source.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <wincrypt.h>
/* wincrypt.h names things like OpenSSL does; base/cert.h's headers undo that. */

#include <openssl/x509.h>

#include "base/str.h"
#include "base/windows/wide.h"
#include "hooks/source_search.h"

/* Chains are made of what is here: nothing is fetched while we look. */
#define CHAIN_FLAGS                                                                      \
	(CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL | CERT_CHAIN_DISABLE_AUTH_ROOT_AUTO_UPDATE)

static const struct {
	const char *location;
	DWORD flag;
} locations[] = {
	{ "LocalMachine", CERT_SYSTEM_STORE_LOCAL_MACHINE },
	{ "CurrentUser", CERT_SYSTEM_STORE_CURRENT_USER },
};

static int open_store(const char *location, const char *name, HCERTSTORE *ret,
		      struct err *err)
{
	wchar_t *wide = wide_from_utf8(name);
	HCERTSTORE store = NULL;
	DWORD flag = 0;

	for (size_t i = 0; i < sizeof(locations) / sizeof(*locations); i++)
		if (str_equal_nocase(location, locations[i].location))
			flag = locations[i].flag;
	if (!flag) {
		free(wide);
		return err_set(err, ERR_CONFIG,
			       "'%s' is no store location: use LocalMachine", location);
	}
	store = CertOpenStore(
		CERT_STORE_PROV_SYSTEM_W, 0, 0,
		flag | CERT_STORE_OPEN_EXISTING_FLAG | CERT_STORE_READONLY_FLAG, wide);
	free(wide);
	if (!store)
		return err_os(err, "open the certificate store '%s\\%s'", location, name);
	*ret = store;
	return 0;
}

static X509 *x509_of(PCCERT_CONTEXT context)
{
	const unsigned char *der = context->pbCertEncoded;

	return d2i_X509(NULL, &der, (long)context->cbCertEncoded);
}

static bool is_root(PCCERT_CONTEXT context)
{
	return CertCompareCertificateName(X509_ASN_ENCODING, &context->pCertInfo->Subject,
					  &context->pCertInfo->Issuer);
}

/* The intermediates that this machine would send with it; none is fine. Gives. */
static STACK_OF(X509) * intermediates_of(PCCERT_CONTEXT context)
{
	CERT_CHAIN_PARA how = { .cbSize = sizeof(how) };
	STACK_OF(X509) *list = sk_X509_new_null();
	PCCERT_CHAIN_CONTEXT chain = NULL;

	if (!list || !CertGetCertificateChain(NULL, context, NULL, NULL, &how,
					      CHAIN_FLAGS, NULL, &chain))
		return list;
	for (DWORD i = 1; chain->cChain && i < chain->rgpChain[0]->cElement; i++) {
		PCCERT_CONTEXT above = chain->rgpChain[0]->rgpElement[i]->pCertContext;
		X509 *x509 = is_root(above) ? NULL : x509_of(above);

		if (x509 && sk_X509_push(list, x509) <= 0)
			X509_free(x509);
	}
	CertFreeCertificateChain(chain);
	return list;
}

static bool has_property(PCCERT_CONTEXT context, DWORD property)
{
	DWORD size = 0;

	return CertGetCertificateContextProperty(context, property, NULL, &size);
}

static void consider(struct source_search *search, PCCERT_CONTEXT context,
		     const char *place)
{
	X509 *leaf = x509_of(context);
	STACK_OF(X509) *above = NULL;
	struct cert *cert = NULL;

	if (!leaf)
		return; /* OpenSSL cannot read it: not one that we could compare */
	if (has_property(context, CERT_ARCHIVED_PROP_ID))
		goto out;
	above = intermediates_of(context);
	cert = cert_from_x509(leaf, above);
	if (!source_wants(search, cert, place))
		goto out;
	if (!search->query->look_only &&
	    !has_property(context, CERT_KEY_PROV_INFO_PROP_ID)) {
		source_refuse(search, cert, place,
			      "the store knows no private key for it; `certutil "
			      "-repairstore my SERIAL` finds one that lost its link");
		goto out;
	}
	source_offer(search, cert, NULL, place);
	cert = NULL;
out:
	cert_free(cert);
	sk_X509_pop_free(above, X509_free);
	X509_free(leaf);
}

int source_find_in_store(const char *location, const char *name,
			 const struct source_query *query, struct source_found *ret,
			 struct err *err)
{
	struct source_search search = { .query = query };
	PCCERT_CONTEXT context = NULL;
	HCERTSTORE store = NULL;
	char *place = NULL;
	int rc = -1;

	location = location ? location : "LocalMachine";
	name = name ? name : "My";
	if (open_store(location, name, &store, err))
		return -1;
	place = str_printf("the store '%s\\%s'", location, name);
	while ((context = CertEnumCertificatesInStore(store, context)) != NULL)
		consider(&search, context, place);
	rc = source_conclude(&search, place, ret, err);
	(void)CertCloseStore(store, 0);
	source_search_clear(&search);
	free(place);
	return rc;
}

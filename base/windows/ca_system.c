/* ca_system.c - the stores of the machine, and the chain engine that fetches roots. */
/* Before OpenSSL, which takes back the names that these define as numbers. */
#include <windows.h>
#include <wincrypt.h>

#include "base/ca_system.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/ca_store.h"
#include "base/str.h"

X509_STORE *ca_store_new(void)
{
	return X509_STORE_new();
}

static HCERTSTORE open_store(const wchar_t *name)
{
	return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
			     CERT_SYSTEM_STORE_LOCAL_MACHINE | CERT_STORE_READONLY_FLAG |
				     CERT_STORE_OPEN_EXISTING_FLAG,
			     name);
}

/* An administrator may have taken serverAuth away from a root. */
static bool serves_tls(PCCERT_CONTEXT root)
{
	DWORD size = 0;
	CERT_ENHKEY_USAGE *usage;
	bool found = false;

	if (!CertGetEnhancedKeyUsage(root, CERT_FIND_PROP_ONLY_ENHKEY_USAGE_FLAG, NULL,
				     &size) ||
	    size < sizeof(*usage))
		return true; /* nothing is said */
	usage = mem_calloc(1, size);
	if (CertGetEnhancedKeyUsage(root, CERT_FIND_PROP_ONLY_ENHKEY_USAGE_FLAG, usage,
				    &size))
		for (DWORD i = 0; i < usage->cUsageIdentifier && !found; i++)
			found = !strcmp(usage->rgpszUsageIdentifier[i],
					szOID_PKIX_KP_SERVER_AUTH);
	free(usage);
	return found;
}

static void add(X509_STORE *store, PCCERT_CONTEXT found)
{
	const unsigned char *der = found->pbCertEncoded;
	X509 *cert;

	if (!serves_tls(found))
		return;
	cert = d2i_X509(NULL, &der, (long)found->cbCertEncoded);
	if (cert)
		(void)X509_STORE_add_cert(store, cert);
	X509_free(cert);
}

/* Adds the roots of that name (DER of an X509_NAME); NULL: all of them. */
static void add_roots(X509_STORE *store, const X509_NAME *name)
{
	HCERTSTORE roots = open_store(L"ROOT");
	unsigned char *der = NULL;
	int n = name ? i2d_X509_NAME(name, &der) : 0;
	CERT_NAME_BLOB blob = { (DWORD)n, der };
	PCCERT_CONTEXT found = NULL;

	while (roots && n >= 0 &&
	       (found = CertFindCertificateInStore(roots, X509_ASN_ENCODING, 0,
						   name ? CERT_FIND_SUBJECT_NAME
							: CERT_FIND_ANY,
						   name ? &blob : NULL, found)) != NULL)
		add(store, found);
	OPENSSL_free(der);
	if (roots)
		CertCloseStore(roots, 0);
}

void ca_store_read_file(X509_STORE *store, const char *file)
{
	ERR_set_mark();
	if (file)
		(void)X509_STORE_load_file(store, file);
	else
		add_roots(store, NULL);
	ERR_pop_to_mark();
}

/* ---- what Windows itself makes of the chain ------------------------------ */

static PCCERT_CONTEXT context_of(X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	PCCERT_CONTEXT context = NULL;

	if (n > 0)
		context = CertCreateCertificateContext(X509_ASN_ENCODING, der, (DWORD)n);
	OPENSSL_free(der);
	return context;
}

/* What the peer sent, for Windows to build with. */
static HCERTSTORE store_of(STACK_OF(X509) * sent)
{
	HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);

	for (int i = 0; store && i < sk_X509_num(sent); i++) {
		PCCERT_CONTEXT one = context_of(sk_X509_value(sent, i));

		if (one) {
			(void)CertAddCertificateContextToStore(
				store, one, CERT_STORE_ADD_USE_EXISTING, NULL);
			CertFreeCertificateContext(one);
		}
	}
	return store;
}

/* The root of a chain that Windows trusts. Times are OpenSSL's business. */
static void add_trusted_root(X509_STORE *store, PCCERT_CHAIN_CONTEXT chain)
{
	const DWORD forgiven = CERT_TRUST_IS_NOT_TIME_VALID |
			       CERT_TRUST_REVOCATION_STATUS_UNKNOWN |
			       CERT_TRUST_IS_OFFLINE_REVOCATION;
	const CERT_SIMPLE_CHAIN *simple;

	if ((chain->TrustStatus.dwErrorStatus & ~forgiven) || !chain->cChain)
		return;
	simple = chain->rgpChain[0];
	if (simple->cElement)
		add(store, simple->rgpElement[simple->cElement - 1]->pCertContext);
}

static void ask_windows(X509_STORE_CTX *ctx)
{
	char *server_auth[] = { (char *)szOID_PKIX_KP_SERVER_AUTH };
	CERT_CHAIN_PARA wanted = { .cbSize = sizeof(wanted) };
	X509 *cert = X509_STORE_CTX_get0_cert(ctx);
	PCCERT_CONTEXT leaf = cert ? context_of(cert) : NULL;
	HCERTSTORE sent = store_of(X509_STORE_CTX_get0_untrusted(ctx));
	PCCERT_CHAIN_CONTEXT chain = NULL;

	wanted.RequestedUsage.dwType = USAGE_MATCH_TYPE_AND;
	wanted.RequestedUsage.Usage.cUsageIdentifier = 1;
	wanted.RequestedUsage.Usage.rgpszUsageIdentifier = server_auth;
	if (leaf && CertGetCertificateChain(HCCE_LOCAL_MACHINE, leaf, NULL, sent, &wanted,
					    0, NULL, &chain)) {
		add_trusted_root(X509_STORE_CTX_get0_store(ctx), chain);
		CertFreeCertificateChain(chain);
	}
	if (leaf)
		CertFreeCertificateContext(leaf);
	if (sent)
		CertCloseStore(sent, 0);
}

void ca_system_seek(X509_STORE_CTX *ctx, const char *file)
{
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);
	X509_STORE *store = X509_STORE_CTX_get0_store(ctx);
	int before = sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);

	ERR_set_mark();
	if (file)
		(void)X509_STORE_load_file(store, file);
	if (leaf)
		add_roots(store, X509_get_issuer_name(leaf));
	for (int i = 0; i < sk_X509_num(sent); i++)
		add_roots(store, X509_get_issuer_name(sk_X509_value(sent, i)));
	if (sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) == before)
		ask_windows(ctx);
	ERR_pop_to_mark();
}

/* ---- who must not be trusted --------------------------------------------- */

static bool is_in(HCERTSTORE store, X509 *cert)
{
	PCCERT_CONTEXT wanted = context_of(cert), found = NULL;

	if (wanted)
		found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0,
						   CERT_FIND_EXISTING, wanted, NULL);
	if (wanted)
		CertFreeCertificateContext(wanted);
	if (found)
		CertFreeCertificateContext(found);
	return found != NULL;
}

bool ca_system_distrusts(X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	HCERTSTORE store = open_store(L"Disallowed");
	bool found = false;

	for (int i = 0; store && i < sk_X509_num(chain) && !found; i++)
		found = is_in(store, sk_X509_value(chain, i));
	if (store)
		CertCloseStore(store, 0);
	return found;
}

#include "base/ca_store.h"

#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

X509_STORE *ca_store_new(void)
{
	X509_STORE *store = X509_STORE_new();
	X509_LOOKUP *folder;

	if (!store)
		return NULL;
	folder = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
	if (!folder || !X509_LOOKUP_add_dir(folder, NULL, X509_FILETYPE_DEFAULT)) {
		X509_STORE_free(store);
		return NULL;
	}
	return store;
}

void ca_store_read_file(X509_STORE *store, const char *file)
{
	X509_LOOKUP *lookup;

	ERR_set_mark();
	lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (lookup)
		(void)X509_LOOKUP_load_file(
			lookup, file, file ? X509_FILETYPE_PEM : X509_FILETYPE_DEFAULT);
	ERR_pop_to_mark();
}

/* Is there a trusted issuer of this one that has not expired itself? */
static bool issuer_known(X509_STORE_CTX *ctx, X509 *cert)
{
	X509 *issuer = NULL;
	bool known;

	if (!cert || X509_STORE_CTX_get1_issuer(&issuer, ctx, cert) != 1)
		return false;
	known = X509_cmp_current_time(X509_get0_notAfter(issuer)) > 0;
	X509_free(issuer);
	return known;
}

static bool anchored(X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);
	bool found;

	ERR_set_mark();
	found = issuer_known(ctx, X509_STORE_CTX_get0_cert(ctx));
	for (int i = 0; !found && i < sk_X509_num(sent); i++)
		found = issuer_known(ctx, sk_X509_value(sent, i));
	ERR_pop_to_mark();
	return found;
}

int ca_store_verify(X509_STORE_CTX *ctx, const char *file)
{
	if (!anchored(ctx))
		ca_store_read_file(X509_STORE_CTX_get0_store(ctx), file);
	return X509_verify_cert(ctx) == 1;
}

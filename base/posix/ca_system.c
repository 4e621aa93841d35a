/* ca_system.c - a folder of certificates under the hashes of their names, and a file. */
#include "base/ca_system.h"

#include <openssl/err.h>

#include "base/ca_store.h"

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

void ca_system_seek(X509_STORE_CTX *ctx, const char *file)
{
	ca_store_read_file(X509_STORE_CTX_get0_store(ctx), file);
}

bool ca_system_distrusts(X509_STORE_CTX *ctx)
{
	(void)ctx;
	return false; /* what is not trusted is not in the folder */
}

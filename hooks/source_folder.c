/* source_folder.c - the folder of PEM files as a place where certificates appear. */
#include "hooks/source.h"

#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/str.h"
#include "hooks/source_search.h"

#define PEM_MAX_BYTES ((size_t)256 * 1024)
#define FILES_MAX 1000 /* a folder with more is not one for certificates */

static bool may_hold_certificate(const char *name)
{
	return str_ends(name, ".pem") || str_ends(name, ".crt") || str_ends(name, ".cer");
}

static bool may_hold_key(const char *name)
{
	return str_ends(name, ".pem") || str_ends(name, ".key") || str_ends(name, ".crt");
}

/* Nobody is asked for a passphrase. */
static int no_password(char *out, int size, int writing, void *ctx)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

/* NULL when the file holds no key that can be used as it is. Gives. */
static EVP_PKEY *read_key(const char *path)
{
	struct err ignored;
	EVP_PKEY *key = NULL;
	struct buf pem;
	BIO *bio = NULL;

	buf_init_secret(&pem, PEM_MAX_BYTES);
	if (!file_read(path, &pem, &ignored) && pem.len)
		bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	ERR_clear_error();
	BIO_free(bio);
	buf_release(&pem);
	return key;
}

/* The real path behind links, and nobody else could have put the file there. Gives. */
static char *trusted_path(const char *path, struct err *err)
{
	char *real = NULL;

	if (file_resolve_trusted(path, &real, err))
		return NULL;
	if (file_check_trusted(real, err)) {
		free(real);
		return NULL;
	}
	return real;
}

/* The private key of `cert` from one of the folder's files. Gives; NULL: none. */
static EVP_PKEY *find_key(const char *folder, const struct strlist *names,
			  const struct cert *cert, struct err *err)
{
	EVP_PKEY *key = NULL;

	err_set(err, ERR_NOT_FOUND, "no unencrypted private key in '%s' belongs to it",
		folder);
	for (size_t i = 0; i < names->n && !key; i++) {
		char *path = path_join(folder, names->items[i]), *real = NULL;

		if (may_hold_key(names->items[i]))
			key = read_key(path);
		if (key && !cert_matches_key(cert, key)) {
			EVP_PKEY_free(key);
			key = NULL;
		}
		if (key)
			real = trusted_path(path, err);
		if (key && !real) {
			EVP_PKEY_free(key);
			key = NULL;
		}
		free(real);
		free(path);
	}
	return key;
}

static void consider(struct source_search *search, const char *folder,
		     const struct strlist *names, const char *path)
{
	struct cert *cert = NULL;
	EVP_PKEY *key = NULL;
	char *real = NULL;
	struct err err;

	if (cert_load(path, &cert, &err))
		return; /* a key, parameters, a list of CAs: not ours to judge */
	if (!source_wants(search, cert, path))
		goto out;
	if (!search->query->look_only) {
		real = trusted_path(path, &err);
		key = real ? find_key(folder, names, cert, &err) : NULL;
		if (!key) {
			source_refuse(search, cert, path, err.text);
			goto out;
		}
	}
	source_offer(search, cert, key, path);
	cert = NULL;
out:
	free(real);
	cert_free(cert);
}

int source_find_in_folder(const char *folder, const struct source_query *query,
			  struct source_found *ret, struct err *err)
{
	struct source_search search = { .query = query };
	struct strlist names = { 0 };
	char *place = str_printf("'%s'", folder);
	int rc = -1;

	if (dir_list(folder, &names, err))
		goto out;
	if (names.n > FILES_MAX) {
		err_set(err, ERR_CONFIG,
			"'%s' holds more than %d files: give certificates a folder of "
			"their own",
			folder, FILES_MAX);
		goto out;
	}
	for (size_t i = 0; i < names.n; i++) {
		char *path = path_join(folder, names.items[i]);

		if (may_hold_certificate(names.items[i]))
			consider(&search, folder, &names, path);
		free(path);
	}
	rc = source_conclude(&search, place, ret, err);
out:
	source_search_clear(&search);
	strlist_clear(&names);
	free(place);
	return rc;
}

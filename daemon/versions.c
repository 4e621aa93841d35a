#include "daemon/versions.h"

#include <stdlib.h>
#include <string.h>

#include "acme/key.h"
#include "base/files.h"
#include "base/seal.h"
#include "base/str.h"

#define KEY_MAX_BYTES ((size_t)64 * 1024)
#define KEY_IN_STORE "key.store"

/* Who looks into the folder sees what he has before him. */
static const char *key_file(void)
{
	return seal_protects() ? "key.sealed" : "key.pem";
}

/* Gives <folder>/versions/<n>[/<file>]. */
static char *version_path(const char *folder, int64_t n, const char *file)
{
	return str_printf("%s/versions/%lld%s%s", folder, (long long)n, file ? "/" : "",
			  file ? file : "");
}

/* 0 when the name is no number of ours ("007", "12x", "damaged"). */
static int64_t number_of(const char *name)
{
	char *end;
	long long n = strtoll(name, &end, 10);
	char *again = str_printf("%lld", n);
	bool same = n > 0 && str_equal(again, name);

	free(again);
	return same ? n : 0;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int versions_list(const char *folder, int64_t **ret, size_t *ret_n, struct err *err)
{
	char *path = path_join(folder, "versions");
	struct strlist names = { 0 };
	int64_t *numbers, n;
	size_t found = 0;
	int rc = -1;

	if (dir_list(path, &names, err) && err->kind != ERR_NOT_FOUND)
		goto out;
	numbers = mem_calloc(names.n + 1, sizeof(*numbers));
	for (size_t i = 0; i < names.n; i++) {
		n = number_of(names.items[i]);
		if (n)
			numbers[found++] = n;
	}
	qsort(numbers, found, sizeof(*numbers), by_number);
	*ret = numbers;
	*ret_n = found;
	rc = 0;
out:
	strlist_clear(&names);
	free(path);
	return rc;
}

static bool has_chain(const char *folder, int64_t n)
{
	char *path = version_path(folder, n, "fullchain.pem");
	struct file_facts facts = { .type = FILE_ABSENT };
	struct err ignored;

	(void)file_inspect(path, &facts, &ignored);
	free(path);
	return facts.type != FILE_ABSENT;
}

static bool key_is_in_store(const char *folder, int64_t n)
{
	char *path = version_path(folder, n, KEY_IN_STORE);
	struct file_facts facts = { .type = FILE_ABSENT };
	struct err ignored;

	(void)file_inspect(path, &facts, &ignored);
	free(path);
	return facts.type != FILE_ABSENT;
}

/* Reads and opens the key's file. */
static int read_key(const char *path, struct buf *ret_pem, struct err *err)
{
	struct buf sealed;
	int rc = -1;

	buf_init_secret(&sealed, KEY_MAX_BYTES);
	if (!file_read(path, &sealed, err))
		rc = unseal(sealed.data, sealed.len, ret_pem, err);
	buf_release(&sealed);
	return rc;
}

static int write_key(const char *path, const EVP_PKEY *key, struct err *err)
{
	struct buf pem, sealed;
	int rc = -1;

	buf_init_secret(&pem, KEY_MAX_BYTES);
	buf_init_secret(&sealed, KEY_MAX_BYTES);
	if (!key_to_pem(key, &pem, err) && !seal(pem.data, pem.len, &sealed, err))
		rc = file_replace(path, sealed.data, sealed.len, FILE_SECRET, err);
	buf_release(&sealed);
	buf_release(&pem);
	return rc;
}

static int load_key(const char *folder, int64_t n, struct version *version,
		    struct err *err)
{
	char *path = version_path(folder, n, key_file());
	struct file_facts facts = { .type = FILE_ABSENT };
	char *parent = path_parent(path);
	int rc = -1;

	if (file_inspect(parent, &facts, err))
		goto out;
	if (facts.type == FILE_ABSENT) {
		err_set(err, ERR_NOT_FOUND, "no version %lld in '%s'", (long long)n,
			folder);
		goto out;
	}
	if (read_key(path, &version->key_pem, err)) {
		if (err->kind == ERR_NOT_FOUND && key_is_in_store(folder, n)) {
			rc = 0;
			goto out;
		}
		/* A folder without either: whoever made it died before the key. */
		if (err->kind == ERR_NOT_FOUND && has_chain(folder, n))
			err_set(err, ERR_CONFIG, "damaged: '%s' is missing", path);
		else if (err->kind == ERR_CONFIG)
			err_wrap(err, "damaged: '%s'", path);
		goto out;
	}
	if (key_from_pem(version->key_pem.data, version->key_pem.len, &version->key,
			 err)) {
		if (err->kind == ERR_CONFIG)
			err_wrap(err, "damaged: '%s'", path);
		goto out;
	}
	rc = 0;
out:
	free(parent);
	free(path);
	return rc;
}

/* A chain that is not there yet is no failure. */
static int load_chain(const char *folder, int64_t n, struct version *version,
		      struct err *err)
{
	char *path = version_path(folder, n, "fullchain.pem");
	int rc = -1;

	if (cert_load(path, &version->cert, err)) {
		if (err->kind == ERR_NOT_FOUND)
			rc = 0;
		else if (err->kind == ERR_CONFIG)
			err_wrap(err, "damaged: '%s'", path);
		goto out;
	}
	if (version->key && !cert_matches_key(version->cert, version->key)) {
		err_set(err, ERR_CONFIG,
			"damaged: '%s' is not for the key in '%s' beside it", path,
			key_file());
		goto out;
	}
	rc = 0;
out:
	free(path);
	return rc;
}

int version_load(const char *folder, int64_t n, struct version *ret, struct err *err)
{
	struct version version = { .n = n };

	buf_init_secret(&version.key_pem, KEY_MAX_BYTES);
	if (load_key(folder, n, &version, err) || load_chain(folder, n, &version, err)) {
		version_clear(&version);
		return -1;
	}
	*ret = version;
	return 0;
}

void version_clear(struct version *version)
{
	if (!version)
		return;
	buf_release(&version->key_pem);
	EVP_PKEY_free(version->key);
	cert_free(version->cert);
	*version = (struct version){ 0 };
}

int version_load_newest(const char *folder, struct version *ret, struct err *err)
{
	struct version version;
	int64_t *numbers = NULL;
	size_t n = 0;
	int rc = -1;

	if (versions_list(folder, &numbers, &n, err))
		return -1;
	while (n > 0 && rc) {
		if (version_load(folder, numbers[--n], &version, err)) {
			/* Passed over only when it is known to be no good. */
			if (err->kind != ERR_CONFIG && err->kind != ERR_NOT_FOUND)
				goto out;
			continue;
		}
		if (version.cert) {
			*ret = version;
			rc = 0;
		} else {
			version_clear(&version);
		}
	}
	if (rc)
		err_set(err, ERR_NOT_FOUND, "no complete certificate in '%s/versions'",
			folder);
out:
	free(numbers);
	return rc;
}

static int create_with_key(const char *folder, int64_t n, const EVP_PKEY *key,
			   struct err *err)
{
	char *path = version_path(folder, n, NULL),
	     *key_path = path_join(path, key_file());
	struct file_facts facts;
	int rc = -1;

	if (file_inspect(key_path, &facts, err))
		goto out;
	if (facts.type != FILE_ABSENT) {
		err_set(err, ERR_BUG, "'%s' exists: a key is never overwritten",
			key_path);
		goto out;
	}
	if (dir_make(path, FILE_SECRET, err) || write_key(key_path, key, err))
		goto out;
	rc = 0;
out:
	if (rc)
		err_wrap(err, "keep the new key");
	free(key_path);
	free(path);
	return rc;
}

/* A folder that says where its key is, instead of holding it. */
static int create_without_key(const char *folder, int64_t n, struct err *err)
{
	char *path = version_path(folder, n, NULL);
	char *mark = path_join(path, KEY_IN_STORE);
	int rc = dir_make(path, FILE_SECRET, err);

	if (!rc)
		rc = file_replace(mark, "", 0, FILE_SECRET, err);
	free(mark);
	free(path);
	return rc ? err_wrap(err, "keep the new certificate") : 0;
}

int version_create(const char *folder, int64_t n, const EVP_PKEY *key, struct err *err)
{
	return key ? create_with_key(folder, n, key, err)
		   : create_without_key(folder, n, err);
}

int version_complete(const char *folder, int64_t n, const char *fullchain_pem,
		     struct err *err)
{
	char *path = version_path(folder, n, "fullchain.pem");
	int rc = file_replace(path, fullchain_pem, strlen(fullchain_pem), FILE_SECRET,
			      err);

	if (rc)
		err_wrap(err, "keep the new certificate");
	free(path);
	return rc;
}

int version_forget_key(const char *folder, int64_t n, struct err *err)
{
	char *mark = version_path(folder, n, KEY_IN_STORE);
	char *key = version_path(folder, n, key_file());
	int rc = -1;

	if (!file_replace(mark, "", 0, FILE_SECRET, err) && !file_remove(key, err))
		rc = 0;
	free(key);
	free(mark);
	return rc;
}

static int remove_version(const char *folder, int64_t n, struct err *err)
{
	char *path = version_path(folder, n, NULL);
	int rc = tree_remove(path, err);

	free(path);
	return rc;
}

/* Sure only when it could be looked at: what cannot is left. */
static bool lacks_chain(const char *folder, int64_t n)
{
	char *path = version_path(folder, n, "fullchain.pem");
	struct file_facts facts;
	struct err ignored;
	bool absent = !file_inspect(path, &facts, &ignored) && facts.type == FILE_ABSENT;

	free(path);
	return absent;
}

int versions_sweep(const char *folder, int64_t newest, int64_t waiting, struct err *err)
{
	int64_t *numbers = NULL;
	size_t n = 0;
	int rc = 0;

	if (versions_list(folder, &numbers, &n, err))
		return -1;
	for (size_t i = n; i-- > 0 && numbers[i] > newest && rc == 0;)
		if (numbers[i] != waiting && lacks_chain(folder, numbers[i]))
			rc = remove_version(folder, numbers[i], err);
	free(numbers);
	return rc;
}

int versions_prune(const char *folder, int64_t oldest_kept, struct err *err)
{
	int64_t *numbers = NULL;
	size_t n = 0;
	int rc = 0;

	if (versions_list(folder, &numbers, &n, err))
		return -1;
	for (size_t i = 0; i < n && numbers[i] < oldest_kept && rc == 0; i++)
		rc = remove_version(folder, numbers[i], err);
	free(numbers);
	return rc;
}

/* breaker_file.c - <state_dir>/breaker.json: when which set of names was issued by whom.
 * What the instants mean: breaker.c. */
#include "daemon/breaker.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/str.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define KEEP_S (8 * INT64_C(86400))
#define KEEP_MAX 1000 /* per key; the breaker opens long before */
#define KEY_HEX 65

/* Names in any order and case are one set; no name or issuer holds a line feed. */
static int make_key(const char *const *names, const char *issuer, char out[KEY_HEX],
		    struct err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct strlist sorted = { 0 };
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned len = 0;
	int rc = -1;

	for (size_t i = 0; names[i]; i++)
		strlist_add(&sorted, names[i]);
	strlist_sort(&sorted);
	if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(md, issuer, strlen(issuer) + 1))
		goto fail;
	for (size_t i = 0; i < sorted.n; i++) {
		if (!EVP_DigestUpdate(md, sorted.items[i], strlen(sorted.items[i]) + 1))
			goto fail;
	}
	if (!EVP_DigestFinal_ex(md, digest, &len))
		goto fail;
	hex_encode(digest, KEY_HEX / 2, false, out);
	rc = 0;
	goto out;
fail:
	err_openssl(err, "hash the names of a certificate");
out:
	EVP_MD_CTX_free(md);
	strlist_clear(&sorted);
	return rc;
}

/* Within what a double holds exactly, so that it can be an int64_t. */
static bool is_instant(const cJSON *at)
{
	double value = cJSON_GetNumberValue(at); /* NaN when it is no number */

	return value >= 0 && value <= 9007199254740992.0;
}

/* Is every member {"issued": [instants], ...}? */
static bool is_sound(const cJSON *file)
{
	const cJSON *set, *issued, *at;

	cJSON_ArrayForEach (set, file) {
		issued = cJSON_GetObjectItemCaseSensitive(set, "issued");
		if (!cJSON_IsArray(issued))
			return false;
		cJSON_ArrayForEach (at, issued) {
			if (!is_instant(at))
				return false;
		}
	}
	return true;
}

/* Gives the file's object, an empty one when there is none or it was set aside. */
static int read_file(const char *path, cJSON **ret_file, struct err *err)
{
	cJSON *file = NULL;

	if (state_file_read(path, FILE_MAX_BYTES, &file, err))
		return -1;
	if (file && !is_sound(file)) {
		cJSON_Delete(file);
		file = NULL;
		err_set(err, ERR_CONFIG, "damaged: '%s': not a list of issuances", path);
		if (state_file_set_aside(path, err))
			return -1;
	}
	if (!file)
		file = cJSON_CreateObject();
	if (!file)
		abort();
	*ret_file = file;
	return 0;
}

int breaker_read(const char *state_dir, const char *const *names, const char *issuer,
		 int64_t **ret_issued, size_t *ret_n, struct err *err)
{
	char *path = path_join(state_dir, "breaker.json"), key[KEY_HEX];
	cJSON *file = NULL;
	const cJSON *issued, *at;
	int64_t *instants;
	size_t n = 0;
	int rc = -1;

	if (make_key(names, issuer, key, err) || read_file(path, &file, err)) {
		err_wrap(err, "read how many certificates were issued");
		goto out;
	}
	issued = cJSON_GetObjectItemCaseSensitive(file, key);
	issued = cJSON_GetObjectItemCaseSensitive(issued, "issued");
	instants = mem_calloc((size_t)cJSON_GetArraySize(issued) + 1, sizeof(*instants));
	cJSON_ArrayForEach (at, issued)
		instants[n++] = (int64_t)cJSON_GetNumberValue(at);
	*ret_issued = instants;
	*ret_n = n;
	rc = 0;
out:
	cJSON_Delete(file);
	free(path);
	return rc;
}

/* Counted on a clock that was ahead: when its day comes it would count once more. */
#define AHEAD_S INT64_C(86400)

/* Drops what no rule looks at any more. */
static void drop_old(cJSON *file, int64_t now)
{
	cJSON *set, *next_set, *issued, *at, *next;

	for (set = file->child; set; set = next_set) {
		next_set = set->next;
		issued = cJSON_GetObjectItemCaseSensitive(set, "issued");
		for (at = issued->child; at; at = next) {
			next = at->next;
			if (cJSON_GetNumberValue(at) < (double)(now - KEEP_S) ||
			    cJSON_GetNumberValue(at) > (double)(now + AHEAD_S))
				cJSON_Delete(cJSON_DetachItemViaPointer(issued, at));
		}
		while (cJSON_GetArraySize(issued) > KEEP_MAX)
			cJSON_DeleteItemFromArray(issued, 0);
		if (!issued->child)
			cJSON_Delete(cJSON_DetachItemViaPointer(file, set));
	}
}

static bool any_is_ahead(const cJSON *file, int64_t now)
{
	const cJSON *set, *issued, *at;

	cJSON_ArrayForEach (set, file) {
		issued = cJSON_GetObjectItemCaseSensitive(set, "issued");
		cJSON_ArrayForEach (at, issued) {
			if (cJSON_GetNumberValue(at) > (double)(now + AHEAD_S))
				return true;
		}
	}
	return false;
}

int breaker_after_clock_moved(const char *state_dir, int64_t now, struct err *err)
{
	char *path = path_join(state_dir, "breaker.json");
	char *lock_path = path_join(state_dir, "breaker.lock");
	struct file_lock *lock = NULL;
	cJSON *file = NULL;
	int rc = -1;

	if (read_file(path, &file, err))
		goto out;
	if (!any_is_ahead(file, now)) {
		rc = 0;
		goto out;
	}
	cJSON_Delete(file);
	file = NULL;
	if (state_file_lock(lock_path, &lock, err) || read_file(path, &file, err))
		goto out;
	drop_old(file, now);
	rc = json_write_file(path, file, err);
out:
	if (rc)
		err_wrap(err, "forget what was counted on a clock that was wrong");
	file_lock_release(lock);
	cJSON_Delete(file);
	free(lock_path);
	free(path);
	return rc;
}

static void add_instant(cJSON *file, const char *key, const char *const *names,
			const char *issuer, int64_t now)
{
	cJSON *set = cJSON_GetObjectItemCaseSensitive(file, key), *at;

	if (!set) {
		set = cJSON_AddObjectToObject(file, key);
		if (!set || !cJSON_AddArrayToObject(set, "issued"))
			abort();
		json_set_string(set, "issuer", issuer); /* these two for people */
		json_set_string(set, "first_name", names[0]);
	}
	at = cJSON_CreateNumber((double)now);
	if (!at ||
	    !cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(set, "issued"), at))
		abort();
}

int breaker_count(const char *state_dir, const char *const *names, const char *issuer,
		  int64_t now, struct err *err)
{
	char *path = path_join(state_dir, "breaker.json"), key[KEY_HEX];
	char *lock_path = path_join(state_dir, "breaker.lock");
	struct file_lock *lock = NULL;
	cJSON *file = NULL;
	struct err read;
	int rc = -1;

	if (make_key(names, issuer, key, err) || state_file_lock(lock_path, &lock, err) ||
	    read_file(path, &file, err))
		goto out;
	read = *err; /* whether it was set aside: told even when all goes well */
	drop_old(file, now);
	add_instant(file, key, names, issuer, now);
	if (json_write_file(path, file, err))
		goto out;
	*err = read;
	rc = 0;
out:
	if (rc)
		err_wrap(err, "count a certificate before it is issued");
	file_lock_release(lock);
	cJSON_Delete(file);
	free(lock_path);
	free(path);
	return rc;
}

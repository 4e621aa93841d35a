#include "daemon/healing.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES ((size_t)64 * 1024)
#define TLS_JSON_MAX ((size_t)1024 * 1024)

bool healing_is_before(const struct healing *healing, const char *sha1,
		       const char *current)
{
	if (str_equal_nocase(sha1, current))
		return false;
	for (size_t i = 0; i < healing->n_written; i++)
		if (str_equal_nocase(healing->written[i].sha1, sha1))
			return true;
	return false;
}

const char *healing_wrote(const struct healing *healing, const char *sha256,
			  const char *current)
{
	for (size_t i = healing->n_written; sha256[0] && i-- > 0;) {
		const struct healing_written *one = &healing->written[i];

		if (str_equal(one->sha256, sha256) &&
		    !str_equal_nocase(one->sha1, current))
			return one->sha1;
	}
	return NULL;
}

bool healing_note(struct healing *healing, const char *sha1, const char *sha256)
{
	struct healing_written one = { 0 };

	for (size_t i = 0; i < healing->n_written; i++)
		if (str_equal_nocase(healing->written[i].sha1, sha1) &&
		    str_equal(healing->written[i].sha256, sha256))
			return false;
	str_copy(one.sha1, sizeof(one.sha1), sha1);
	str_copy(one.sha256, sizeof(one.sha256), sha256);
	if (healing->n_written == HEALING_WRITTEN) {
		memmove(healing->written, healing->written + 1,
			(HEALING_WRITTEN - 1) * sizeof(*healing->written));
		healing->n_written--;
	}
	healing->written[healing->n_written++] = one;
	return true;
}

int healing_hash(const char *path, char ret[CERT_SHA256_HEX], struct err *err)
{
	unsigned char digest[32];
	struct buf bytes;
	int rc = -1;

	ret[0] = '\0';
	if (!path)
		return 0;
	buf_init(&bytes, TLS_JSON_MAX);
	if (file_read(path, &bytes, err)) {
		rc = err->kind == ERR_NOT_FOUND ? 0 : -1;
		goto out;
	}
	if (!EVP_Digest(buf_str(&bytes), bytes.len, digest, NULL, EVP_sha256(), NULL))
		abort(); /* fails only when memory is out */
	hex_encode(digest, sizeof(digest), false, ret);
	rc = 0;
out:
	buf_release(&bytes);
	return rc;
}

/* ---- the file ------------------------------------------------------------ */

static char *path_of(const char *folder, const char *target)
{
	return str_printf("%s/targets/%s/healing.json", folder, target);
}

static int read_written(const cJSON *item, struct healing *ret)
{
	const char *sha1 = json_string(item, "sha1");
	const char *sha256 = json_string(item, "tls_json_sha256");

	if (!sha1 || strlen(sha1) != CERT_SHA1_HEX - 1 ||
	    (sha256 && strlen(sha256) != CERT_SHA256_HEX - 1))
		return -1;
	(void)healing_note(ret, sha1, sha256 ? sha256 : "");
	return 0;
}

static int from_json(const cJSON *file, void *into)
{
	struct healing *ret = into;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(file, "written"), *item;
	const char *rests = json_string(file, "rests_sha1");
	int64_t failures = json_int(file, "failures", 0);

	if (!cJSON_IsArray(list) || (rests && strlen(rests) != CERT_SHA1_HEX - 1))
		return -1;
	cJSON_ArrayForEach (item, list)
		if (read_written(item, ret))
			return -1;
	ret->restarted_at = json_int(file, "restarted_at", 0);
	ret->retry_at = json_int(file, "retry_at", 0);
	ret->failures = failures > 0 && failures < 10000 ? (unsigned)failures : 0;
	str_copy(ret->rests_sha1, sizeof(ret->rests_sha1), rests ? rests : "");
	return 0;
}

static void empty(void *healing)
{
	memset(healing, 0, sizeof(struct healing));
}

int healing_read(const char *folder, const char *target, struct healing *ret,
		 struct err *err)
{
	static const struct state_reader reader = { FILE_MAX_BYTES, "what we write",
						    from_json, empty };
	char *path = path_of(folder, target);
	int rc;

	empty(ret);
	rc = state_file_load(path, &reader, ret, err);
	free(path);
	return rc;
}

int healing_write(const char *folder, const char *target, const struct healing *healing,
		  struct err *err)
{
	char *path = path_of(folder, target), *parent = path_parent(path);
	cJSON *file = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(file, "written");
	int rc = -1;

	for (size_t i = 0; i < healing->n_written; i++) {
		const struct healing_written *one = &healing->written[i];
		cJSON *item = cJSON_CreateObject();

		json_set_string(item, "sha1", one->sha1);
		json_set_string(item, "tls_json_sha256",
				one->sha256[0] ? one->sha256 : NULL);
		cJSON_AddItemToArray(list, item);
	}
	json_set_int(file, "restarted_at", healing->restarted_at);
	json_set_int(file, "retry_at", healing->retry_at);
	json_set_int(file, "failures", healing->failures);
	json_set_string(file, "rests_sha1",
			healing->rests_sha1[0] ? healing->rests_sha1 : NULL);
	if (!dir_make(parent, FILE_SECRET, err) && !json_write_file(path, file, err))
		rc = 0;
	cJSON_Delete(file);
	free(parent);
	free(path);
	return rc;
}

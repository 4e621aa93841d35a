/* store_parts.c - names and bytes of a directory store. */
#include "hooks/store_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define PART_MAX_BYTES ((size_t)256 * 1024)
#define MARKER ".certrenewd"
#define MARKER_MAX 4096
#define SHA1_DIGITS (CERT_SHA1_HEX - 1)

static const char *const part_names[] = {
	[PART_KEY] = "key.pem",
	[PART_CERT] = "cert.pem",
	[PART_CHAIN] = "chain.pem",
	[PART_FULLCHAIN] = "fullchain.pem",
};
_Static_assert(sizeof(part_names) / sizeof(*part_names) == PARTS, "a name for each");

const char *store_part_name(enum store_part part)
{
	return part_names[part];
}

enum file_audience store_part_audience(enum store_part part)
{
	return part == PART_KEY ? FILE_SECRET : FILE_PUBLIC;
}

void store_part_bytes(enum store_part part, const struct material *material,
		      struct buf *ret)
{
	char *pem;

	if (part == PART_KEY) {
		buf_init_secret(ret, PART_MAX_BYTES);
		buf_append(ret, material->key_pem, material->key_len);
		return;
	}
	pem = part == PART_CERT    ? cert_leaf_pem(material->cert)
	      : part == PART_CHAIN ? cert_chain_pem(material->cert)
				   : cert_fullchain_pem(material->cert);
	buf_init(ret, PART_MAX_BYTES);
	buf_puts(ret, pem);
	free(pem);
}

uint32_t store_key_mode(const struct store *store)
{
	if (store->key_mode)
		return store->key_mode;
	return store->group ? 0640 : 0600;
}

char *store_container(const struct store *store)
{
	return str_printf("%s.versions", store->path);
}

char *store_version(const struct store *store, const char *sha1)
{
	return str_printf("%s.versions/%s", store->path, sha1);
}

char *store_link_target(const struct store *store, const char *sha1)
{
	return str_printf("%s.versions/%s", path_base(store->path), sha1);
}

bool store_is_version_name(const char *name)
{
	return strlen(name) == SHA1_DIGITS &&
	       strspn(name, "0123456789ABCDEF") == SHA1_DIGITS;
}

int store_is_ours(const char *folder, bool *ret_ours, struct err *err)
{
	char *marker = path_join(folder, MARKER);
	struct file_facts facts;
	int rc = file_inspect(marker, &facts, err);

	if (!rc)
		*ret_ours = facts.type == FILE_REGULAR;
	free(marker);
	return rc;
}

int64_t store_sequence(const char *folder)
{
	char *marker = path_join(folder, MARKER);
	cJSON *json = NULL;
	struct err err;
	int64_t sequence = 0;

	if (!json_read_file(marker, MARKER_MAX, &json, &err))
		sequence = json_int(json, "sequence", 0);
	cJSON_Delete(json);
	free(marker);
	return sequence;
}

int store_mark(const char *folder, int64_t sequence, struct err *err)
{
	char *marker = path_join(folder, MARKER);
	cJSON *json = cJSON_CreateObject();
	int rc;

	json_set_string(json, "made_by", "certrenewd");
	json_set_int(json, "sequence", sequence);
	rc = json_write_file(marker, json, err);
	cJSON_Delete(json);
	free(marker);
	return rc;
}

static int not_ours(const struct store *store, const char *what, struct err *err)
{
	return err_set(err, ERR_CONFIG,
		       "'%s' is %s that certrenewd did not make: move it away or choose "
		       "another path",
		       store->path, what);
}

/* "shop.versions/77AF..." -> "77AF...", when it is exactly that. */
static int version_in_link(const struct store *store, char **ret_sha1, struct err *err)
{
	char *target = NULL, *expected = NULL;
	const char *sha1;
	int rc = -1;

	if (link_read(store->path, &target, err))
		goto out;
	sha1 = path_base(target);
	expected = store_link_target(store, sha1);
	if (!store_is_version_name(sha1) || !str_equal(target, expected)) {
		not_ours(store, "a link", err);
		goto out;
	}
	*ret_sha1 = str_dup(sha1);
	rc = 0;
out:
	free(target);
	free(expected);
	return rc;
}

int store_link_read(const struct store *store, char **ret_sha1, struct err *err)
{
	struct file_facts facts;

	if (file_inspect(store->path, &facts, err))
		return -1;
	switch (facts.type) {
	case FILE_ABSENT:
		*ret_sha1 = NULL;
		return 0;
	case FILE_LINK:
		return version_in_link(store, ret_sha1, err);
	case FILE_DIRECTORY:
		return not_ours(store, "a folder", err);
	case FILE_REGULAR:
	case FILE_OTHER:
		break;
	}
	return not_ours(store, "a file", err);
}

/* world_state.c - a state file that is read again as it was is not parsed again: the
 * linker sends json_read_file() here first (CMakeLists.txt). What is given is a tree of
 * its own, whose texts are those of the one that is kept. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/json.h"
#include "base/str.h"

#define KEPT 128 /* far more than are looked at at a time: the oldest goes */

struct kept {
	uint64_t hash;
	char *text;
	size_t len;
	cJSON *json;
};

int __wrap_json_read_file(const char *path, size_t max_bytes, cJSON **ret_json,
			  struct err *err);

static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t hash = 14695981039346656037U ^ len, word;

	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		hash = (hash ^ word) * 1099511628211U;
		hash ^= hash >> 32;
	}
	for (; len; len--)
		hash = (hash ^ (unsigned char)*text++) * 1099511628211U;
	return hash;
}

static cJSON *copy_of(const cJSON *json)
{
	cJSON *copy = mem_calloc(1, sizeof(*copy)), *last = NULL;

	*copy = *json;
	copy->next = copy->prev = copy->child = NULL;
	if (json->string)
		copy->type |= cJSON_StringIsConst;
	if (json->valuestring)
		copy->type |= cJSON_IsReference;
	for (const cJSON *from = json->child; from; from = from->next) {
		cJSON *item = copy_of(from);

		item->prev = last;
		*(last ? &last->next : &copy->child) = item;
		last = item;
	}
	if (last)
		copy->child->prev = last;
	return copy;
}

static const cJSON *kept_json(struct buf *text, struct err *err)
{
	static struct kept all[KEPT];
	static size_t n;
	uint64_t hash = hash_of(buf_str(text), text->len);
	struct kept *kept = all;
	cJSON *json;

	for (; kept < all + KEPT; kept++)
		if (kept->hash == hash && kept->json && kept->len == text->len &&
		    !memcmp(kept->text, text->data, text->len))
			return kept->json;
	if (json_parse(text->data, text->len, &json, err))
		return NULL;
	kept = &all[n++ % KEPT];
	cJSON_Delete(kept->json);
	free(kept->text);
	*kept = (struct kept){ hash, mem_calloc(text->len + 1, 1), text->len, json };
	memcpy(kept->text, text->data, text->len);
	return json;
}

/* As base/json.c does it. */
int __wrap_json_read_file(const char *path, size_t max_bytes, cJSON **ret_json,
			  struct err *err)
{
	const cJSON *json;
	struct buf text;
	int rc = -1;

	buf_init(&text, max_bytes);
	if (file_read(path, &text, err))
		goto out;
	json = kept_json(&text, err);
	if (!json) {
		err->kind = ERR_CONFIG;
		err_wrap(err, "damaged: '%s'", path);
		goto out;
	}
	if (!cJSON_IsObject(json)) {
		err_set(err, ERR_CONFIG, "damaged: '%s': not a JSON object", path);
		goto out;
	}
	*ret_json = copy_of(json);
	rc = 0;
out:
	buf_release(&text);
	return rc;
}

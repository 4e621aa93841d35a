#include "daemon/challenge_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/state_file.h"

#define FILE_NAME "challenges.json"
#define FILE_MAX_BYTES ((size_t)1024 * 1024)

/* One row a string of an entry. */
static const struct {
	const char *name;
	size_t offset;
} texts[] = {
	{ "type", offsetof(struct challenge_entry, type) },
	{ "provider", offsetof(struct challenge_entry, provider) },
	{ "webroot", offsetof(struct challenge_entry, webroot) },
	{ "domain", offsetof(struct challenge_entry, domain) },
	{ "record", offsetof(struct challenge_entry, record) },
	{ "value", offsetof(struct challenge_entry, value) },
	{ "token", offsetof(struct challenge_entry, token) },
	{ "key_authorization", offsetof(struct challenge_entry, key_authorization) },
};
#define N_TEXTS (sizeof(texts) / sizeof(*texts))

static char **text_of(struct challenge_entry *entry, size_t i)
{
	return (char **)(void *)((char *)entry + texts[i].offset);
}

static void entry_clear(struct challenge_entry *entry)
{
	for (size_t i = 0; i < N_TEXTS; i++)
		free(*text_of(entry, i));
	*entry = (struct challenge_entry){ 0 };
}

void challenge_record_clear(struct challenge_record *record)
{
	for (size_t i = 0; i < record->n; i++)
		entry_clear(&record->items[i]);
	free(record->items);
	*record = (struct challenge_record){ 0 };
}

void challenge_record_add(struct challenge_record *record,
			  const struct challenge_entry *entry)
{
	struct challenge_entry copy = *entry;

	for (size_t i = 0; i < N_TEXTS; i++)
		*text_of(&copy, i) = str_dup(*text_of(&copy, i));
	record->items = mem_realloc(record->items,
				    (record->n + 1) * sizeof(*record->items));
	record->items[record->n++] = copy;
}

static bool same(const struct challenge_entry *a, const struct challenge_entry *b)
{
	return str_equal(a->type, b->type) && str_equal(a->token, b->token) &&
	       str_equal(a->record, b->record);
}

void challenge_record_drop(struct challenge_record *record, size_t i)
{
	entry_clear(&record->items[i]);
	record->n--;
	memmove(&record->items[i], &record->items[i + 1],
		(record->n - i) * sizeof(*record->items));
}

void challenge_record_remove(struct challenge_record *record,
			     const struct challenge_entry *entry)
{
	for (size_t i = record->n; i-- > 0;)
		if (same(&record->items[i], entry))
			challenge_record_drop(record, i);
}

/* ---- the file ------------------------------------------------------------- */

/* Without type and token nobody knows what to remove. */
static int read_entry(const cJSON *json, struct challenge_record *record)
{
	struct challenge_entry entry = { 0 };
	int64_t tries = json_int(json, "tries", 0);

	for (size_t i = 0; i < N_TEXTS; i++)
		/* borrowed until it is copied */
		*text_of(&entry, i) = (char *)json_string(json, texts[i].name);
	entry.made_at = json_int(json, "made_at", 0);
	if (!entry.type || !entry.token || tries < 0 || tries > INT32_MAX)
		return -1;
	entry.tries = (unsigned)tries;
	challenge_record_add(record, &entry);
	return 0;
}

static int from_json(const cJSON *file, void *into)
{
	struct challenge_record *ret = into;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(file, "challenges"), *each;

	if (!cJSON_IsArray(list))
		return -1;
	cJSON_ArrayForEach (each, list) {
		if (read_entry(each, ret))
			return -1;
	}
	return 0;
}

static void clear(void *record)
{
	challenge_record_clear(record);
}

int challenge_record_read(const char *folder, struct challenge_record *ret,
			  struct err *err)
{
	static const struct state_reader reader = { FILE_MAX_BYTES,
						    "a list of challenges", from_json,
						    clear };
	char *path = path_join(folder, FILE_NAME);
	struct challenge_record record = { 0 };
	int rc = state_file_load(path, &reader, &record, err);

	if (!rc)
		*ret = record;
	free(path);
	return rc;
}

static cJSON *entry_to_json(struct challenge_entry *entry)
{
	cJSON *json = cJSON_CreateObject();

	for (size_t i = 0; i < N_TEXTS; i++)
		if (*text_of(entry, i))
			json_set_string(json, texts[i].name, *text_of(entry, i));
	json_set_int(json, "made_at", entry->made_at);
	json_set_int(json, "tries", entry->tries);
	return json;
}

int challenge_record_write(const char *folder, const struct challenge_record *record,
			   struct err *err)
{
	char *path = path_join(folder, FILE_NAME);
	cJSON *file, *list;
	int rc;

	if (!record->n) {
		rc = file_remove(path, err);
		free(path);
		return rc;
	}
	file = cJSON_CreateObject();
	list = cJSON_AddArrayToObject(file, "challenges");
	if (!list)
		abort();
	for (size_t i = 0; i < record->n; i++)
		if (!cJSON_AddItemToArray(list, entry_to_json(&record->items[i])))
			abort();
	rc = json_write_file(path, file, err);
	cJSON_Delete(file);
	free(path);
	return rc;
}

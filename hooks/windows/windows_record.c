/* windows_record.c - what the store cannot say: which entries are ours, and in which
 * containers their keys are. One file for each, written before the container is made:
 * whatever we may have made is named somewhere. */
#include "hooks/windows/windows_store_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"

#define RECORD_MAX ((size_t)16 * 1024)
#define SHA1_DIGITS 40

void record_clear(struct record *record)
{
	key_place_clear(&record->place);
	*record = (struct record){ 0 };
}

/* "-My.json": one certificate may lie in two stores. */
static char *suffix(const struct store *store)
{
	char *text = str_printf("-%s.json", store->name);

	for (char *c = text + 1; *c; c++)
		*c = (char)(isalnum((unsigned char)*c) || *c == '.'
				    ? tolower((unsigned char)*c)
				    : '_');
	return text;
}

static char *record_path(const struct store *store, const char *sha1)
{
	char *end = suffix(store), *name = str_printf("%s%s", sha1, end);
	char *path;

	for (char *c = name; c < name + strlen(sha1); c++)
		*c = (char)toupper((unsigned char)*c);
	path = path_join(store->records, name);
	free(name);
	free(end);
	return path;
}

int record_read(const struct store *store, const char *sha1, struct record *ret,
		struct err *err)
{
	char *path = record_path(store, sha1);
	cJSON *json = NULL;
	int rc = -1;

	if (json_read_file(path, RECORD_MAX, &json, err))
		goto out;
	if (!json_string(json, "container") || !json_string(json, "provider")) {
		err_set(err, ERR_CONFIG, "damaged: '%s' names no key container", path);
		goto out;
	}
	*ret = (struct record){
		.place = { .container = str_dup(json_string(json, "container")),
			   .provider = str_dup(json_string(json, "provider")),
			   .type = (DWORD)json_int(json, "type", 0),
			   .spec = (DWORD)json_int(json, "spec", 0),
			   .machine = json_bool(json, "machine", true) },
		.sequence = json_int(json, "sequence", 0),
		.imported_at = json_int(json, "imported_at", 0),
		.adopted = json_bool(json, "adopted", false),
	};
	rc = 0;
out:
	cJSON_Delete(json);
	free(path);
	return rc;
}

static int64_t highest_sequence(const struct store *store)
{
	struct strlist have = { 0 };
	struct record record;
	int64_t highest = 0;
	struct err ignored;

	if (!record_list(store, &have, &ignored) && have.n &&
	    !record_read(store, have.items[have.n - 1], &record, &ignored)) {
		highest = record.sequence;
		record_clear(&record);
	}
	strlist_clear(&have);
	return highest;
}

int record_write(const struct store *store, const char *sha1, struct record *record,
		 struct err *err)
{
	cJSON *json = cJSON_CreateObject();
	char *path = record_path(store, sha1);
	int rc = -1;

	if (dir_make(store->records, FILE_SECRET, err))
		goto out;
	if (!record->sequence) {
		record->sequence = highest_sequence(store) + 1;
		record->imported_at = clock_wall();
	}
	json_set_string(json, "location", store->location);
	json_set_string(json, "store", store->name);
	json_set_string(json, "container", record->place.container);
	json_set_string(json, "provider", record->place.provider);
	json_set_int(json, "type", record->place.type);
	json_set_int(json, "spec", record->place.spec);
	json_set_bool(json, "machine", record->place.machine);
	json_set_int(json, "sequence", record->sequence);
	json_set_int(json, "imported_at", record->imported_at);
	json_set_bool(json, "adopted", record->adopted);
	rc = json_write_file(path, json, err);
out:
	cJSON_Delete(json);
	free(path);
	return rc;
}

int record_remove(const struct store *store, const char *sha1, struct err *err)
{
	char *path = record_path(store, sha1);
	int rc = file_remove(path, err);

	free(path);
	return rc;
}

/* Keeps the list in the order of import. */
static void add_in_order(const struct store *store, struct strlist *list, int64_t *order,
			 const char *sha1)
{
	struct record record = { 0 };
	struct err ignored;
	size_t at;

	(void)record_read(store, sha1, &record, &ignored);
	strlist_add(list, sha1);
	for (at = list->n - 1; at > 0 && order[at - 1] > record.sequence; at--) {
		char *moved = list->items[at];

		list->items[at] = list->items[at - 1];
		list->items[at - 1] = moved;
		order[at] = order[at - 1];
	}
	order[at] = record.sequence;
	record_clear(&record);
}

int record_list(const struct store *store, struct strlist *ret, struct err *err)
{
	struct strlist names = { 0 }, list = { 0 };
	char *end = suffix(store), *sha1;
	int64_t *order = NULL;
	int rc = -1;

	if (dir_list(store->records, &names, err)) {
		rc = err->kind == ERR_NOT_FOUND ? 0 : -1;
		goto out;
	}
	order = mem_calloc(names.n + 1, sizeof(*order));
	for (size_t i = 0; i < names.n; i++) {
		if (strspn(names.items[i], "0123456789ABCDEF") != SHA1_DIGITS ||
		    !str_equal(names.items[i] + SHA1_DIGITS, end))
			continue;
		sha1 = str_ndup(names.items[i], SHA1_DIGITS);
		add_in_order(store, &list, order, sha1);
		free(sha1);
	}
	for (size_t i = 0; i < list.n; i++)
		strlist_add(ret, list.items[i]);
	rc = 0;
out:
	strlist_clear(&list);
	strlist_clear(&names);
	free(order);
	free(end);
	return rc;
}

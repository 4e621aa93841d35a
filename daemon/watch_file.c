/* watch_file.c - what was seen of a certificate that is only watched: watched.json. */
#include "daemon/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES ((size_t)1024 * 1024)

struct sighting *sightings_add(struct sightings *list, const char *target,
			       const char *where)
{
	list->items = mem_realloc(list->items, (list->n + 1) * sizeof(*list->items));
	list->items[list->n] = (struct sighting){
		.target = str_dup(target),
		.where = str_dup(where),
	};
	return &list->items[list->n++];
}

struct sighting *sightings_find(const struct sightings *list, const char *target,
				const char *where)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i].target, target) &&
		    !strcmp(list->items[i].where, where))
			return &list->items[i];
	return NULL;
}

const struct sighting *sightings_first_to_end(const struct sightings *list,
					      const char *target)
{
	const struct sighting *first = NULL;

	for (size_t i = 0; i < list->n; i++) {
		const struct sighting *one = &list->items[i];

		if (!one->sha1[0] || (target && strcmp(one->target, target) != 0))
			continue;
		if (!first || one->not_after < first->not_after)
			first = one;
	}
	return first;
}

void sightings_clear(struct sightings *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].target);
		free(list->items[i].where);
		free(list->items[i].problem);
	}
	free(list->items);
	*list = (struct sightings){ 0 };
}

static int read_one(const cJSON *object, struct sightings *ret)
{
	const char *target = json_string(object, "target");
	const char *where = json_string(object, "where");
	const char *sha1 = json_string(object, "sha1");
	struct sighting *one;

	if (!target || !where || (sha1 && strlen(sha1) >= CERT_SHA1_HEX))
		return -1;
	one = sightings_add(ret, target, where);
	str_copy(one->sha1, sizeof(one->sha1), sha1 ? sha1 : "");
	one->not_before = json_int(object, "not_before", 0);
	one->not_after = json_int(object, "not_after", 0);
	one->seen_at = json_int(object, "seen_at", 0);
	one->problem = str_dup(json_string(object, "problem"));
	return 0;
}

static int from_json(const cJSON *file, void *into)
{
	struct sightings *ret = into;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(file, "seen"), *item;

	if (!cJSON_IsArray(list))
		return -1;
	cJSON_ArrayForEach (item, list)
		if (read_one(item, ret))
			return -1;
	return 0;
}

static void clear(void *list)
{
	sightings_clear(list);
}

int sightings_read(const char *folder, struct sightings *ret, struct err *err)
{
	static const struct state_reader reader = { FILE_MAX_BYTES,
						    "a list of what was seen", from_json,
						    clear };
	char *path = path_join(folder, "watched.json");
	struct sightings list = { 0 };
	int rc = state_file_load(path, &reader, &list, err);

	if (!rc)
		*ret = list;
	free(path);
	return rc;
}

int sightings_write(const char *folder, const struct sightings *list, struct err *err)
{
	char *path = path_join(folder, "watched.json");
	cJSON *file = cJSON_CreateObject();
	cJSON *array = cJSON_AddArrayToObject(file, "seen");
	int rc;

	if (!array)
		abort();
	for (size_t i = 0; i < list->n; i++) {
		const struct sighting *one = &list->items[i];
		cJSON *object = cJSON_CreateObject();

		json_set_string(object, "target", one->target);
		json_set_string(object, "where", one->where);
		json_set_string(object, "sha1", one->sha1[0] ? one->sha1 : NULL);
		json_set_int(object, "not_before", one->not_before);
		json_set_int(object, "not_after", one->not_after);
		json_set_int(object, "seen_at", one->seen_at);
		json_set_string(object, "problem", one->problem);
		cJSON_AddItemToArray(array, object);
	}
	rc = json_write_file(path, file, err);
	cJSON_Delete(file);
	free(path);
	return rc;
}

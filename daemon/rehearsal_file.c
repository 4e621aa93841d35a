/* rehearsal_file.c - what is remembered of rehearsals. */
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/rehearsal.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES ((size_t)64 * 1024)

void rehearsals_clear(struct rehearsals *rehearsals)
{
	free(rehearsals->items);
	*rehearsals = (struct rehearsals){ 0 };
}

struct rehearsal *rehearsal_of(const struct rehearsals *rehearsals, const char *issuer)
{
	for (size_t i = 0; i < rehearsals->n; i++)
		if (!strcmp(rehearsals->items[i].issuer, issuer))
			return &rehearsals->items[i];
	return NULL;
}

struct rehearsal *rehearsal_ensure(struct rehearsals *rehearsals, const char *issuer)
{
	struct rehearsal *found = rehearsal_of(rehearsals, issuer);

	if (found)
		return found;
	rehearsals->items = mem_realloc(rehearsals->items,
					(rehearsals->n + 1) * sizeof(*found));
	found = &rehearsals->items[rehearsals->n++];
	*found = (struct rehearsal){ 0 };
	str_copy(found->issuer, sizeof(found->issuer), issuer);
	return found;
}

static int read_one(const cJSON *object, struct rehearsals *ret)
{
	const char *issuer = json_string(object, "issuer");
	const char *text = json_string(object, "text");
	struct rehearsal *one;

	if (!issuer || !text || strlen(issuer) >= sizeof(one->issuer))
		return -1;
	one = rehearsal_ensure(ret, issuer);
	one->at = json_int(object, "at", -1);
	one->next_at = json_int(object, "next_at", -1);
	one->well = json_bool(object, "well", false);
	one->ordered = json_bool(object, "ordered", false);
	str_copy(one->text, sizeof(one->text), text);
	return one->at < 0 || one->next_at < 0 ? -1 : 0;
}

static int from_json(const cJSON *file, struct rehearsals *ret)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(file, "issuers"), *each;

	if (!cJSON_IsArray(list))
		return -1;
	cJSON_ArrayForEach (each, list) {
		if (read_one(each, ret))
			return -1;
	}
	return 0;
}

int rehearsal_read(const char *folder, struct rehearsals *ret, struct err *err)
{
	char *path = path_join(folder, "rehearsals.json");
	struct rehearsals rehearsals = { 0 };
	cJSON *file = NULL;
	int rc = -1;

	if (state_file_read(path, FILE_MAX_BYTES, &file, err))
		goto out;
	if (file && from_json(file, &rehearsals)) {
		rehearsals_clear(&rehearsals);
		err_set(err, ERR_CONFIG, "damaged: '%s': not a list of rehearsals", path);
		if (state_file_set_aside(path, err))
			goto out;
	}
	*ret = rehearsals;
	rc = 0;
out:
	cJSON_Delete(file);
	free(path);
	return rc;
}

static cJSON *to_json(const struct rehearsal *one)
{
	cJSON *object = cJSON_CreateObject();

	json_set_string(object, "issuer", one->issuer);
	json_set_int(object, "at", one->at);
	json_set_int(object, "next_at", one->next_at);
	json_set_bool(object, "well", one->well);
	json_set_bool(object, "ordered", one->ordered);
	json_set_string(object, "text", one->text);
	return object;
}

int rehearsal_write(const char *folder, const struct rehearsals *rehearsals,
		    struct err *err)
{
	char *path = path_join(folder, "rehearsals.json");
	cJSON *file = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(file, "issuers");
	int rc;

	for (size_t i = 0; i < rehearsals->n; i++)
		if (!cJSON_AddItemToArray(list, to_json(&rehearsals->items[i])))
			abort();
	rc = json_write_file(path, file, err);
	cJSON_Delete(file);
	free(path);
	return rc;
}

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

static const char *const outcomes[] = {
	[REHEARSED_NOT] = NULL,
	[REHEARSED_WELL] = "will_succeed",
	[REHEARSED_BUT] = "will_succeed_but",
	[REHEARSED_FAILED] = "will_fail",
};

const char *rehearsal_outcome_name(enum rehearsal_outcome outcome)
{
	return outcomes[outcome];
}

static enum rehearsal_outcome outcome_of(const char *name)
{
	for (int i = REHEARSED_WELL; i <= REHEARSED_FAILED; i++)
		if (str_equal(outcomes[i], name))
			return (enum rehearsal_outcome)i;
	return REHEARSED_NOT;
}

static int read_whole(const cJSON *object, struct rehearsal_whole *ret)
{
	const char *why = json_string(object, "why");

	if (!object)
		return 0;
	ret->at = json_int(object, "at", -1);
	ret->next_at = json_int(object, "next_at", -1);
	ret->not_before = json_int(object, "not_before", 0);
	ret->outcome = outcome_of(json_string(object, "outcome"));
	ret->ordered = json_bool(object, "ordered", false);
	ret->deployment = json_bool(object, "deployment", false);
	str_copy(ret->why, sizeof(ret->why), why ? why : "");
	return ret->at < 0 || ret->next_at < 0 || ret->not_before < 0 ? -1 : 0;
}

static void read_order(const cJSON *object, struct rehearsal *ret)
{
	const char *text = json_string(object, "order_text");

	ret->ordered_at = json_int(object, "ordered_at", 0);
	ret->order_not_before = json_int(object, "order_not_before", 0);
	ret->order_failed = json_bool(object, "order_failed", false);
	str_copy(ret->order_text, sizeof(ret->order_text), text ? text : "");
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
	read_order(object, one);
	return one->at < 0 || one->next_at < 0 ? -1 : 0;
}

static int from_json(const cJSON *file, void *into)
{
	struct rehearsals *ret = into;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(file, "issuers"), *each;

	if (!cJSON_IsArray(list) ||
	    read_whole(cJSON_GetObjectItemCaseSensitive(file, "certificate"),
		       &ret->whole))
		return -1;
	cJSON_ArrayForEach (each, list) {
		if (read_one(each, ret))
			return -1;
	}
	return 0;
}

static void clear(void *rehearsals)
{
	rehearsals_clear(rehearsals);
}

int rehearsal_read(const char *folder, struct rehearsals *ret, struct err *err)
{
	static const struct state_reader reader = { FILE_MAX_BYTES,
						    "a list of rehearsals", from_json,
						    clear };
	char *path = path_join(folder, "rehearsals.json");
	struct rehearsals rehearsals = { 0 };
	int rc = state_file_load(path, &reader, &rehearsals, err);

	if (!rc)
		*ret = rehearsals;
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
	json_set_int(object, "ordered_at", one->ordered_at);
	json_set_int(object, "order_not_before", one->order_not_before);
	json_set_bool(object, "order_failed", one->order_failed);
	json_set_string(object, "order_text", one->order_text);
	return object;
}

static void add_whole(cJSON *file, const struct rehearsal_whole *whole)
{
	cJSON *object = cJSON_AddObjectToObject(file, "certificate");

	json_set_int(object, "at", whole->at);
	json_set_int(object, "next_at", whole->next_at);
	json_set_int(object, "not_before", whole->not_before);
	json_set_string(object, "outcome", outcomes[whole->outcome]);
	json_set_bool(object, "ordered", whole->ordered);
	json_set_bool(object, "deployment", whole->deployment);
	json_set_string(object, "why", whole->why);
}

int rehearsal_write(const char *folder, const struct rehearsals *rehearsals,
		    struct err *err)
{
	char *path = path_join(folder, "rehearsals.json");
	cJSON *file = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(file, "issuers");
	int rc;

	add_whole(file, &rehearsals->whole);
	for (size_t i = 0; i < rehearsals->n; i++)
		if (!cJSON_AddItemToArray(list, to_json(&rehearsals->items[i])))
			abort();
	rc = json_write_file(path, file, err);
	cJSON_Delete(file);
	free(path);
	return rc;
}

#include "daemon/alerts_troubles.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES ((size_t)8 * 1024 * 1024)

static void record_release(struct trouble_record *record)
{
	free(record->kind);
	free(record->certificate);
	free(record->target);
	strlist_clear(&record->heard);
}

static void told_release(struct told_record *told)
{
	free(told->kind);
	free(told->certificate);
	free(told->target);
	free(told->key);
}

void troubles_clear(struct troubles *troubles)
{
	for (size_t i = 0; i < troubles->n; i++)
		record_release(&troubles->items[i]);
	for (size_t i = 0; i < troubles->n_told; i++)
		told_release(&troubles->told[i]);
	free(troubles->items);
	free(troubles->told);
	*troubles = (struct troubles){ 0 };
}

static void remove_at(struct troubles *troubles, size_t i)
{
	record_release(&troubles->items[i]);
	troubles->n--;
	memmove(&troubles->items[i], &troubles->items[i + 1],
		(troubles->n - i) * sizeof(*troubles->items));
}

static struct trouble_record *append(struct troubles *troubles)
{
	if (troubles->n >= TROUBLES_MAX)
		remove_at(troubles, 0);
	troubles->items = mem_realloc(troubles->items,
				      (troubles->n + 1) * sizeof(*troubles->items));
	troubles->items[troubles->n] = (struct trouble_record){ 0 };
	return &troubles->items[troubles->n++];
}

static struct told_record *append_told(struct troubles *troubles)
{
	if (troubles->n_told >= TROUBLES_MAX) {
		told_release(&troubles->told[0]);
		troubles->n_told--;
		memmove(&troubles->told[0], &troubles->told[1],
			troubles->n_told * sizeof(*troubles->told));
	}
	troubles->told = mem_realloc(troubles->told,
				     (troubles->n_told + 1) * sizeof(*troubles->told));
	troubles->told[troubles->n_told] = (struct told_record){ 0 };
	return &troubles->told[troubles->n_told++];
}

/* NULL, or a string. */
static bool is_name(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return !item || cJSON_IsNull(item) || cJSON_IsString(item);
}

static int read_record(const cJSON *object, struct trouble_record *ret)
{
	const cJSON *heard = cJSON_GetObjectItemCaseSensitive(object, "heard"), *name;
	int64_t severity = json_int(object, "severity", -1);
	int64_t withheld = json_int(object, "withheld", -1);
	int64_t told_at = json_int(object, "told_at", -1);

	if (!json_string(object, "kind") || !is_name(object, "certificate") ||
	    !is_name(object, "target") || severity < SEVERITY_NOTICE ||
	    severity > SEVERITY_CRITICAL || withheld < 0 || withheld > INT32_MAX ||
	    told_at < 0 || !cJSON_IsArray(heard))
		return -1;
	ret->kind = str_dup(json_string(object, "kind"));
	ret->certificate = str_dup(json_string(object, "certificate"));
	ret->target = str_dup(json_string(object, "target"));
	ret->state = (struct trouble){ .open = true,
				       .severity = (enum severity)severity,
				       .told_at = told_at,
				       .withheld = (unsigned)withheld };
	cJSON_ArrayForEach (name, heard) {
		if (!cJSON_IsString(name))
			return -1;
		strlist_add(&ret->heard, name->valuestring);
	}
	return 0;
}

static int read_told(const cJSON *object, struct told_record *ret)
{
	if (!json_string(object, "kind") || !json_string(object, "key") ||
	    !is_name(object, "certificate") || !is_name(object, "target"))
		return -1;
	ret->kind = str_dup(json_string(object, "kind"));
	ret->certificate = str_dup(json_string(object, "certificate"));
	ret->target = str_dup(json_string(object, "target"));
	ret->key = str_dup(json_string(object, "key"));
	return 0;
}

/* Files of older versions have no `told`. */
static int from_json(const cJSON *file, void *into)
{
	struct troubles *ret = into;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(file, "open"), *item;
	const cJSON *told = cJSON_GetObjectItemCaseSensitive(file, "told");

	if (!cJSON_IsArray(list) || (told && !cJSON_IsArray(told)))
		return -1;
	cJSON_ArrayForEach (item, list) {
		if (read_record(item, append(ret)))
			return -1;
	}
	cJSON_ArrayForEach (item, told) {
		if (read_told(item, append_told(ret)))
			return -1;
	}
	return 0;
}

static void clear(void *troubles)
{
	troubles_clear(troubles);
}

int troubles_read(const char *path, struct troubles *ret, struct err *err)
{
	static const struct state_reader reader = { FILE_MAX_BYTES, "a list of troubles",
						    from_json, clear };
	struct troubles troubles = { 0 };
	int rc = state_file_load(path, &reader, &troubles, err);

	if (!rc)
		*ret = troubles;
	return rc;
}

static cJSON *record_json(const struct trouble_record *record)
{
	cJSON *object = cJSON_CreateObject(), *heard, *name;

	heard = object ? cJSON_AddArrayToObject(object, "heard") : NULL;
	if (!heard)
		abort();
	json_set_string(object, "kind", record->kind);
	json_set_string(object, "certificate", record->certificate);
	json_set_string(object, "target", record->target);
	json_set_int(object, "severity", record->state.severity);
	json_set_int(object, "told_at", record->state.told_at);
	json_set_int(object, "withheld", record->state.withheld);
	for (size_t i = 0; i < record->heard.n; i++) {
		name = cJSON_CreateString(record->heard.items[i]);
		if (!name || !cJSON_AddItemToArray(heard, name))
			abort();
	}
	return object;
}

static cJSON *told_json(const struct told_record *told)
{
	cJSON *object = cJSON_CreateObject();

	if (!object)
		abort();
	json_set_string(object, "kind", told->kind);
	json_set_string(object, "certificate", told->certificate);
	json_set_string(object, "target", told->target);
	json_set_string(object, "key", told->key);
	return object;
}

int troubles_write(const char *path, const struct troubles *troubles, struct err *err)
{
	cJSON *file = cJSON_CreateObject();
	cJSON *list = file ? cJSON_AddArrayToObject(file, "open") : NULL;
	cJSON *told = list ? cJSON_AddArrayToObject(file, "told") : NULL;
	int rc;

	if (!told)
		abort();
	for (size_t i = 0; i < troubles->n_told; i++) {
		if (!cJSON_AddItemToArray(told, told_json(&troubles->told[i])))
			abort();
	}
	for (size_t i = 0; i < troubles->n; i++) {
		if (!cJSON_AddItemToArray(list, record_json(&troubles->items[i])))
			abort();
	}
	rc = json_write_file(path, file, err);
	cJSON_Delete(file);
	return rc;
}

struct trouble_record *troubles_find(const struct troubles *troubles,
				     const struct event *event)
{
	for (size_t i = 0; i < troubles->n; i++) {
		struct trouble_record *record = &troubles->items[i];

		if (str_equal(record->kind, event_name(event->kind)) &&
		    str_equal(record->certificate, event->certificate) &&
		    str_equal(record->target, event->target))
			return record;
	}
	return NULL;
}

struct trouble_record *troubles_open(struct troubles *troubles, const struct event *event)
{
	struct trouble_record *record = append(troubles);

	record->kind = str_dup(event_name(event->kind));
	record->certificate = str_dup(event->certificate);
	record->target = str_dup(event->target);
	record->state.open = true;
	return record;
}

bool trouble_is_about(const struct trouble_record *record, const char *certificate,
		      const char *target)
{
	/* A certificate that is renewed proves nothing about an issuer that was not
	 * asked. */
	bool of_spare = str_equal(record->kind, event_name(EVENT_REHEARSAL_FAILED));

	return str_equal(record->certificate, certificate) &&
	       (target ? str_equal(record->target, target) : !of_spare);
}

void troubles_close(struct troubles *troubles, const char *certificate,
		    const char *target)
{
	for (size_t i = troubles->n; i-- > 0;) {
		if (trouble_is_about(&troubles->items[i], certificate, target))
			remove_at(troubles, i);
	}
}

static struct told_record *find_told(const struct troubles *troubles,
				     const struct event *event)
{
	for (size_t i = 0; i < troubles->n_told; i++) {
		struct told_record *told = &troubles->told[i];

		if (str_equal(told->kind, event_name(event->kind)) &&
		    str_equal(told->certificate, event->certificate) &&
		    str_equal(told->target, event->target))
			return told;
	}
	return NULL;
}

bool troubles_was_told(const struct troubles *troubles, const struct event *event)
{
	const struct told_record *told = find_told(troubles, event);

	return told && str_equal(told->key, event->key);
}

void troubles_note_told(struct troubles *troubles, const struct event *event)
{
	struct told_record *told = find_told(troubles, event);

	if (!told) {
		told = append_told(troubles);
		told->kind = str_dup(event_name(event->kind));
		told->certificate = str_dup(event->certificate);
		told->target = str_dup(event->target);
	}
	free(told->key);
	told->key = str_dup(event->key);
}

#include "base/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/str.h"

#define DEPTH_MAX 32
#define EXACT_LIMIT 9007199254740992.0 /* 2^53: doubles are exact up to here */

static int fail_at(struct err *err, const char *text, size_t offset, const char *what)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < offset && text[i]; i++) {
		column++;
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return err_set(err, ERR_IO, "%s: line %zu, column %zu", what, line, column);
}

/* What cJSON would let pass: NUL bytes, plain or escaped, which cut a C string short, and
 * depth, which costs stack. Everything else is left to cJSON. */
static int check_limits(const char *text, size_t len, struct err *err)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\0')
			return fail_at(err, text, i, "not JSON: a NUL byte");
		if (in_string && c == '\\') {
			if (strncmp(text + i, "\\u0000", 6) == 0)
				return fail_at(err, text, i,
					       "JSON with a NUL in a string");
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == '{' || c == '[')) {
			if (++depth > DEPTH_MAX)
				return fail_at(err, text, i,
					       "JSON nested deeper than 32 levels");
		} else if (!in_string && (c == '}' || c == ']')) {
			depth--;
		}
	}
	return 0;
}

int json_parse(const void *data, size_t len, cJSON **ret_json, struct err *err)
{
	/* cJSON 1.7.15 reads one byte too far without a NUL (CVE-2023-53154). */
	char *text = mem_calloc(len + 1, 1);
	const char *end = text;
	cJSON *json = NULL;
	int rc = -1;

	if (len)
		memcpy(text, data, len);
	if (check_limits(text, len, err))
		goto out;
	json = cJSON_ParseWithLengthOpts(text, len + 1, &end, 0);
	if (json)
		end += strspn(end, " \t\r\n");
	if (!json || *end) {
		fail_at(err, text, (size_t)(end - text), "not JSON");
		goto out;
	}
	*ret_json = json;
	json = NULL;
	rc = 0;
out:
	cJSON_Delete(json);
	free(text);
	return rc;
}

const char *json_string(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

int64_t json_int(const cJSON *object, const char *name, int64_t fallback)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	double value;

	if (!cJSON_IsNumber(item))
		return fallback;
	value = cJSON_GetNumberValue(item);
	if (!(value >= -EXACT_LIMIT && value <= EXACT_LIMIT))
		return fallback;
	return (double)(int64_t)value == value ? (int64_t)value : fallback;
}

bool json_bool(const cJSON *object, const char *name, bool fallback)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

/* Takes `item`. cJSON says no only when memory is out. */
static void set_member(cJSON *object, const char *name, cJSON *item)
{
	cJSON_bool done;

	if (!item)
		abort();
	if (cJSON_GetObjectItemCaseSensitive(object, name))
		done = cJSON_ReplaceItemInObjectCaseSensitive(object, name, item);
	else
		done = cJSON_AddItemToObject(object, name, item);
	if (!done)
		abort();
}

void json_set_string(cJSON *object, const char *name, const char *text)
{
	set_member(object, name, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

void json_set_int(cJSON *object, const char *name, int64_t value)
{
	set_member(object, name, cJSON_CreateNumber((double)value));
}

void json_set_bool(cJSON *object, const char *name, bool value)
{
	set_member(object, name, cJSON_CreateBool(value));
}

char *json_print(const cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);

	if (!text)
		abort();
	return text;
}

int json_read_file(const char *path, size_t max_bytes, cJSON **ret_json, struct err *err)
{
	cJSON *json = NULL;
	struct buf text;
	int rc = -1;

	buf_init(&text, max_bytes);
	if (file_read(path, &text, err))
		goto out;
	if (json_parse(text.data, text.len, &json, err)) {
		err->kind = ERR_CONFIG;
		err_wrap(err, "damaged: '%s'", path);
		goto out;
	}
	if (!cJSON_IsObject(json)) {
		err_set(err, ERR_CONFIG, "damaged: '%s': not a JSON object", path);
		goto out;
	}
	*ret_json = json;
	json = NULL;
	rc = 0;
out:
	cJSON_Delete(json);
	buf_release(&text);
	return rc;
}

int json_write_file(const char *path, const cJSON *json, struct err *err)
{
	char *text = cJSON_Print(json); /* with white space: people read state files */
	int rc;

	if (!text)
		abort();
	rc = file_replace(path, text, strlen(text), FILE_SECRET, err);
	free(text);
	return rc;
}

/* json.h - cJSON with limits, and files of JSON.
 *
 * For documents that we own or receive. An application's tls.json is not read and printed
 * again through this (that would change its bytes): see hooks/json_edit.h. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"

/* Parses exactly one JSON value, at most 32 levels deep; trailing white space is fine,
 * anything else behind it is not. Gives *ret_json (cJSON_Delete). ERR_IO with the line
 * and column where it stopped making sense: "not JSON: line 3, column 7". NUL bytes,
 * \u0000 too, are refused: they would cut a C string short. */
int json_parse(const void *data, size_t len, cJSON **ret_json, struct err *err);

/* Members by exact name. The string is borrowed from the object; NULL, `fallback` and
 * false where the member is missing or of another type. Numbers that are no integer
 * within
 * +-2^53 count as missing. */
const char *json_string(const cJSON *object, const char *name);
int64_t json_int(const cJSON *object, const char *name, int64_t fallback);
bool json_bool(const cJSON *object, const char *name, bool fallback);

/* Sets a member; a NULL text sets null. An existing member is replaced in its place.
 * cJSON prints 15 digits: integers up to 999,999,999,999,999 come back exactly. */
void json_set_string(cJSON *object, const char *name, const char *text);
void json_set_int(cJSON *object, const char *name, int64_t value);
void json_set_bool(cJSON *object, const char *name, bool value);

/* Gives `json` printed without white space, the caller frees. */
char *json_print(const cJSON *json);

/* Reads a JSON object from a file of at most `max_bytes`. Gives *ret_json.
 * ERR_NOT_FOUND no such file · ERR_CONFIG not a JSON object ("damaged: ...") · ERR_IO. */
int json_read_file(const char *path, size_t max_bytes, cJSON **ret_json, struct err *err);

/* Replaces a file of our state directory, 0600, whole and synced (file_replace); printed
 * with white space, because people read state files in need. */
int json_write_file(const char *path, const cJSON *json, struct err *err);

#endif

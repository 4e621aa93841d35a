#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"

static cJSON *parse(const char *text)
{
	struct err err = { 0 };
	cJSON *json = NULL;

	if (json_parse(text, strlen(text), &json, &err))
		fail_msg("'%s': %s", text, err.text);
	return json;
}

static void refuses(const char *text, size_t len, const char *sentence)
{
	struct err err = { 0 };
	cJSON *json = NULL;

	if (json_parse(text, len, &json, &err) != -1)
		fail_msg("'%s' was parsed", text);
	assert_null(json);
	assert_int_equal(err.kind, ERR_IO);
	assert_string_equal(err.text, sentence);
}

static void members_are_read_by_exact_name_and_type(void **state)
{
	cJSON *json = parse("{\"a\": \"x\", \"A\": \"y\", \"n\": 7, \"t\": true,"
			    " \"null\": null}\r\n\t ");

	(void)state;
	assert_string_equal(json_string(json, "a"), "x");
	assert_string_equal(json_string(json, "A"), "y");
	assert_null(json_string(json, "n"));
	assert_null(json_string(json, "null"));
	assert_null(json_string(json, "missing"));
	assert_int_equal(json_int(json, "n", -1), 7);
	assert_int_equal(json_int(json, "a", -1), -1);
	assert_int_equal(json_int(json, "missing", -1), -1);
	assert_true(json_bool(json, "t", false));
	assert_true(json_bool(json, "n", true));
	assert_false(json_bool(json, "missing", false));
	assert_null(json_string(NULL, "a"));
	cJSON_Delete(json);
}

static void integers_are_exact_or_missing(void **state)
{
	cJSON *json = parse("{\"max\": 9007199254740992, \"min\": -9007199254740992,"
			    " \"over\": 9007199254740994, \"huge\": 1e300,"
			    " \"half\": 0.5, \"now\": 1795231888}");

	(void)state;
	assert_int_equal(json_int(json, "max", 0), INT64_C(9007199254740992));
	assert_int_equal(json_int(json, "min", 0), INT64_C(-9007199254740992));
	assert_int_equal(json_int(json, "over", 5), 5);
	assert_int_equal(json_int(json, "huge", 5), 5);
	assert_int_equal(json_int(json, "half", 5), 5);
	assert_int_equal(json_int(json, "now", 5), 1795231888);
	cJSON_Delete(json);
}

static void what_is_set_is_read_again_after_printing(void **state)
{
	cJSON *json = cJSON_CreateObject(), *again;
	char *text;

	(void)state;
	json_set_string(json, "s", "a \"quoted\" Zürich\n");
	json_set_int(json, "i", INT64_C(999999999999999));
	json_set_int(json, "at", 1795231888);
	json_set_bool(json, "b", true);
	json_set_string(json, "none", NULL);
	text = json_print(json);
	assert_null(strchr(text, '\n'));
	again = parse(text);
	assert_string_equal(json_string(again, "s"), "a \"quoted\" Zürich\n");
	assert_int_equal(json_int(again, "i", 0), INT64_C(999999999999999));
	assert_int_equal(json_int(again, "at", 0), 1795231888);
	assert_true(json_bool(again, "b", false));
	assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(again, "none")));
	free(text);
	cJSON_Delete(again);
	cJSON_Delete(json);
}

static void setting_replaces_in_place_and_changes_types(void **state)
{
	cJSON *json = parse("{\"a\":1,\"b\":2}");
	char *text;

	(void)state;
	json_set_string(json, "a", "x");
	json_set_int(json, "A", 3);
	text = json_print(json);
	assert_string_equal(text, "{\"a\":\"x\",\"b\":2,\"A\":3}");
	free(text);
	cJSON_Delete(json);
}

static void damage_is_named_by_line_and_column(void **state)
{
	(void)state;
	refuses("", 0, "not JSON: line 1, column 1");
	refuses("<html>", 6, "not JSON: line 1, column 1");
	refuses("{\n  \"a\": 1,\n  \"b\": x\n}", 22, "not JSON: line 3, column 8");
	refuses("{} {}", 5, "not JSON: line 1, column 4");
	refuses("[1]\nx", 5, "not JSON: line 2, column 1");
}

static void a_document_cut_anywhere_is_refused(void **state)
{
	const char *text = "{\"a\": [1, true, \"x\\u00e4\"], \"b\": null}";
	size_t len = strlen(text);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char *cut = mem_calloc(i + 1, 1); /* so that ASan sees one byte too far */
		struct err err = { 0 };
		cJSON *json = NULL;

		memcpy(cut, text, i);
		cut = mem_realloc(cut, i ? i : 1);
		assert_int_equal(json_parse(cut, i, &json, &err), -1);
		assert_null(json);
		free(cut);
	}
}

static void depth_is_limited_but_not_inside_strings(void **state)
{
	char text[200] = "";
	cJSON *json;

	(void)state;
	memset(text, '[', 32);
	memset(text + 32, ']', 32);
	json = parse(text);
	cJSON_Delete(json);
	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	refuses(text, 66, "JSON nested deeper than 32 levels: line 1, column 33");
	json = parse("\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"");
	cJSON_Delete(json);
}

static void nul_bytes_cannot_cut_a_string_short(void **state)
{
	cJSON *json;

	(void)state;
	refuses("{\"a\": \"good.example\\u0000.evil.example\"}", 40,
		"JSON with a NUL in a string: line 1, column 20");
	refuses("{}\0", 3, "not JSON: a NUL byte: line 1, column 3");
	json = parse("\"\\\\u0000\""); /* a backslash, then u0000 */
	assert_string_equal(cJSON_GetStringValue(json), "\\u0000");
	cJSON_Delete(json);
}

static char *temp_path(const char *name)
{
	const char *tmp = getenv("TMPDIR");

	return str_printf("%s/certrenewd-test-json-%ld-%s", tmp ? tmp : "/tmp",
			  (long)getpid(), name);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void a_state_file_is_secret_and_comes_back(void **state)
{
	char *path = temp_path("state");
	cJSON *json = cJSON_CreateObject(), *again = NULL;
	struct err err = { 0 };
	struct stat st;

	(void)state;
	json_set_int(json, "n", 7);
	assert_int_equal(json_write_file(path, json, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(json_read_file(path, 1000, &again, &err), 0);
	assert_int_equal(json_int(again, "n", 0), 7);
	unlink(path);
	cJSON_Delete(again);
	cJSON_Delete(json);
	free(path);
}

static void a_damaged_state_file_is_told_from_a_missing_one(void **state)
{
	char *path = temp_path("damaged"), *sentence;
	struct err err = { 0 };
	cJSON *json = NULL;

	(void)state;
	assert_int_equal(json_read_file(path, 1000, &json, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);

	write_text(path, "{\"n\": ");
	assert_int_equal(json_read_file(path, 1000, &json, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	sentence = str_printf("damaged: '%s': not JSON: line 1, column 7", path);
	assert_string_equal(err.text, sentence);
	free(sentence);

	write_text(path, "[]");
	assert_int_equal(json_read_file(path, 1000, &json, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "not a JSON object"));

	write_text(path, "{\"a\": \"long\"}");
	assert_int_equal(json_read_file(path, 5, &json, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_null(json);
	unlink(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_read_by_exact_name_and_type),
		cmocka_unit_test(integers_are_exact_or_missing),
		cmocka_unit_test(what_is_set_is_read_again_after_printing),
		cmocka_unit_test(setting_replaces_in_place_and_changes_types),
		cmocka_unit_test(damage_is_named_by_line_and_column),
		cmocka_unit_test(a_document_cut_anywhere_is_refused),
		cmocka_unit_test(depth_is_limited_but_not_inside_strings),
		cmocka_unit_test(nul_bytes_cannot_cut_a_string_short),
		cmocka_unit_test(a_state_file_is_secret_and_comes_back),
		cmocka_unit_test(a_damaged_state_file_is_told_from_a_missing_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

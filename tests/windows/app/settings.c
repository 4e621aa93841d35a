/* settings.c - the files below the application's folder, as the product has them. */
#include "app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#define FILE_BYTES 65536

static FILE *open_below(const struct app *app, const wchar_t *name, const wchar_t *mode)
{
	wchar_t path[APP_PATH * 2];

	swprintf(path, APP_PATH * 2, L"%ls\\%ls", app->dir, name);
	return _wfopen(path, mode);
}

char *settings_file(const struct app *app, const wchar_t *name)
{
	char *text = calloc(1, FILE_BYTES + 1);
	FILE *file = open_below(app, name, L"rb");

	if (text && file && fread(text, 1, FILE_BYTES, file) == 0)
		text[0] = '\0';
	if (!file) {
		free(text);
		return NULL;
	}
	fclose(file);
	return text;
}

void app_log(const struct app *app, const char *words)
{
	FILE *file = open_below(app, L"service.log", L"ab");

	if (!file)
		return;
	fprintf(file, "%s\n", words);
	fclose(file);
}

/* The parsed file, NULL when it is absent or (with *ret_bad) not JSON. */
static cJSON *json_file(const struct app *app, const wchar_t *name, bool *ret_bad)
{
	char *text = settings_file(app, name);
	cJSON *json = NULL;

	*ret_bad = false;
	if (text) {
		json = cJSON_Parse(strncmp(text, "\xEF\xBB\xBF", 3) ? text : text + 3);
		*ret_bad = !cJSON_IsObject(json);
	}
	free(text);
	return json;
}

static enum app_exit read_listener(struct app *app)
{
	bool bad;
	cJSON *json = json_file(app, L"listener.json", &bad);
	const char *mode = cJSON_GetStringValue(cJSON_GetObjectItem(json, "mode"));
	const cJSON *insecure = cJSON_GetObjectItem(json, "insecurePort");
	const cJSON *secure = cJSON_GetObjectItem(json, "securePort");

	app->localhost = mode && !strcmp(mode, "Localhost");
	app->insecure_port = cJSON_IsNumber(insecure) ? insecure->valueint : 0;
	app->secure_port = cJSON_IsNumber(secure) ? secure->valueint : 0;
	cJSON_Delete(json);
	if (app->insecure_port > 0 && app->secure_port > 0)
		return APP_RUNS;
	snprintf(app->why, APP_WORDS, "listener.json names no ports");
	return APP_BAD_SETTINGS;
}

static enum app_exit read_tls(struct app *app)
{
	bool bad;
	cJSON *json = json_file(app, L"config\\servers\\tls.json", &bad);
	cJSON *cert = cJSON_GetObjectItem(json, "certificate");
	const char *thumbprint = cJSON_GetStringValue(
		cJSON_GetObjectItem(cert, "thumbprint"));

	app->tls_json = json || bad;
	app->tls = cJSON_IsTrue(cJSON_GetObjectItem(json, "tlsEnabled"));
	snprintf(app->thumbprint, sizeof(app->thumbprint), "%s",
		 thumbprint ? thumbprint : "");
	cJSON_Delete(json);
	if (bad)
		snprintf(app->why, APP_WORDS, "tls.json is not JSON");
	else if (app->tls && !app->thumbprint[0])
		snprintf(app->why, APP_WORDS, "tls.json names no certificate");
	return bad || (app->tls && !app->thumbprint[0]) ? APP_BAD_SETTINGS : APP_RUNS;
}

static void text_of(const cJSON *json, const char *name, char *ret, size_t size)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, name));

	snprintf(ret, size, "%s", text ? text : "");
}

static void read_misbehaviour(struct app *app)
{
	struct misbehaviour mis = { 0 };
	bool bad;
	cJSON *json = json_file(app, L"misbehave.json", &bad);

	text_of(json, "refuse", mis.refuse, sizeof(mis.refuse));
	text_of(json, "except", mis.except, sizeof(mis.except));
	mis.serve_old = cJSON_IsTrue(cJSON_GetObjectItem(json, "serve_old"));
	mis.hang = cJSON_IsTrue(cJSON_GetObjectItem(json, "hang"));
	mis.hang_stop = cJSON_IsTrue(cJSON_GetObjectItem(json, "hang_stop"));
	mis.omit_chain = cJSON_IsTrue(cJSON_GetObjectItem(json, "omit_chain"));
	cJSON_Delete(json);
	if (mis.except[0] && !_stricmp(mis.except, app->thumbprint))
		memset(&mis, 0, sizeof(mis));
	app->mis = mis;
}

enum app_exit settings_read(struct app *app)
{
	enum app_exit code = read_listener(app);

	if (code == APP_RUNS)
		code = read_tls(app);
	if (code == APP_RUNS)
		read_misbehaviour(app);
	if (code == APP_RUNS && app->mis.refuse[0]) {
		snprintf(app->why, APP_WORDS, "%s", app->mis.refuse);
		code = APP_TOLD_TO_REFUSE;
	}
	return code;
}

void settings_reset(const struct app *app)
{
	FILE *file = open_below(app, L"config\\server\\web\\general.json", L"r+b");

	if (!file)
		return;
	fclose(file);
	file = open_below(app, L"config\\server\\web\\general.json", L"wb");
	if (!file)
		return;
	fprintf(file,
		"{\n    \"protocol\": \"HTTP - Unrestricted\",\n    \"port\": %d\n}\n",
		app->insecure_port);
	fclose(file);
}

void settings_remember_served(const struct app *app)
{
	FILE *file = open_below(app, L"served", L"wb");

	if (!file)
		return;
	fprintf(file, "%s", app->thumbprint);
	fclose(file);
}

void settings_recall_served(struct app *app)
{
	char *text = settings_file(app, L"served");

	if (text && strlen(text) == APP_SHA1_HEX - 1)
		snprintf(app->thumbprint, sizeof(app->thumbprint), "%s", text);
	free(text);
}

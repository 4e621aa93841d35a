#include "config/presets.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "base/target.h"
#include "config/system.h"

#define TLS_JSON "config/servers/tls.json"
#define SETTINGS "config/server*"
#define LISTENER_JSON "listener.json"
#define LISTENER_MAX_BYTES (64 * 1024)
#define MAX_PORTS 3

enum preset { XTRACT_UNIVERSAL, BOARD_CONNECTOR, YUNIO, XTRACT_CORE, N_PRESETS };

const struct choice preset_names[] = {
	[XTRACT_UNIVERSAL] = { "xtract-universal", XTRACT_UNIVERSAL },
	[BOARD_CONNECTOR] = { "board-connector", BOARD_CONNECTOR },
	[YUNIO] = { "yunio", YUNIO },
	[XTRACT_CORE] = { "xtract-core", XTRACT_CORE },
	[N_PRESETS] = { NULL, 0 },
};

/* Ports: the vendor's documentation. All four find the certificate by the thumbprint in
 * tls.json, want the host in the common name, and speak plain HTTP without tls.json. */
static const struct preset_lines {
	int https[MAX_PORTS]; /* every HTTPS port, 0 behind the last */
	int http;             /* where it answers without tls.json */
	bool listener;        /* listener.json says the ports, and listens by `mode` */
} presets[] = {
	[XTRACT_UNIVERSAL] = { { 8165 }, 8065, false },
	[BOARD_CONNECTOR] = { { 8197 }, 8097, false },
	[YUNIO] = { { 8175, 8177, 8176 }, 8075, false }, /* services, Designer, sockets */
	[XTRACT_CORE] = { { 1338 }, 1337, true },
};

static_assert(sizeof(presets) / sizeof(*presets) == N_PRESETS, "a row per preset");

static const struct choice *find(const char *name)
{
	for (const struct choice *c = preset_names; c->name; c++) {
		if (str_equal(c->name, name))
			return c;
	}
	return NULL;
}

bool preset_known(const char *name)
{
	return find(name) != NULL;
}

static struct node_source source_of(const struct node *preset)
{
	return (struct node_source){ FROM_PRESET, preset->place };
}

struct node *preset_require(struct arena *arena, const struct node *preset)
{
	return node_from_text(arena, source_of(preset), "require", "[cn]");
}

/* `name` below install_dir, with the separator that the operator's own path uses. */
static char *below(struct arena *arena, const char *install_dir, const char *name)
{
	size_t n = strlen(install_dir);
	char *path;

	while (n > 1 && strchr("/\\", install_dir[n - 1]))
		n--;
	path = arena_printf(arena, "%.*s/%s", (int)n, install_dir, name);
	for (char *c = path + n; *c && !strchr(install_dir, '/'); c++) {
		if (*c == '/')
			*c = '\\';
	}
	return path;
}

static void add(struct node *target, struct node *line)
{
	if (!node_member(target, line->key))
		node_append(target, line);
}

/* ---- listener.json ------------------------------------------------------- */

/* The application's file, with the byte order mark that editors leave. */
static int read_listener(const char *path, cJSON **ret_json, struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct buf text;
	size_t skip;
	int rc;

	buf_init(&text, LISTENER_MAX_BYTES);
	rc = file_read(path, &text, err);
	if (!rc) {
		skip = str_starts(buf_str(&text), mark) ? strlen(mark) : 0;
		rc = json_parse(buf_str(&text) + skip, text.len - skip, ret_json, err);
		if (rc)
			err_wrap(err, "'%s'", path);
	}
	buf_release(&text);
	return rc;
}

static void take_port(const cJSON *json, const char *name, int *port)
{
	int64_t number = json_int(json, name, 0);

	if (number >= 1 && number <= 65535)
		*port = (int)number;
}

/* The ports that the operator gave the application; the usual ones while there is no file
 * to read. */
static void ask_listener(struct reading *r, const struct node *target,
			 struct preset_lines *lines)
{
	const struct node *path = node_member(target, "listener_json");
	cJSON *json = NULL;
	struct err err;

	if (!path || path->type != NODE_SCALAR || node_is_word(path, "none"))
		return;
	if (!read_listener(path->text, &json, &err)) {
		take_port(json, "securePort", &lines->https[0]);
		take_port(json, "insecurePort", &lines->http);
	} else if (err.kind != ERR_NOT_FOUND) {
		warning_at(r->problems, path->place,
			   "%s: the product's usual ports are taken: write 'verify' and "
			   "'http' if it uses others",
			   err.text);
	}
	cJSON_Delete(json);
}

/* ---- what a preset adds -------------------------------------------------- */

static void add_files(struct reading *r, struct node *target, struct node_source source,
		      const struct preset_lines *lines)
{
	const struct node *folder = node_member(target, "install_dir");
	struct arena *arena = r->values.arena;
	struct node *settings;

	if (!folder || folder->type != NODE_SCALAR)
		return;
	add(target, node_from_scalar(arena, source, "tls_json",
				     below(arena, folder->text, TLS_JSON)));
	settings = node_from_text(arena, source, "settings", "[]");
	node_append(settings, node_from_scalar(arena, source, NULL,
					       below(arena, folder->text, SETTINGS)));
	add(target, settings);
	if (lines->listener)
		add(target, node_from_scalar(arena, source, "listener_json",
					     below(arena, folder->text, LISTENER_JSON)));
}

static void add_addresses(struct reading *r, struct node *target,
			  struct node_source source, const struct preset_lines *lines)
{
	struct arena *arena = r->values.arena;
	const char *verify = "";

	for (int i = 0; i < MAX_PORTS && lines->https[i]; i++)
		verify = arena_printf(arena, "%s%s{connect: '127.0.0.1:%d'}", verify,
				      i ? ", " : "", lines->https[i]);
	verify = arena_printf(arena, "[%s]", verify);
	add(target, node_from_text(arena, source, "verify", verify));
	add(target, node_from_scalar(arena, source, "http",
				     arena_printf(arena, "127.0.0.1:%d", lines->http)));
}

/* On Windows the products take the certificate from the system's store, and their service
 * is found by its program; elsewhere only the operator knows. */
static void add_system(struct reading *r, struct node *target, struct node_source source)
{
	struct arena *arena = r->values.arena;

	if (!system_lacks_store(STORE_WINDOWS))
		add(target, node_from_text(arena, source, "store", "{type: windows}"));
	if (!system_lacks_service(SERVICE_WINDOWS))
		add(target, node_from_text(arena, source, "service", "{windows: auto}"));
}

void preset_fill(struct reading *reading, struct node *target)
{
	struct arena *arena = reading->values.arena;
	const struct node *preset = node_member(target, "preset");
	const struct choice *choice = NULL;
	struct preset_lines lines;
	struct node_source source;

	if (preset && preset->type == NODE_SCALAR)
		choice = find(preset->text);
	if (!choice)
		return;
	source = source_of(preset);
	lines = presets[choice->value];
	add(target, node_from_scalar(arena, source, "name", choice->name));
	add_files(reading, target, source, &lines);
	if (lines.listener)
		ask_listener(reading, target, &lines);
	add_addresses(reading, target, source, &lines);
	add(target, node_from_scalar(arena, source, "when_expired", "http"));
	add_system(reading, target, source);
}

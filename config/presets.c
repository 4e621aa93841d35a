#include "config/presets.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

#define TLS_JSON "/config/servers/tls.json"

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
	const char *verify; /* every HTTPS port */
	const char *http;   /* where it answers without tls.json */
} presets[] = {
	[XTRACT_UNIVERSAL] = { "[{connect: '127.0.0.1:8165'}]", "127.0.0.1:8065" },
	[BOARD_CONNECTOR] = { "[{connect: '127.0.0.1:8197'}]", "127.0.0.1:8097" },
	[YUNIO] = { "[{connect: '127.0.0.1:8175'}, {connect: '127.0.0.1:8177'}]",
		    "127.0.0.1:8075" },
	[XTRACT_CORE] = { "[{connect: '127.0.0.1:1338'}]", "127.0.0.1:1337" },
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

/* The separator that the operator's own path uses. */
static const char *tls_json_below(struct arena *arena, const char *install_dir)
{
	size_t n = strlen(install_dir);
	char *path;

	while (n > 1 && strchr("/\\", install_dir[n - 1]))
		n--;
	path = arena_printf(arena, "%.*s%s", (int)n, install_dir, TLS_JSON);
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

void preset_fill(struct reading *reading, struct node *target)
{
	struct arena *arena = reading->values.arena;
	const struct node *preset = node_member(target, "preset");
	const struct node *folder = node_member(target, "install_dir");
	const struct choice *choice = NULL;
	const struct preset_lines *lines;
	struct node_source source;

	if (preset && preset->type == NODE_SCALAR)
		choice = find(preset->text);
	if (!choice)
		return;
	source = source_of(preset);
	lines = &presets[choice->value];
	add(target, node_from_scalar(arena, source, "name", choice->name));
	if (folder && folder->type == NODE_SCALAR)
		add(target, node_from_scalar(arena, source, "tls_json",
					     tls_json_below(arena, folder->text)));
	add(target, node_from_text(arena, source, "verify", lines->verify));
	add(target, node_from_scalar(arena, source, "http", lines->http));
	add(target, node_from_scalar(arena, source, "when_expired", "http"));
}

/* state_dir.c - where the state is of a file that is refused: as its tree says, or where
 * there is none, the line that names it. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/files.h"
#include "base/str.h"
#include "config/config.h"
#include "config/system.h"
#include "config/values.h"
#include "config/yaml_tree.h"

#define KEY "state_dir"
#define LINE KEY ":"
#define FILE_MAX_BYTES (256 * 1024)

/* Gives the path in its one spelling; NULL: it is none. */
static char *path_of(const char *value)
{
	return value && value_is_absolute(value) ? system_tidy_path(value) : NULL;
}

/* As the tree of the file has it. Gives, or NULL. */
static char *path_in_tree(const struct buf *text)
{
	struct arena *arena = arena_new();
	struct problems ignored = { .file = "" };
	struct node *root = NULL, *node;
	char *path = NULL;

	if (!yaml_tree_parse(buf_str(text), text->len, arena, &ignored, &root)) {
		node = node_member(root, KEY);
		path = node && node->type == NODE_SCALAR ? path_of(node->text) : NULL;
	}
	problems_release(&ignored);
	arena_free(arena);
	return path;
}

/* Gives the path behind the key, without quotes and remark; NULL: it is none. */
static char *path_behind(const char *text)
{
	char *value, *path;
	size_t len;

	text += strspn(text, " \t");
	if (*text == '"' || *text == '\'') {
		const char end[] = { *text++, '\r', '\n', '\0' };

		len = strcspn(text, end);
	} else {
		len = strcspn(text, "#\r\n");
		while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
			len--;
	}
	value = str_ndup(text, len);
	path = path_of(value);
	free(value);
	return path;
}

/* As a line says that begins with the key. Gives, or NULL. */
static char *path_in_lines(const char *line)
{
	char *found = NULL;

	while (line && !found) {
		if (!strncmp(line, LINE, strlen(LINE)))
			found = path_behind(line + strlen(LINE));
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return found;
}

char *config_state_dir_named(const char *path)
{
	char *absolute = system_absolute_path(path), *found = NULL;
	struct err ignored;
	struct buf text;

	buf_init_secret(&text, FILE_MAX_BYTES);
	if (!file_check_trusted(absolute, &ignored) &&
	    !file_read(absolute, &text, &ignored)) {
		found = path_in_tree(&text);
		found = found ? found : path_in_lines(buf_str(&text));
	}
	buf_release(&text);
	free(absolute);
	return found ? found : system_default_state_dir();
}

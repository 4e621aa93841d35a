/* state_dir.c - where the state is of a file that is refused. Not by its tree, because
 * there may be none: by the line that names it. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/str.h"
#include "config/config.h"
#include "config/system.h"
#include "config/values.h"

#define KEY "state_dir:"
#define FILE_MAX_BYTES (256 * 1024)

/* Gives the path behind the key, without quotes and remark; NULL: it is none. */
static char *path_behind(const char *text)
{
	char *value, *path = NULL;
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
	if (value_is_absolute(value))
		path = system_tidy_path(value);
	free(value);
	return path;
}

char *config_state_dir_named(const char *path)
{
	char *absolute = system_absolute_path(path), *found = NULL;
	const char *line = NULL;
	struct err ignored;
	struct buf text;

	buf_init_secret(&text, FILE_MAX_BYTES);
	if (!file_check_trusted(absolute, &ignored) &&
	    !file_read(absolute, &text, &ignored))
		line = buf_str(&text);
	while (line && !found) {
		if (!strncmp(line, KEY, strlen(KEY)))
			found = path_behind(line + strlen(KEY));
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	buf_release(&text);
	free(absolute);
	return found ? found : system_default_state_dir();
}

/* path.c - paths as text: touches no disk. */
#include "base/files.h"

#include <string.h>

bool path_is_absolute(const char *path)
{
	return path[0] == '/';
}

char *path_join(const char *folder, const char *name)
{
	if (path_is_absolute(name) || !*folder)
		return str_dup(name);
	return str_printf("%s%s%s", folder, str_ends(folder, "/") ? "" : "/", name);
}

char *path_parent(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 1 && path[len - 1] == '/')
		len--;
	return len ? str_ndup(path, len) : str_dup(".");
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

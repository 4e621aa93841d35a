/* path.c - paths as text: touches no disk. */
#include "base/files.h"

#include <string.h>

bool path_is_absolute(const char *path)
{
	return path[0] == '/';
}

char *path_join(const char *folder, const char *name)
{
	size_t len = strlen(folder), name_len = strlen(name);
	char *whole, *at;

	if (path_is_absolute(name) || !len)
		return str_dup(name);
	whole = at = mem_calloc(len + name_len + 2, 1); /* and a slash */
	memcpy(at, folder, len + 1);
	at += len;
	if (at[-1] != '/')
		*at++ = '/';
	memcpy(at, name, name_len + 1);
	return whole;
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

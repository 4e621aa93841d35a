/* path.c - paths as text: touches no disk. Both separators are read, '\' is written.
 *
 * Absolute is what names its volume: "C:\x", "C:/x", "\\server\share\x", "\\?\C:\x".
 * "\x" and "C:x" depend on a current folder and are relative: joined to a folder they
 * stay below it, or name nothing. */
#include "base/files.h"

#include <ctype.h>
#include <string.h>

static bool is_separator(char c)
{
	return c == '\\' || c == '/';
}

static bool is_drive(const char *path)
{
	return isalpha((unsigned char)path[0]) && path[1] == ':';
}

/* Length of the component at `at` with the separators behind it. */
static size_t component(const char *at)
{
	size_t len = strcspn(at, "\\/");

	while (is_separator(at[len]))
		len++;
	return len;
}

/* How much of the path is its volume and cannot be left upwards: "C:\",
 * "\\server\share\",
 * "\\?\C:\", "\\?\UNC\server\share\"; 0 for a relative path. */
static size_t root_length(const char *path)
{
	size_t len;

	if (is_drive(path))
		return is_separator(path[2]) ? 3 : 2;
	if (!is_separator(path[0]))
		return 0;
	if (!is_separator(path[1]))
		return 1;
	len = 2;
	if ((path[2] == '?' || path[2] == '.') && is_separator(path[3])) {
		len = 4;
		if (is_drive(path + len))
			return len + (is_separator(path[len + 2]) ? 3 : 2);
		if (path[2] == '.' || strncmp(path + len, "UNC\\", 4) != 0)
			return len + component(path + len);
		len += 4;
	}
	len += component(path + len);
	return len + component(path + len);
}

bool path_is_absolute(const char *path)
{
	if (is_drive(path))
		return is_separator(path[2]);
	return is_separator(path[0]) && is_separator(path[1]);
}

char *path_join(const char *folder, const char *name)
{
	size_t len = strlen(folder);
	char *whole, *at;

	if (path_is_absolute(name) || !len)
		return str_dup(name);
	whole = str_printf("%s%s%s", folder, is_separator(folder[len - 1]) ? "" : "\\",
			   name);
	for (at = whole; *at; at++)
		if (*at == '/')
			*at = '\\';
	return whole;
}

char *path_parent(const char *path)
{
	size_t root = root_length(path), len = strlen(path);

	while (len > root && is_separator(path[len - 1]))
		len--;
	while (len > root && !is_separator(path[len - 1]))
		len--;
	while (len > root && is_separator(path[len - 1]))
		len--;
	return len ? str_ndup(path, len) : str_dup(".");
}

const char *path_base(const char *path)
{
	const char *at, *base = path + root_length(path);

	for (at = base; *at; at++)
		if (is_separator(*at))
			base = at + 1;
	return base;
}

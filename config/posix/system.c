#include "config/system.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/str.h"

const char *system_lacks_service(enum service_kind kind)
{
	if (kind == SERVICE_WINDOWS)
		return "names a Windows service, and this is not Windows: use 'systemd' "
		       "or 'command'";
	return NULL;
}

const char *system_lacks_store(enum store_type type)
{
	if (type == STORE_WINDOWS)
		return "exists on Windows only: use 'type: directory' or 'type: files'";
	return NULL;
}

const char *system_lacks_shell(void)
{
	return NULL;
}

char *system_absolute_path(const char *path)
{
	char folder[PATH_MAX];

	if (path_is_absolute(path) || !getcwd(folder, sizeof(folder)))
		return str_dup(path);
	return path_join(folder, path);
}

/* No doubled, trailing or "." components. Links could make ".." mean something else, so
 * that stays. */
char *system_tidy_path(const char *path)
{
	char *out = str_dup(path), *to = out;
	const char *from = path;

	if (*from != '/') /* another system's: leave it alone */
		return out;
	while (*from) {
		size_t n;

		while (*from == '/')
			from++;
		n = strcspn(from, "/");
		if (n && !(n == 1 && *from == '.')) {
			*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	if (to == out)
		*to++ = '/';
	*to = '\0';
	return out;
}

bool system_same_path(const char *a, const char *b)
{
	return !strcmp(a, b);
}

char *system_getenv(const char *name)
{
	return str_dup(getenv(name));
}

char *system_default_config(void)
{
	return str_dup("/etc/certrenewd/certrenewd.yaml");
}

char *system_default_state_dir(void)
{
	return str_dup("/var/lib/certrenewd");
}

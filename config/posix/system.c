#include "config/system.h"

#include <limits.h>
#include <unistd.h>

#include "base/files.h"
#include "base/str.h"

const char *system_lacks_service(enum service_kind kind)
{
	if (kind == SERVICE_WINDOWS)
		return "names a Windows service, and this is not Windows: use 'systemd' "
		       "or "
		       "'command'";
	return NULL;
}

char *system_absolute_path(const char *path)
{
	char folder[PATH_MAX];

	if (path_is_absolute(path) || !getcwd(folder, sizeof(folder)))
		return str_dup(path);
	return path_join(folder, path);
}

#include "config/system.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <shlobj.h>

#include <openssl/crypto.h>

#include "base/files.h"
#include "base/str.h"
#include "base/windows/wide.h"

const char *system_lacks_service(enum service_kind kind)
{
	if (kind == SERVICE_SYSTEMD)
		return "names a systemd unit, and this is Windows: use 'windows' or "
		       "'command'";
	return NULL;
}

const char *system_lacks_store(enum store_type type)
{
	(void)type;
	return NULL;
}

const char *system_lacks_shell(void)
{
	return "runs shell scripts, and Windows has no shell for them: use 'type: exec' "
	       "with a program of your own";
}

char *system_absolute_path(const char *path)
{
	wchar_t *wide = wide_path(path);
	char *absolute = path_from_wide(wide);

	free(wide);
	return absolute;
}

static bool is_separator(char c)
{
	return c == '\\' || c == '/';
}

/* "C:\x\" becomes "C:\x"; the separator of "C:\" stays. */
char *system_tidy_path(const char *path)
{
	char *tidied = system_absolute_path(path);
	size_t n = strlen(tidied);

	while (n > 3 && is_separator(tidied[n - 1]))
		tidied[--n] = '\0';
	return tidied;
}

bool system_same_path(const char *a, const char *b)
{
	wchar_t *wide_a = wide_from_utf8(a), *wide_b = wide_from_utf8(b);
	bool same = CompareStringOrdinal(wide_a, -1, wide_b, -1, TRUE) == CSTR_EQUAL;

	free(wide_a);
	free(wide_b);
	return same;
}

char *system_getenv(const char *name)
{
	wchar_t *wide_name = wide_from_utf8(name), *wide;
	DWORD n = GetEnvironmentVariableW(wide_name, NULL, 0); /* with the NUL */
	char *value = NULL;

	if (n) {
		wide = mem_calloc((size_t)n + 1, sizeof(*wide));
		(void)GetEnvironmentVariableW(wide_name, wide, n);
		value = utf8_from_wide(wide);
		OPENSSL_cleanse(wide, (size_t)n * sizeof(*wide));
		free(wide);
	}
	free(wide_name);
	return value;
}

/* Gives `name` below our folder of ProgramData. Asked of the system, because the variable
 * of that name is whatever our caller set it to. */
static char *below_program_data(const char *name)
{
	wchar_t *wide = NULL;
	char *folder, *path;

	if (SHGetKnownFolderPath(&FOLDERID_ProgramData, 0, NULL, &wide) == S_OK)
		folder = path_from_wide(wide);
	else
		folder = str_dup("C:\\ProgramData");
	CoTaskMemFree(wide);
	path = str_printf("%s\\certrenewd\\%s", folder, name);
	free(folder);
	return path;
}

char *system_default_config(void)
{
	return below_program_data("certrenewd.yaml");
}

char *system_default_state_dir(void)
{
	return below_program_data("state");
}

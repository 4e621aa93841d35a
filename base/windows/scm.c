/* scm.c - which service is meant, and what it says about itself. */
#include "base/windows/scm.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/windows/wide.h"

void scm_close(struct scm_service *service)
{
	if (service->handle)
		CloseServiceHandle(service->handle);
	if (service->manager)
		CloseServiceHandle(service->manager);
	free(service->name);
	memset(service, 0, sizeof(*service));
}

/* ---- by path ------------------------------------------------------------- */

/* "\"C:\\x\\y.exe\" -a" and "C:\\x\\y.exe -a" -> "C:\\x\\y.exe -a" at worst: enough to
 * tell below which folder it lies. Gives. */
static char *program_of(const wchar_t *image)
{
	wchar_t expanded[32768];
	const wchar_t *begin = expanded;
	wchar_t *quote;
	DWORD n = ExpandEnvironmentStringsW(image, expanded, 32768);

	if (!n || n > 32768)
		return utf8_from_wide(image);
	if (*begin == L'"') {
		begin++;
		quote = wcschr(begin, L'"');
		if (quote)
			*quote = L'\0';
	}
	if (!wcsncmp(begin, L"\\??\\", 4))
		begin += 4;
	return utf8_from_wide(begin);
}

/* Folds case, as the file system does. */
static bool is_below(const char *program, const char *folder)
{
	wchar_t *file = wide_from_utf8(program), *dir = wide_from_utf8(folder);
	size_t n;
	bool below;

	for (wchar_t *c = file; *c; c++)
		*c = *c == L'/' ? L'\\' : *c;
	for (wchar_t *c = dir; *c; c++)
		*c = *c == L'/' ? L'\\' : *c;
	n = wcslen(dir);
	while (n && dir[n - 1] == L'\\')
		dir[--n] = L'\0';
	below = wcslen(file) > n && file[n] == L'\\' &&
		CompareStringOrdinal(file, (int)n, dir, (int)n, TRUE) == CSTR_EQUAL;
	free(dir);
	free(file);
	return below;
}

/* Gives the service's configuration; NULL and GetLastError() else. */
static QUERY_SERVICE_CONFIGW *config_of(SC_HANDLE handle)
{
	QUERY_SERVICE_CONFIGW *config;
	DWORD size = 0;

	(void)QueryServiceConfigW(handle, NULL, 0, &size);
	if (GetLastError() != ERROR_INSUFFICIENT_BUFFER)
		return NULL;
	config = mem_calloc(1, size);
	if (!QueryServiceConfigW(handle, config, size, &size)) {
		free(config);
		return NULL;
	}
	return config;
}

static void add_if_below(SC_HANDLE manager, const wchar_t *name, const char *folder,
			 struct strlist *found)
{
	SC_HANDLE handle = OpenServiceW(manager, name, SERVICE_QUERY_CONFIG);
	QUERY_SERVICE_CONFIGW *config = handle ? config_of(handle) : NULL;
	char *program = config ? program_of(config->lpBinaryPathName) : NULL;
	char *key;

	if (program && is_below(program, folder)) {
		key = utf8_from_wide(name);
		strlist_add(found, key);
		free(key);
	}
	free(program);
	free(config);
	if (handle)
		CloseServiceHandle(handle);
}

static int list_below(SC_HANDLE manager, const char *folder, struct strlist *found,
		      struct err *err)
{
	DWORD size = 64 * 1024, more = 0, n = 0, resume = 0;
	ENUM_SERVICE_STATUS_PROCESSW *all = mem_calloc(1, size);
	BOOL whole;

	for (;;) {
		whole = EnumServicesStatusExW(
			manager, SC_ENUM_PROCESS_INFO, SERVICE_WIN32, SERVICE_STATE_ALL,
			(BYTE *)all, size, &more, &n, &resume, NULL);
		if (!whole && GetLastError() != ERROR_MORE_DATA) {
			err_os(err, "list the services");
			free(all);
			return -1;
		}
		for (DWORD i = 0; i < n; i++)
			add_if_below(manager, all[i].lpServiceName, folder, found);
		if (whole)
			break;
		if (!n) { /* not even one fits */
			size += more;
			all = mem_realloc(all, size);
		}
	}
	free(all);
	return 0;
}

static char *joined(const struct strlist *names)
{
	char *text = str_dup("");

	for (size_t i = 0; i < names->n; i++) {
		char *longer = str_printf("%s%s'%s'", text, i ? ", " : "",
					  names->items[i]);

		free(text);
		text = longer;
	}
	return text;
}

static int choose(const struct strlist *found, const char *folder, char **ret_name,
		  struct err *err)
{
	char *names;

	if (found->n == 1) {
		*ret_name = str_dup(found->items[0]);
		return 0;
	}
	if (!found->n)
		return err_set(err, ERR_NOT_FOUND,
			       "no service's program lies below '%s': install the "
			       "product's service, or name it with 'service: {windows: "
			       "NAME}'",
			       folder);
	names = joined(found);
	err_set(err, ERR_CONFIG,
		"the programs of several services lie below '%s': %s; name one with "
		"'service: {windows: NAME}'",
		folder, names);
	free(names);
	return -1;
}

static int find_with(SC_HANDLE manager, const char *folder, char **ret_name,
		     struct err *err)
{
	struct strlist found = { 0 };
	int rc = -1;

	if (!list_below(manager, folder, &found, err))
		rc = choose(&found, folder, ret_name, err);
	strlist_clear(&found);
	return rc;
}

static SC_HANDLE open_manager(struct err *err)
{
	SC_HANDLE manager = OpenSCManagerW(
		NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE);

	if (!manager)
		err_os(err, "ask the service control manager");
	return manager;
}

int scm_find_below(const char *folder, char **ret_name, struct err *err)
{
	SC_HANDLE manager = open_manager(err);
	int rc;

	if (!manager)
		return -1;
	rc = find_with(manager, folder, ret_name, err);
	CloseServiceHandle(manager);
	return rc;
}

/* ---- opening ------------------------------------------------------------- */

static int say_not_open(const char *name, struct err *err)
{
	DWORD code = GetLastError();

	if (code == ERROR_SERVICE_DOES_NOT_EXIST || code == ERROR_INVALID_NAME)
		return err_set(err, ERR_NOT_FOUND, "there is no service '%s'", name);
	SetLastError(code);
	err_os(err, "open the service '%s'", name);
	if (code == ERROR_ACCESS_DENIED)
		err_set(err, ERR_DENIED,
			"the service '%s' may not be controlled by this "
			"account: run as administrator",
			name);
	return -1;
}

int scm_open(const struct service *service, DWORD rights, struct scm_service *ret,
	     struct err *err)
{
	struct scm_service opened = { 0 };
	wchar_t *wide = NULL;
	int rc = -1;

	if (service->kind != SERVICE_WINDOWS)
		return err_set(err, ERR_CONFIG, "it is no Windows service");
	opened.manager = open_manager(err);
	if (!opened.manager)
		goto out;
	if (service->name)
		opened.name = str_dup(service->name);
	else if (find_with(opened.manager, service->below, &opened.name, err))
		goto out;
	wide = wide_from_utf8(opened.name);
	opened.handle = OpenServiceW(opened.manager, wide, rights);
	if (!opened.handle) {
		say_not_open(opened.name, err);
		goto out;
	}
	*ret = opened;
	memset(&opened, 0, sizeof(opened));
	rc = 0;
out:
	free(wide);
	scm_close(&opened);
	return rc;
}

int scm_account(const struct service *service, char **ret_account, struct err *err)
{
	struct scm_service opened;
	QUERY_SERVICE_CONFIGW *config;
	int rc = -1;

	if (scm_open(service, SERVICE_QUERY_CONFIG, &opened, err))
		return -1;
	config = config_of(opened.handle);
	if (!config) {
		err_os(err, "ask which account the service '%s' runs as", opened.name);
	} else {
		*ret_account = config->lpServiceStartName && *config->lpServiceStartName
				       ? utf8_from_wide(config->lpServiceStartName)
				       : str_dup("LocalSystem");
		rc = 0;
	}
	free(config);
	scm_close(&opened);
	return rc;
}

/* ---- exit codes ---------------------------------------------------------- */

char *scm_exit_text(const SERVICE_STATUS_PROCESS *status)
{
	DWORD code = status->dwWin32ExitCode;
	struct err said;
	const char *words;

	if (code == ERROR_SERVICE_SPECIFIC_ERROR)
		return str_printf("exit code %lu of its own",
				  (unsigned long)status->dwServiceSpecificExitCode);
	if (!code)
		return str_dup("it ended without an error");
	err_windows(&said, code, "exit code %lu", (unsigned long)code);
	words = said.text;
	return str_dup(words);
}

/* winacme_system.c - DPAPI as .NET's ProtectedData uses it, the folder of ProgramData,
 * and the task scheduler by its own program. */
#include "daemon/winacme/winacme.h"

#include <stdlib.h>
#include <windows.h>
#include <wincrypt.h>
#include <shlobj.h>

#include "base/files.h"
#include "base/process.h"
#include "base/windows/wide.h"

#define TASK_TIMEOUT_S 30

int winacme_unprotect(const void *data, size_t len, struct buf *ret, struct err *err)
{
	DATA_BLOB sealed = { (DWORD)len, (BYTE *)data }, opened = { 0, NULL };
	int rc = -1;

	if (!CryptUnprotectData(&sealed, NULL, NULL, NULL, NULL,
				CRYPTPROTECT_UI_FORBIDDEN, &opened)) {
		err_os(err, "open a secret of win-acme: it was encrypted on another "
			    "machine or for another account");
		err->kind = ERR_DENIED;
		return -1;
	}
	if (!buf_append(ret, opened.pbData, opened.cbData))
		rc = 0;
	else
		err_set(err, ERR_CONFIG, "a secret of win-acme is too long");
	SecureZeroMemory(opened.pbData, opened.cbData);
	LocalFree(opened.pbData);
	return rc;
}

/* Gives the path of a known folder; NULL when Windows has none. */
static char *known_folder(const KNOWNFOLDERID *id)
{
	wchar_t *wide = NULL;
	char *path = NULL;

	if (SUCCEEDED(SHGetKnownFolderPath(id, 0, NULL, &wide)))
		path = path_from_wide(wide);
	CoTaskMemFree(wide);
	return path;
}

char *winacme_shared_folder(void)
{
	return known_folder(&FOLDERID_ProgramData);
}

int winacme_switch_task(const char *task, bool on, struct err *err)
{
	char *system = known_folder(&FOLDERID_System);
	char *program = path_join(system ? system : "C:\\Windows\\System32",
				  "schtasks.exe");
	char *name = str_printf("\\%s", task);
	const char *argv[] = {
		program, "/Change", "/TN", name, on ? "/ENABLE" : "/DISABLE", NULL
	};
	struct process_spec spec = { .argv = argv, .timeout_s = TASK_TIMEOUT_S };
	int rc = process_run_ok(&spec, err);

	if (rc)
		err_wrap(err, "switch the task '%s' %s", task, on ? "on" : "off");
	free(name);
	free(program);
	free(system);
	return rc;
}

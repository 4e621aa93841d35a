#include "daemon/windows/registration.h"

#include <stdlib.h>
#include <windows.h>

#include "base/files.h"
#include "base/windows/wide.h"
#include "daemon/windows/service_names.h"
#include "daemon/windows/wer.h"

static LSTATUS set_values(HKEY key, const wchar_t *program)
{
	DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE |
		      EVENTLOG_INFORMATION_TYPE;
	DWORD size = (DWORD)((wcslen(program) + 1) * sizeof(*program));
	LSTATUS failed = RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ,
					(const BYTE *)program, size);

	if (!failed)
		failed = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD,
					(const BYTE *)&types, sizeof(types));
	return failed;
}

/* Best effort: the process asks for no report itself (system_harden()). */
static void exclude_from_reports(const char *program, bool add)
{
	wchar_t *name = wide_from_utf8(path_base(program));

	if (add)
		(void)WerAddExcludedApplication(name, TRUE);
	else
		(void)WerRemoveExcludedApplication(name, TRUE);
	free(name);
}

int registration_add(const char *program, struct err *err)
{
	wchar_t *wide = wide_from_utf8(program);
	LSTATUS failed;
	HKEY key;

	failed = RegCreateKeyExW(HKEY_LOCAL_MACHINE, EVENT_SOURCE_KEY, 0, NULL, 0,
				 KEY_SET_VALUE, NULL, &key, NULL);
	if (!failed) {
		failed = set_values(key, wide);
		RegCloseKey(key);
	}
	free(wide);
	if (failed)
		return err_windows(err, (unsigned long)failed,
				   "register 'certrenewd' with the Event Log");
	exclude_from_reports(program, true);
	return 0;
}

int registration_remove(const char *program, struct err *err)
{
	LSTATUS failed = RegDeleteKeyW(HKEY_LOCAL_MACHINE, EVENT_SOURCE_KEY);

	if (failed && failed != ERROR_FILE_NOT_FOUND)
		return err_windows(err, (unsigned long)failed,
				   "take 'certrenewd' off the Event Log");
	exclude_from_reports(program, false);
	return 0;
}

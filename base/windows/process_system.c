/* process_system.c - job objects, and the recipes for scripts. */
#include "base/process_system.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/files.h"
#include "base/process.h"
#include "base/windows/wide.h"

char *process_self_path(void)
{
	wchar_t path[32768];
	DWORD n = GetModuleFileNameW(NULL, path, 32768);

	return n && n < 32768 ? path_from_wide(path) : NULL;
}

/* ---- environment --------------------------------------------------------- */

static char *windows_folder(void)
{
	wchar_t path[MAX_PATH];
	UINT n = GetSystemWindowsDirectoryW(path, MAX_PATH);

	return n && n < MAX_PATH ? utf8_from_wide(path) : str_dup("C:\\Windows");
}

static void add(struct strlist *ret, const char *name, const char *folder,
		const char *below)
{
	char *line = str_printf("%s=%s%s", name, folder, below);

	strlist_add(ret, line);
	free(line);
}

/* One that an administrator sets for the machine; taken over where it is there. */
static void add_ours(struct strlist *ret, const wchar_t *name)
{
	wchar_t value[MAX_PATH];
	DWORD n = GetEnvironmentVariableW(name, value, MAX_PATH);
	char *key, *text;

	if (!n || n >= MAX_PATH)
		return;
	key = utf8_from_wide(name);
	text = utf8_from_wide(value);
	add(ret, key, text, "");
	free(text);
	free(key);
}

void process_environment(struct strlist *ret)
{
	static const wchar_t *const ours[] = { L"ProgramData", L"ProgramFiles",
					       L"CommonProgramFiles", L"ALLUSERSPROFILE",
					       L"NUMBER_OF_PROCESSORS" };
	char *windows = windows_folder(), *drive = str_ndup(windows, 2);
	char *path = str_printf("%s\\System32;%s;%s\\System32\\Wbem;%s\\System32\\"
				"WindowsPowerShell\\v1.0",
				windows, windows, windows, windows);

	add(ret, "SystemRoot", windows, "");
	add(ret, "windir", windows, "");
	add(ret, "SystemDrive", drive, "");
	add(ret, "PATH", path, "");
	add(ret, "COMSPEC", windows, "\\System32\\cmd.exe");
	add(ret, "TEMP", windows, "\\Temp");
	add(ret, "TMP", windows, "\\Temp");
	add(ret, "PATHEXT", ".COM;.EXE;.BAT;.CMD", "");
	add(ret, "OS", "Windows_NT", "");
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		add_ours(ret, ours[i]);
	free(path);
	free(drive);
	free(windows);
}

/* ---- scripts ------------------------------------------------------------- */

static bool has_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n > m && str_equal_nocase(path + n - m, suffix);
}

/* Inside double quotes cmd.exe takes everything as it is but these. */
static bool is_safe_for_cmd(const char *word)
{
	for (; *word; word++)
		if (*word == '"' || *word == '%' || (unsigned char)*word < ' ')
			return false;
	return true;
}

static int batch_command(const char *const *argv, struct strlist *ret, struct err *err)
{
	char *windows = windows_folder();
	char *cmd = str_printf("%s\\System32\\cmd.exe", windows);
	char *line = str_dup("\"");
	int rc = -1;

	for (size_t i = 0; argv[i]; i++) {
		char *longer;

		if (!is_safe_for_cmd(argv[i])) {
			err_set(err, ERR_CONFIG,
				"'%s' is a batch file, and an argument of it holds a "
				"double quote, a '%%' or a control character, which "
				"cmd.exe would not hand over as it is: read it from the "
				"environment (CERTRENEWD_...) instead",
				argv[0]);
			goto out;
		}
		longer = str_printf("%s%s\"%s\"", line, i ? " " : "", argv[i]);
		free(line);
		line = longer;
	}
	strlist_add(ret, cmd);
	strlist_add(ret, "/d");
	strlist_add(ret, "/v:off");
	strlist_add(ret, "/s");
	strlist_add(ret, "/c");
	free(cmd);
	cmd = str_printf("%s\"", line);
	strlist_add(ret, cmd);
	rc = 0;
out:
	free(line);
	free(cmd);
	free(windows);
	return rc;
}

static void powershell_command(const char *const *argv, struct strlist *ret)
{
	static const char *const words[] = { "-NoProfile", "-NonInteractive",
					     "-ExecutionPolicy", "Bypass", "-File" };
	char *windows = windows_folder();
	char *program = str_printf("%s\\System32\\WindowsPowerShell\\v1.0\\"
				   "powershell.exe",
				   windows);

	strlist_add(ret, program);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		strlist_add(ret, words[i]);
	for (; *argv; argv++)
		strlist_add(ret, *argv);
	free(program);
	free(windows);
}

int process_command(const char *const *argv, struct strlist *ret, bool *ret_verbatim,
		    struct err *err)
{
	*ret_verbatim = false;
	if (has_suffix(argv[0], ".cmd") || has_suffix(argv[0], ".bat")) {
		*ret_verbatim = true;
		return batch_command(argv, ret, err);
	}
	if (has_suffix(argv[0], ".ps1")) {
		powershell_command(argv, ret);
		return 0;
	}
	for (; *argv; argv++)
		strlist_add(ret, *argv);
	return 0;
}

/* Handles are born not to be inherited here; libuv hands over its three alone. */
void process_hide_descriptors(void)
{
}

/* ---- the group ----------------------------------------------------------- */

struct process_group {
	HANDLE job;     /* NULL: could not be made */
	HANDLE process; /* the program itself */
};

struct process_group *process_group_open(int pid)
{
	const DWORD rights = PROCESS_SET_QUOTA | PROCESS_TERMINATE | SYNCHRONIZE;
	struct process_group *group = mem_calloc(1, sizeof(*group));

	group->process = OpenProcess(rights, FALSE, (DWORD)pid);
	group->job = CreateJobObjectW(NULL, NULL);
	if (group->job && group->process &&
	    !AssignProcessToJobObject(group->job, group->process)) {
		CloseHandle(group->job);
		group->job = NULL;
	}
	return group;
}

void process_group_close(struct process_group *group)
{
	if (!group)
		return;
	if (group->job)
		CloseHandle(group->job);
	if (group->process)
		CloseHandle(group->process);
	free(group);
}

void process_group_end(struct process_group *group, bool now)
{
	(void)now;
	if (group->job)
		(void)TerminateJobObject(group->job, 1);
	if (group->process)
		(void)TerminateProcess(group->process, 1);
}

bool process_group_alive(const struct process_group *group)
{
	JOBOBJECT_BASIC_ACCOUNTING_INFORMATION facts;

	if (group->job &&
	    QueryInformationJobObject(group->job, JobObjectBasicAccountingInformation,
				      &facts, sizeof(facts), NULL))
		return facts.ActiveProcesses > 0;
	return group->process && WaitForSingleObject(group->process, 0) == WAIT_TIMEOUT;
}

/* There is no SIGPIPE. */
struct process_mute *process_mute_pipes(void)
{
	return NULL;
}

void process_unmute_pipes(struct process_mute *mute)
{
	(void)mute;
}

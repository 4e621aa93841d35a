#include "daemon/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <shellapi.h>

#include "base/str.h"
#include "base/windows/wide.h"
#include "base/wipe.h"
#include "daemon/windows/administrator.h"
#include "daemon/windows/own_folder.h"
#include "daemon/windows/wer.h"

/* ---- command line and console -------------------------------------------- */

char **system_arguments(int *argc, char **argv)
{
	int n;
	wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &n);
	char **arguments;

	if (!wide)
		return argv;
	arguments = mem_calloc((size_t)n + 1, sizeof(*arguments));
	for (int i = 0; i < n; i++)
		arguments[i] = utf8_from_wide(wide[i]);
	LocalFree(wide);
	*argc = n;
	return arguments;
}

/* A console is told that bytes are UTF-8, and gets them in whole pieces: the C library
 * would hand over each one singly, and a letter of two bytes would be two letters. */
static void prepare(DWORD which, FILE *stream)
{
	HANDLE console = GetStdHandle(which);
	DWORD mode;

	if (!GetConsoleMode(console, &mode))
		return;
	(void)setvbuf(stream, NULL, _IOFBF, 8192);
	(void)SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

unsigned system_console_begin(void)
{
	unsigned before = GetConsoleOutputCP();

	prepare(STD_OUTPUT_HANDLE, stdout);
	prepare(STD_ERROR_HANDLE, stderr);
	if (before)
		(void)SetConsoleOutputCP(CP_UTF8);
	return before;
}

void system_console_end(unsigned before)
{
	(void)fflush(stdout);
	(void)fflush(stderr);
	if (before)
		(void)SetConsoleOutputCP(before);
}

bool system_stdout_is_terminal(void)
{
	DWORD mode;

	return GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &mode) &&
	       (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

/* ---- the state directory ------------------------------------------------- */

int system_check_state_dir(const char *path, struct err *err)
{
	if (own_folder_check(path, err))
		return err_wrap(err, "state directory");
	return 0;
}

void system_closed_folders(const struct config *config, struct strlist *ret)
{
	(void)config;
	(void)ret;
}

int system_become_owner_of(const char *path, struct err *err)
{
	(void)path;
	return administrator_check(err);
}

/* ---- the process --------------------------------------------------------- */

static void allow_system_libraries_only(void)
{
	PROCESS_MITIGATION_IMAGE_LOAD_POLICY images = { 0 };
	PROCESS_MITIGATION_EXTENSION_POINT_DISABLE_POLICY extensions = { 0 };

	(void)SetDllDirectoryW(L"");
	(void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
	(void)SetSearchPathMode(BASE_SEARCH_PATH_ENABLE_SAFE_SEARCHMODE |
				BASE_SEARCH_PATH_PERMANENT);
	images.NoRemoteImages = 1;
	images.NoLowMandatoryLabelImages = 1;
	images.PreferSystem32Images = 1;
	(void)SetProcessMitigationPolicy(ProcessImageLoadPolicy, &images, sizeof(images));
	extensions.DisableExtensionPoints = 1;
	(void)SetProcessMitigationPolicy(ProcessExtensionPointDisablePolicy, &extensions,
					 sizeof(extensions));
}

void system_harden(void)
{
	(void)wipe_library_memory();
	(void)HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
	/* No dialog that nobody sees, and no report with our memory in it. */
	(void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX |
			   SEM_NOOPENFILEERRORBOX);
	(void)WerSetFlags(WER_FAULT_REPORTING_FLAG_NOHEAP);
	allow_system_libraries_only();
}

void system_trim_memory(void)
{
	(void)HeapCompact(GetProcessHeap(), 0);
}

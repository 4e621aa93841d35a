#include "daemon/windows/watch_task.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/files.h"
#include "base/process.h"
#include "base/str.h"
#include "base/windows/wide.h"

#define TASK_NAME "certrenewd watch"
#define TASK_TIMEOUT_S 60
#define TASK_MAX_BYTES ((size_t)256 * 1024)

/* The schema of the Task Scheduler, version 1.2 (Windows Server 2008 and later). */
static const char before_command[] =
	"<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n"
	"<Task version=\"1.2\" "
	"xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">"
	"<RegistrationInfo><Description>Is certrenewd alive, and is what is served what "
	"it says? Tells it by the alert channels.</Description></RegistrationInfo>"
	"<Triggers><TimeTrigger><Repetition><Interval>PT10M</Interval></Repetition>"
	"<StartBoundary>2020-01-01T00:00:00</StartBoundary><Enabled>true</Enabled>"
	"</TimeTrigger></Triggers>"
	"<Principals><Principal id=\"Author\"><UserId>S-1-5-18</UserId>"
	"<RunLevel>HighestAvailable</RunLevel></Principal></Principals>"
	"<Settings><MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>"
	"<DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>"
	"<StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>"
	"<StartWhenAvailable>true</StartWhenAvailable><Enabled>true</Enabled>"
	"<ExecutionTimeLimit>PT30M</ExecutionTimeLimit></Settings>"
	"<Actions Context=\"Author\"><Exec><Command>\"";
static const char between[] = "\"</Command><Arguments>--config \"";
static const char behind[] = "\" watch</Arguments></Exec></Actions></Task>\r\n";

/* A path has no quotes; what XML would read is written otherwise. */
static void put_text(struct buf *xml, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			buf_puts(xml, "&amp;");
		else if (*text == '<')
			buf_puts(xml, "&lt;");
		else if (*text == '>')
			buf_puts(xml, "&gt;");
		else
			buf_append(xml, text, 1);
	}
}

char *watch_task_xml(const char *program, const char *config)
{
	struct buf xml;

	buf_init(&xml, TASK_MAX_BYTES);
	buf_puts(&xml, before_command);
	put_text(&xml, program);
	buf_puts(&xml, between);
	put_text(&xml, config);
	buf_puts(&xml, behind);
	return buf_steal(&xml);
}

/* UTF-16 with its mark, as schtasks wants to read it. */
static int write_description(const char *path, const char *program, const char *config,
			     struct err *err)
{
	char *xml = watch_task_xml(program, config);
	char *marked = str_printf("\xef\xbb\xbf%s", xml);
	wchar_t *wide = wide_from_utf8(marked);
	int rc = file_replace(path, wide, wcslen(wide) * sizeof(*wide), FILE_SECRET, err);

	free(wide);
	free(marked);
	free(xml);
	return rc;
}

/* Runs schtasks.exe of the system's own folder with what follows its name in `argv`. */
static int run_schtasks(const char **argv, struct err *err)
{
	struct process_spec spec = { .argv = argv, .timeout_s = TASK_TIMEOUT_S };
	wchar_t folder[MAX_PATH] = L"C:\\Windows\\System32";
	char *system, *program;
	int rc;

	(void)GetSystemDirectoryW(folder, MAX_PATH);
	system = path_from_wide(folder);
	program = path_join(system, "schtasks.exe");
	argv[0] = program;
	rc = process_run_ok(&spec, err);
	free(program);
	free(system);
	return rc;
}

int watch_task_install(const char *program, const char *config, const char *folder,
		       struct err *err)
{
	char *path = path_join(folder, "watch-task.xml");
	const char *argv[] = {
		NULL, "/Create", "/TN", TASK_NAME, "/XML", path, "/F", NULL
	};
	struct err ignored;
	int rc = write_description(path, program, config, err);

	if (!rc)
		rc = run_schtasks(argv, err);
	if (rc)
		err_wrap(err, "schedule the task '%s'", TASK_NAME);
	(void)file_remove(path, &ignored);
	free(path);
	return rc;
}

int watch_task_remove(struct err *err)
{
	const char *argv[] = { NULL, "/Delete", "/TN", TASK_NAME, "/F", NULL };

	if (run_schtasks(argv, err))
		return err_wrap(err, "remove the task '%s'", TASK_NAME);
	return 0;
}

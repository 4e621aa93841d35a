/* watch_task.h - the scheduled task that runs `certrenewd watch` every ten minutes, as
 * SYSTEM, also after a boot. A task, because a service that is dead starts nothing. */
#ifndef DAEMON_WINDOWS_WATCH_TASK_H
#define DAEMON_WINDOWS_WATCH_TASK_H

#include "base/err.h"

/* Gives the task's description as the scheduler reads it, in UTF-8. */
char *watch_task_xml(const char *program, const char *config);

/* Registers it, replacing one that is there. `program` and `config` are absolute paths;
 * `folder`, which is administrators' only, holds the task's description meanwhile. */
int watch_task_install(const char *program, const char *config, const char *folder,
		       struct err *err);

/* Takes it off; ERR_CONFIG in schtasks' words when there is none. */
int watch_task_remove(struct err *err);

#endif

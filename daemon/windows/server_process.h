/* server_process.h - is it really our daemon at the other end of the pipe? */
#ifndef DAEMON_WINDOWS_SERVER_PROCESS_H
#define DAEMON_WINDOWS_SERVER_PROCESS_H

#include <windows.h>

#include "base/err.h"

/* The pipe's server is the process of our service, or one that runs our own program for
 * our own account, elevated (`run` in a console). Else ERR_DENIED that names it. */
int server_process_check(HANDLE pipe, struct err *err);

#endif

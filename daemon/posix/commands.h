/* commands.h - the commands that a Unix has and Windows has not. */
#ifndef DAEMON_POSIX_COMMANDS_H
#define DAEMON_POSIX_COMMANDS_H

#include "daemon/commands.h"

/* Documented by its row in system_commands.c. */
command_run command_sandbox;

#endif

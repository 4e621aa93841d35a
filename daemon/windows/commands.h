/* commands.h - the commands that exist on Windows only; each is documented by its row in
 * system_commands.c. */
#ifndef DAEMON_WINDOWS_COMMANDS_H
#define DAEMON_WINDOWS_COMMANDS_H

#include "daemon/commands.h"

/* cmd_service.c, cmd_protect.c, cmd_prove_key.c */
command_run command_service, command_protect, command_prove_key;

#endif

/* system_commands.h - the commands that one system has and the other has not. Twin files:
 * a table like the one in commands.c. */
#ifndef DAEMON_SYSTEM_COMMANDS_H
#define DAEMON_SYSTEM_COMMANDS_H

#include <stddef.h>

#include "daemon/commands.h"

/* The rows of this system; NULL with *ret_n = 0 when there are none. Borrowed. */
const struct command *commands_of_system(size_t *ret_n);

#endif

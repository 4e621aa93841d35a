#include "daemon/system_commands.h"

#include "daemon/posix/commands.h"

static const struct command commands[] = {
	{ "sandbox", "sandbox [watch]",
	  "print what the systemd unit has to allow for this configuration, or that of "
	  "the watcher",
	  0, 1, command_sandbox },
};

const struct command *commands_of_system(size_t *ret_n)
{
	*ret_n = sizeof(commands) / sizeof(*commands);
	return commands;
}

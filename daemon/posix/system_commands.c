#include "daemon/system_commands.h"

#include "daemon/posix/commands.h"

static const struct command commands[] = {
	{ "sandbox", "sandbox",
	  "print what the systemd unit has to allow for this configuration", 0, 0,
	  command_sandbox },
};

const struct command *commands_of_system(size_t *ret_n)
{
	*ret_n = sizeof(commands) / sizeof(*commands);
	return commands;
}

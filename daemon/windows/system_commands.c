#include "daemon/system_commands.h"

#include "daemon/windows/commands.h"

static const struct command rows[] = {
	{ "service", "service install|uninstall", "the Windows service that runs this", 1,
	  1, command_service },
	{ "protect", "protect", "seal a secret for the configuration: {dpapi: ...}", 0, 0,
	  command_protect },
	{ "prove-key", "prove-key STORE THUMBPRINT",
	  "sign with the key of an entry: LocalMachine\\My 77AF...", 2, 2,
	  command_prove_key },
};

const struct command *commands_of_system(size_t *ret_n)
{
	*ret_n = sizeof(rows) / sizeof(*rows);
	return rows;
}

/* tool.c - the commands of the tests' tool: tool.h says what they are. */
#include "tool.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct command {
	const wchar_t *name;
	int n_arguments; /* at least */
	int (*run)(wchar_t **argv);
} commands[] = {
	{ L"list", 1, tool_list },
	{ L"import", 4, tool_import },
	{ L"add", 2, tool_add },
	{ L"remove", 2, tool_remove },
	{ L"clear", 1, tool_clear },
	{ L"sign", 2, tool_sign },
	{ L"exists", 1, tool_exists },
	{ L"containers", 0, tool_containers },
	{ L"dacl", 1, tool_dacl },
	{ L"set-dacl", 2, tool_set_dacl },
	{ L"delete-key", 1, tool_delete_key },
	{ L"delete-keys", 0, tool_delete_keys },
	{ L"hold", 2, tool_hold },
	{ L"hold-service", 2, tool_hold_service },
	{ L"echo", 1, tool_echo },
	{ L"protect", 1, tool_protect },
};

int tool_fail(const char *what)
{
	fprintf(stderr, "%s: error %lu (0x%lx)\n", what, GetLastError(), GetLastError());
	return 1;
}

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++)
		if (!wcscmp(argv[1], commands[i].name) &&
		    argc - 2 >= commands[i].n_arguments)
			return commands[i].run(argv + 2);
	fputs("usage: see tool.h\n", stderr);
	return 2;
}

/* port_owner.c - who listens on a port, by the tables of the IP helper. */
#include "base/http_server.h"

#include <stdlib.h>
#include <string.h>
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <iphlpapi.h>

#include "base/files.h"
#include "base/str.h"
#include "base/windows/wide.h"

#define SYSTEM_PID 4 /* the kernel: http.sys listens there */
#define MAX_TABLE_BYTES (16u * 1024 * 1024)

/* Gives the table of listeners of a family; NULL when the system does not tell. */
static void *listeners(ULONG family)
{
	DWORD size = 64 * 1024, code;
	void *table = NULL;

	do {
		free(table);
		table = mem_calloc(1, size);
		code = GetExtendedTcpTable(table, &size, FALSE, family,
					   TCP_TABLE_OWNER_PID_LISTENER, 0);
	} while (code == ERROR_INSUFFICIENT_BUFFER && size <= MAX_TABLE_BYTES);
	if (code == NO_ERROR)
		return table;
	free(table);
	return NULL;
}

/* The process; 0: nobody. */
static DWORD listener_at(unsigned port)
{
	MIB_TCPTABLE_OWNER_PID *four = listeners(AF_INET);
	MIB_TCP6TABLE_OWNER_PID *six = listeners(AF_INET6);
	u_short wanted = htons((u_short)port);
	DWORD pid = 0;

	for (DWORD i = 0; four && i < four->dwNumEntries && !pid; i++)
		if ((u_short)four->table[i].dwLocalPort == wanted)
			pid = four->table[i].dwOwningPid;
	for (DWORD i = 0; six && i < six->dwNumEntries && !pid; i++)
		if ((u_short)six->table[i].dwLocalPort == wanted)
			pid = six->table[i].dwOwningPid;
	free(four);
	free(six);
	return pid;
}

/* Gives the file name of its program; NULL when we may not ask. */
static char *program_of(DWORD pid)
{
	HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
	wchar_t path[32768];
	DWORD n = 32768;
	char *whole, *name = NULL;

	if (!process)
		return NULL;
	if (QueryFullProcessImageNameW(process, 0, path, &n)) {
		whole = utf8_from_wide(path);
		name = str_dup(path_base(whole));
		free(whole);
	}
	CloseHandle(process);
	return name;
}

char *port_owner(unsigned port)
{
	DWORD pid = listener_at(port);
	char *name, *text;

	if (!pid)
		return NULL;
	if (pid == SYSTEM_PID)
		return str_dup("'http.sys', for IIS or another web server (process 4)");
	name = program_of(pid);
	text = name ? str_printf("'%s' (process %lu)", name, (unsigned long)pid)
		    : str_printf("process %lu", (unsigned long)pid);
	free(name);
	return text;
}

bool port_is_silent(unsigned port)
{
	void *table = listeners(AF_INET);
	bool known = table != NULL;

	free(table);
	return known && !listener_at(port);
}

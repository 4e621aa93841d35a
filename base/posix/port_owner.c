/* port_owner.c - who listens on a port, as Linux tells it: /proc/net/tcp names the
 * socket, /proc/PID/fd the process that holds it. Processes of others can be looked into
 * by root only. */
#include "base/http_server.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/str.h"

#define LISTENING 0x0a

/* The inode of the socket that listens on `port`, from a line of /proc/net/tcp:
 *   sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...
 * 0: the line is about something else. */
static unsigned long inode_of_line(const char *line, unsigned port)
{
	char local_port[9], state[9], inode[25];

	if (sscanf(line,
		   " %*s %*[0-9A-Fa-f]:%8[0-9A-Fa-f] %*s %8[0-9A-Fa-f] %*s %*s %*s %*s "
		   "%*s "
		   "%24[0-9]",
		   local_port, state, inode) != 3)
		return 0;
	if (strtoul(local_port, NULL, 16) != port ||
	    strtoul(state, NULL, 16) != LISTENING)
		return 0;
	return strtoul(inode, NULL, 10);
}

static unsigned long find_inode(const char *table, unsigned port)
{
	FILE *file = fopen(table, "re");
	unsigned long inode = 0;
	char line[512];

	while (file && !inode && fgets(line, sizeof(line), file))
		inode = inode_of_line(line, port);
	if (file)
		fclose(file);
	return inode;
}

/* Does the process hold this descriptor ("socket:[123]")? */
static bool holds(const char *pid, const char *socket)
{
	char *folder = str_printf("/proc/%s/fd", pid), target[64];
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;
	ssize_t len;

	while (dir && !found && (entry = readdir(dir)) != NULL) {
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		found = str_equal(target, socket);
	}
	if (dir)
		closedir(dir);
	free(folder);
	return found;
}

static char *describe(const char *pid)
{
	char *path = str_printf("/proc/%s/comm", pid), name[64] = "";
	FILE *file = fopen(path, "re");

	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
	free(path);
	str_make_printable(name);
	return *name ? str_printf("'%s' (process %s)", name, pid)
		     : str_printf("process %s", pid);
}

char *port_owner(unsigned port)
{
	unsigned long inode = find_inode("/proc/net/tcp", port);
	char socket[64], *owner = NULL;
	struct dirent *entry;
	DIR *processes;

	if (!inode)
		inode = find_inode("/proc/net/tcp6", port);
	if (!inode)
		return NULL;
	snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
	processes = opendir("/proc");
	while (processes && !owner && (entry = readdir(processes)) != NULL)
		if (isdigit((unsigned char)*entry->d_name) &&
		    holds(entry->d_name, socket))
			owner = describe(entry->d_name);
	if (processes)
		closedir(processes);
	return owner;
}

/* A table that is not there (no IPv6) has no listeners; one must be there. */
bool port_is_silent(unsigned port)
{
	return !access("/proc/net/tcp", R_OK) && !find_inode("/proc/net/tcp", port) &&
	       !find_inode("/proc/net/tcp6", port);
}

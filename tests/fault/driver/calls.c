/* calls.c - a table of system calls of Linux on x86-64, and how their arguments are read
 * from a thread that is stopped. */
#include "tests/fault/driver/calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define K FAULT_KILL
#define DISK (FAULT_KILL | FAULT_EIO | FAULT_ENOSPC | FAULT_EACCES)
#define WRITES (FAULT_KILL | FAULT_EIO | FAULT_ENOSPC | FAULT_EINTR)
#define OPENS (DISK | FAULT_EINTR | FAULT_EMFILE)
#define REMOVES (FAULT_KILL | FAULT_EIO | FAULT_EACCES)

/* Where the path of a call is. */
enum shape {
	PATH,    /* (path, number) */
	AT,      /* (folder, path, ...) */
	TWO,     /* (path, path) */
	TWO_AT,  /* (folder, path, folder, path) */
	LINK,    /* (text, path) */
	LINK_AT, /* (text, folder, path) */
	FILE_FD, /* (descriptor, ...) */
	WRITE_FD,
	SOCKET_FD,
	ADDRESS, /* (descriptor, address, length) */
	OPEN,
	SIGNAL,
	PROCESS,
	PLAIN,
};

struct row {
	long nr;
	const char *name;
	enum shape shape;
	unsigned faults;
	int number; /* index of the argument to print; -1: none */
};

static const struct row rows[] = {
	{ SYS_openat, "openat", OPEN, OPENS, 2 },
	{ SYS_write, "write", WRITE_FD, WRITES, 2 },
	{ SYS_pwrite64, "pwrite64", WRITE_FD, WRITES, 2 },
	{ SYS_writev, "writev", WRITE_FD, WRITES, -1 },
	{ SYS_fsync, "fsync", FILE_FD, WRITES, -1 },
	{ SYS_fdatasync, "fdatasync", FILE_FD, WRITES, -1 },
	{ SYS_ftruncate, "ftruncate", FILE_FD, K | FAULT_EIO | FAULT_EINTR, 1 },
	{ SYS_fallocate, "fallocate", FILE_FD, WRITES, 3 },
	{ SYS_rename, "rename", TWO, DISK, -1 },
	{ SYS_renameat, "renameat", TWO_AT, DISK, -1 },
	{ SYS_renameat2, "renameat2", TWO_AT, DISK, 4 },
	{ SYS_link, "link", TWO, DISK, -1 },
	{ SYS_linkat, "linkat", TWO_AT, DISK, -1 },
	{ SYS_symlink, "symlink", LINK, DISK, -1 },
	{ SYS_symlinkat, "symlinkat", LINK_AT, DISK, -1 },
	{ SYS_unlink, "unlink", PATH, REMOVES, -1 },
	{ SYS_unlinkat, "unlinkat", AT, REMOVES, 2 },
	{ SYS_rmdir, "rmdir", PATH, REMOVES, -1 },
	{ SYS_mkdir, "mkdir", PATH, DISK, 1 },
	{ SYS_mkdirat, "mkdirat", AT, DISK, 2 },
	{ SYS_chmod, "chmod", PATH, REMOVES, 1 },
	{ SYS_fchmod, "fchmod", FILE_FD, K | FAULT_EIO, 1 },
	{ SYS_fchmodat, "fchmodat", AT, REMOVES, 2 },
	{ SYS_chown, "chown", PATH, REMOVES, -1 },
	{ SYS_fchown, "fchown", FILE_FD, K | FAULT_EIO, 1 },
	{ SYS_fchownat, "fchownat", AT, REMOVES, 2 },
	{ SYS_setxattr, "setxattr", PATH, DISK, -1 },
	{ SYS_fsetxattr, "fsetxattr", FILE_FD, DISK, -1 },
	{ SYS_removexattr, "removexattr", PATH, REMOVES, -1 },
	{ SYS_fremovexattr, "fremovexattr", FILE_FD, REMOVES, -1 },
	{ SYS_truncate, "truncate", PATH, OPENS, 1 },
	{ SYS_utimensat, "utimensat", AT, REMOVES, -1 },
	{ SYS_connect, "connect", ADDRESS, K | FAULT_EACCES | FAULT_EINTR, 0 },
	{ SYS_bind, "bind", ADDRESS, K | FAULT_EACCES, -1 },
	{ SYS_sendto, "sendto", SOCKET_FD, K | FAULT_EIO | FAULT_EINTR, 0 },
	{ SYS_sendmsg, "sendmsg", SOCKET_FD, K | FAULT_EIO | FAULT_EINTR, 0 },
	{ SYS_socket, "socket", PLAIN, FAULT_EMFILE | FAULT_EACCES, 0 },
	{ SYS_pipe2, "pipe2", PLAIN, FAULT_EMFILE, -1 },
	{ SYS_socketpair, "socketpair", PLAIN, FAULT_EMFILE, -1 },
	{ SYS_kill, "kill", SIGNAL, K, 1 },
	{ SYS_fork, "fork", PROCESS, K, -1 },
	{ SYS_vfork, "vfork", PROCESS, K, -1 },
	{ SYS_clone, "clone", PROCESS, K, 0 },
	{ SYS_execve, "execve", PATH, K | FAULT_EACCES | FAULT_EIO | FAULT_EMFILE, -1 },
};

static const struct {
	const char *word;
	unsigned fault;
	int code;
} faults[] = {
	{ "kill", FAULT_KILL, 0 },          { "eio", FAULT_EIO, EIO },
	{ "enospc", FAULT_ENOSPC, ENOSPC }, { "eacces", FAULT_EACCES, EACCES },
	{ "eintr", FAULT_EINTR, EINTR },    { "emfile", FAULT_EMFILE, EMFILE },
};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

unsigned fault_of(const char *word)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (!strcmp(faults[i].word, word))
			return faults[i].fault;
	return 0;
}

int fault_errno(unsigned fault)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (faults[i].fault == fault)
			return faults[i].code;
	return 0;
}

/* ---- memory of the traced process ---------------------------------------- */

static ssize_t peek(pid_t tid, uint64_t at, void *to, size_t len)
{
	struct iovec here = { to, len }, there = { (void *)(uintptr_t)at, len };

	return process_vm_readv(tid, &here, 1, &there, 1, 0);
}

/* Text at an address, page by page because it may lie at the end of what is mapped. */
static void peek_text(pid_t tid, uint64_t at, char *to, size_t size)
{
	size_t have = 0, part;
	ssize_t n;

	while (have + 1 < size) {
		part = 256 - (at + have) % 256;
		if (part > size - 1 - have)
			part = size - 1 - have;
		n = peek(tid, at + have, to + have, part);
		if (n <= 0)
			break;
		if (memchr(to + have, '\0', (size_t)n))
			return;
		have += (size_t)n;
	}
	to[have] = '\0';
}

static void descriptor(pid_t tid, int fd, char *to, size_t size)
{
	char name[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		snprintf(name, sizeof(name), "/proc/%d/cwd", (int)tid);
	else
		snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)tid, fd);
	n = readlink(name, to, size - 1);
	to[n < 0 ? 0 : n] = '\0';
}

static void path_at(pid_t tid, int folder, uint64_t at, char to[CALL_TARGET_BYTES])
{
	size_t len;

	peek_text(tid, at, to, CALL_TARGET_BYTES);
	if (to[0] == '/')
		return;
	descriptor(tid, folder, to, CALL_TARGET_BYTES / 2);
	len = strlen(to);
	to[len++] = '/';
	peek_text(tid, at, to + len, CALL_TARGET_BYTES - len);
	if (!to[len])
		to[len - 1] = '\0'; /* AT_EMPTY_PATH */
}

static void address(pid_t tid, uint64_t at, uint64_t len, char to[CALL_TARGET_BYTES])
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_un un;
		struct sockaddr_storage all;
	} a = { 0 };

	(void)peek(tid, at, &a, len < sizeof(a) ? len : sizeof(a));
	if (a.any.sa_family == AF_INET)
		snprintf(to, CALL_TARGET_BYTES, "socket %s:%u", inet_ntoa(a.in.sin_addr),
			 ntohs(a.in.sin_port));
	else if (a.any.sa_family == AF_UNIX)
		snprintf(to, CALL_TARGET_BYTES, "socket %.100s", a.un.sun_path);
	else
		snprintf(to, CALL_TARGET_BYTES, "socket of family %u", a.any.sa_family);
}

/* A file that lasts: not a device, not what the kernel shows. */
static bool lasts(const char *path)
{
	return path[0] == '/' && strncmp(path, "/dev/", 5) != 0 &&
	       strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/sys/", 5) != 0 &&
	       strncmp(path, "/memfd:", 7) != 0;
}

static bool is_socket(const char *target)
{
	return !strncmp(target, "socket:", 7);
}

/* ---- one shape after the other ------------------------------------------- */

static uint64_t position(pid_t tid, int fd)
{
	char name[64], line[128] = "";
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/fdinfo/%d", (int)tid, fd);
	file = fopen(name, "re");
	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return strncmp(line, "pos:", 4) ? 0 : strtoull(line + 4, NULL, 10);
}

/* Standard output and error are ours to redirect: they change nothing. */
static bool read_write(pid_t tid, const uint64_t a[6], bool foreign, struct call *ret)
{
	int fd = (int)a[0];

	if (fd <= STDERR_FILENO)
		return false;
	descriptor(tid, fd, ret->target, sizeof(ret->target));
	if (is_socket(ret->target)) {
		snprintf(ret->target, sizeof(ret->target), "socket");
		ret->faults = FAULT_KILL | FAULT_EIO | FAULT_EINTR;
		ret->number = a[0];
		return !foreign;
	}
	if (strcmp(ret->name, "writev") != 0) {
		ret->data = a[1];
		ret->length = a[2];
	}
	ret->offset = strcmp(ret->name, "pwrite64") ? position(tid, fd) : a[3];
	return lasts(ret->target);
}

static bool read_open(pid_t tid, const uint64_t a[6], struct call *ret)
{
	const int changing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

	path_at(tid, (int)a[0], a[1], ret->target);
	return ((int)a[2] & changing) && lasts(ret->target);
}

static bool read_paths(pid_t tid, enum shape shape, const uint64_t a[6], struct call *ret)
{
	switch (shape) {
	case TWO:
		path_at(tid, AT_FDCWD, a[0], ret->target);
		path_at(tid, AT_FDCWD, a[1], ret->other);
		break;
	case TWO_AT:
		path_at(tid, (int)a[0], a[1], ret->target);
		path_at(tid, (int)a[2], a[3], ret->other);
		break;
	case LINK:
		peek_text(tid, a[0], ret->other, sizeof(ret->other));
		path_at(tid, AT_FDCWD, a[1], ret->target);
		break;
	case LINK_AT:
		peek_text(tid, a[0], ret->other, sizeof(ret->other));
		path_at(tid, (int)a[1], a[2], ret->target);
		break;
	case AT:
		path_at(tid, (int)a[0], a[1], ret->target);
		break;
	default:
		path_at(tid, AT_FDCWD, a[0], ret->target);
		break;
	}
	return lasts(ret->target);
}

static bool read_rest(pid_t tid, enum shape shape, const uint64_t a[6], struct call *ret)
{
	switch (shape) {
	case FILE_FD:
		descriptor(tid, (int)a[0], ret->target, sizeof(ret->target));
		return lasts(ret->target);
	case SOCKET_FD:
		snprintf(ret->target, sizeof(ret->target), "socket");
		return true;
	case ADDRESS:
		address(tid, a[1], a[2], ret->target);
		return true;
	case SIGNAL:
		return a[1] != 0; /* 0 only asks */
	case PROCESS:
		return !(a[0] & CLONE_THREAD) || ret->number == 0;
	default:
		return true;
	}
}

static bool needs_no_file(const struct row *row)
{
	return row->shape == SOCKET_FD || row->shape == ADDRESS ||
	       row->shape == PROCESS || row->shape == PLAIN || row->nr == SYS_execve;
}

static const struct row *row_of(uint64_t nr)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].nr == (long)nr)
			return &rows[i];
	return NULL;
}

bool call_read(pid_t tid, uint64_t nr, const uint64_t args[6], bool foreign,
	       struct call *ret)
{
	const struct row *row = row_of(nr);

	if (!row || (foreign && needs_no_file(row)))
		return false;
	ret->name = row->name;
	ret->faults = row->faults;
	ret->target[0] = ret->other[0] = '\0';
	ret->number = row->number < 0 ? 0 : args[row->number];
	ret->offset = ret->data = ret->length = 0;
	switch (row->shape) {
	case OPEN:
		return read_open(tid, args, ret);
	case WRITE_FD:
		return read_write(tid, args, foreign, ret);
	case PATH:
	case AT:
	case TWO:
	case TWO_AT:
	case LINK:
	case LINK_AT:
		return read_paths(tid, row->shape, args, ret);
	default:
		return read_rest(tid, row->shape, args, ret);
	}
}

void call_print_data(FILE *out, pid_t tid, const struct call *call, uint64_t max)
{
	unsigned char chunk[4096];
	uint64_t done = 0;
	ssize_t n;

	while (call->data && done < call->length && done < max) {
		n = peek(tid, call->data + done, chunk,
			 call->length - done < sizeof(chunk) ? call->length - done
							     : sizeof(chunk));
		if (n <= 0)
			return;
		for (ssize_t i = 0; i < n; i++)
			fprintf(out, "%02x", chunk[i]);
		done += (uint64_t)n;
	}
}

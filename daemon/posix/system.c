#include "daemon/system.h"

#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/posix/notify.h"

int system_check_state_dir(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st))
		return err_os(err, "look at state directory '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_CONFIG, "state directory '%s' is not a folder",
			       path);
	if (st.st_uid != geteuid())
		return err_set(
			err, ERR_DENIED,
			"state directory '%s' belongs to uid %u, not to uid %u that "
			"certrenewd runs as: remove it, or chown it",
			path, (unsigned)st.st_uid, (unsigned)geteuid());
	if (st.st_mode & 077)
		return err_set(
			err, ERR_DENIED,
			"state directory '%s' is open to others (mode %04o): chmod "
			"0700 '%s'",
			path, (unsigned)(st.st_mode & 07777), path);
	return 0;
}

int system_become_owner_of(const char *path, struct err *err)
{
	struct passwd entry, *found = NULL;
	struct stat st;
	char strings[4096];

	if (stat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		return err_os(err, "look at state directory '%s'", path);
	}
	if (st.st_uid == geteuid())
		return 0;
	if (geteuid() != 0)
		return err_set(
			err, ERR_DENIED,
			"state directory '%s' belongs to another account: run this as "
			"root or as that account",
			path);
	if (getpwuid_r(st.st_uid, &entry, strings, sizeof(strings), &found) || !found)
		return err_set(
			err, ERR_DENIED,
			"state directory '%s' belongs to uid %u, which has no account",
			path, (unsigned)st.st_uid);
	if (initgroups(found->pw_name, found->pw_gid) || setgid(found->pw_gid) ||
	    setuid(found->pw_uid))
		return err_os(err, "become '%s'", found->pw_name);
	return 0;
}

void system_harden(void)
{
	const struct rlimit none = { 0, 0 };

	/* A few workers that are seldom busy need no arena each. */
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_TRIM_THRESHOLD, 64 * 1024);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
}

bool system_peer_allowed(const uv_pipe_t *pipe)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	uv_os_fd_t fd;

	if (uv_fileno((const uv_handle_t *)pipe, &fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

int system_guard_socket(const char *path, struct err *err)
{
	if (chmod(path, 0600))
		return err_os(err, "chmod 0600 '%s'", path);
	return 0;
}

bool system_stderr_is_terminal(void)
{
	return isatty(STDERR_FILENO) == 1;
}

bool system_stdout_is_terminal(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

void system_notify_ready(const char *status)
{
	notify_send("READY=1", status);
}

void system_notify_reloading(void)
{
	notify_send("RELOADING=1", NULL);
}

void system_notify_stopping(void)
{
	notify_send("STOPPING=1", "stopping");
}

void system_notify_alive(const char *status)
{
	notify_send("WATCHDOG=1", status);
}

void system_trim_memory(void)
{
	(void)malloc_trim(0);
}

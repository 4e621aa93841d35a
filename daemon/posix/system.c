#include "daemon/system.h"

#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wipe.h"
#include "daemon/posix/sandbox.h"

char **system_arguments(int *argc, char **argv)
{
	(void)argc;
	return argv;
}

unsigned system_console_begin(void)
{
	return 0;
}

void system_console_end(unsigned before)
{
	(void)before;
}

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

void system_closed_folders(const struct config *config, struct strlist *ret)
{
	sandbox_closed(config, ret);
}

int system_become_owner_of(const char *path, struct err *err)
{
	struct passwd entry, *found = NULL;
	struct stat st;
	char strings[4096];

	if (stat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		(void)err_os(err, "look at state directory '%s'", path);
		if (geteuid() == 0) /* whom no mode keeps out */
			err->kind = ERR_IO;
		return -1;
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

	(void)wipe_library_memory();
	/* A few workers that are seldom busy need no arena each. */
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_TRIM_THRESHOLD, 64 * 1024);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
}

bool system_stdout_is_terminal(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

void system_trim_memory(void)
{
	(void)malloc_trim(0);
}

/* process_system.c - process groups, inherited descriptors and SIGPIPE. */
#include "base/process_system.h"

#include "base/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

char *process_self_path(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	return n > 0 && (size_t)n < sizeof(path) ? str_ndup(path, (size_t)n) : NULL;
}

void process_environment(struct strlist *ret)
{
	const char *zone = getenv("TZ");
	char *line;

	strlist_add(ret,
		    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strlist_add(ret, "HOME=/");
	strlist_add(ret, "LANG=C.UTF-8");
	if (!zone)
		return;
	line = str_printf("TZ=%s", zone);
	strlist_add(ret, line);
	free(line);
}

int process_command(const char *const *argv, struct strlist *ret, bool *ret_verbatim,
		    struct err *err)
{
	(void)err;
	*ret_verbatim = false;
	for (; *argv; argv++)
		strlist_add(ret, *argv);
	return 0;
}

/* Kernels before 5.11 know no CLOSE_RANGE_CLOEXEC. */
static void hide_one_by_one(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	long fd;

	while (dir && (entry = readdir(dir)) != NULL) {
		fd = strtol(entry->d_name, NULL, 10);
		if (fd > STDERR_FILENO)
			(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	}
	if (dir)
		closedir(dir);
}

void process_hide_descriptors(void)
{
	if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC))
		hide_one_by_one();
}

struct process_group {
	int leader; /* every program begins its own group */
};

struct process_group *process_group_open(int pid)
{
	struct process_group *group = mem_calloc(1, sizeof(*group));

	group->leader = pid;
	return group;
}

void process_group_close(struct process_group *group)
{
	free(group);
}

void process_group_end(struct process_group *group, bool now)
{
	if (group->leader > 1)
		(void)kill(-group->leader, now ? SIGKILL : SIGTERM);
}

/* Is the process of this number in the group, and not merely waiting to be buried? From
 * /proc/PID/stat: "pid (name) state ppid pgrp ..."; the name may hold anything. */
static bool lives_in(const char *pid, int group)
{
	char *path = str_printf("/proc/%s/stat", pid), line[512] = "", *rest, state;
	FILE *file = fopen(path, "re");

	free(path);
	if (!file)
		return false;
	rest = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	if (!rest || strlen(rest) < 5) /* ") S ppid pgrp ..." */
		return false;
	state = rest[2];
	(void)strtol(rest + 4, &rest, 10);
	return strtol(rest, NULL, 10) == group && state != 'Z' && state != 'X';
}

/* kill() counts the dead that init has not buried yet; some containers' never does. */
bool process_group_alive(const struct process_group *group)
{
	const int pid = group->leader;
	struct dirent *entry;
	bool alive = false;
	DIR *dir;

	if (pid <= 1 || (kill(-pid, 0) && errno == ESRCH))
		return false;
	dir = opendir("/proc");
	while (dir && !alive && (entry = readdir(dir)) != NULL)
		if (*entry->d_name >= '1' && *entry->d_name <= '9')
			alive = lives_in(entry->d_name, pid);
	if (dir)
		closedir(dir);
	return alive;
}

struct process_mute {
	sigset_t before;
	bool was_pending;
};

static bool pipe_pending(void)
{
	sigset_t pending;

	return !sigpending(&pending) && sigismember(&pending, SIGPIPE) == 1;
}

struct process_mute *process_mute_pipes(void)
{
	struct process_mute *mute = mem_calloc(1, sizeof(*mute));
	sigset_t pipe_only;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	mute->was_pending = pipe_pending();
	pthread_sigmask(SIG_BLOCK, &pipe_only, &mute->before);
	return mute;
}

void process_unmute_pipes(struct process_mute *mute)
{
	static const struct timespec at_once = { 0 };
	sigset_t pipe_only;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	if (!mute->was_pending && pipe_pending())
		(void)sigtimedwait(&pipe_only, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &mute->before, NULL);
	free(mute);
}

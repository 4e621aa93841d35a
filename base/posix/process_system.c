/* process_system.c - process groups, inherited descriptors and SIGPIPE. */
#include "base/process_system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

const char *const *process_environment(void)
{
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/",
		"LANG=C.UTF-8",
		NULL,
	};

	return environment;
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

void process_end_group(int pid, bool now)
{
	if (pid > 1)
		(void)kill(-pid, now ? SIGKILL : SIGTERM);
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
bool process_group_alive(int pid)
{
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

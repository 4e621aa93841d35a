/* file_lock.c - one process owns the state directory.
 *
 * flock() belongs to the open file: it dies with us, a second take in this very process
 * fails too, and closing another descriptor of the file does not lose it. The file stays
 * when the lock goes: removing it would let two processes lock two files of one name. */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/posix/file_parts.h"

struct file_lock {
	int fd;
};

/* The holder writes its pid just after locking: for a moment nobody can be named. */
static int say_who_holds(int fd, const char *path, struct err *err)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (pid <= 0)
		return err_set(err, ERR_TRANSIENT, "'%s' is held by another process",
			       path);
	return err_set(err, ERR_TRANSIENT, "'%s' is held by process %ld", path, pid);
}

int file_lock_take(const char *path, struct file_lock **ret, struct err *err)
{
	struct file_lock *lock;
	char pid[32];
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_os(err, "open lock '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			say_who_holds(fd, path, err);
		else
			err_os(err, "lock '%s'", path);
		goto fail;
	}
	snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) || write_all(fd, pid, strlen(pid))) {
		err_os(err, "write lock '%s'", path);
		goto fail;
	}
	lock = mem_calloc(1, sizeof(*lock));
	lock->fd = fd;
	*ret = lock;
	return 0;
fail:
	close(fd);
	return -1;
}

void file_lock_release(struct file_lock *lock)
{
	if (!lock)
		return;
	(void)!ftruncate(lock->fd, 0); /* no stale pid for people who look */
	close(lock->fd);
	free(lock);
}

/* file_parts.c - accounts' names, complete writes, synced folders. */
#include "base/posix/file_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/files.h"

bool account_is_ours(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

void account_name(uid_t uid, char *out, size_t size)
{
	char memory[4096];
	struct passwd entry, *found = NULL;

	if (!getpwuid_r(uid, &entry, memory, sizeof(memory), &found) && found)
		snprintf(out, size, "%s", found->pw_name);
	else
		snprintf(out, size, "%lu", (unsigned long)uid);
}

char *account_of_user(uid_t uid)
{
	char name[64];

	account_name(uid, name, sizeof(name));
	return str_printf("user '%s'", name);
}

char *account_of_group(gid_t gid)
{
	char memory[4096];
	struct group entry, *found = NULL;

	if (!getgrgid_r(gid, &entry, memory, sizeof(memory), &found) && found)
		return str_printf("group '%s'", found->gr_name);
	return str_printf("group '%lu'", (unsigned long)gid);
}

int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int sync_folder(int dir_fd, const char *dir)
{
	int fd = openat(dir_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc, saved;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

int sync_parent(const char *path)
{
	char *parent = path_parent(path);
	int rc = sync_folder(AT_FDCWD, parent), saved = errno;

	free(parent);
	errno = saved;
	return rc;
}

/* Gives a folder just made its owner and mode. -1 and errno. */
static int settle_folder(int parent_fd, int fd, mode_t mode, const struct stat *owner)
{
	if (owner && fchown(fd, owner->st_uid, owner->st_gid))
		return -1;
	return fchmod(fd, mode) || fsync(fd) || sync_folder(parent_fd, ".") ? -1 : 0;
}

int make_folder_at(int dir_fd, const char *name, mode_t mode, const struct stat *owner)
{
	int fd, saved;

	if (mkdirat(dir_fd, name, mode & 0700)) {
		if (errno != EEXIST)
			return -1;
		return openat(dir_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !settle_folder(dir_fd, fd, mode, owner))
		return fd;
	saved = errno;
	if (fd >= 0)
		close(fd);
	(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
	errno = saved;
	return -1;
}

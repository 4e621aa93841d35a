/* file_tree.c - folders of ours: made with their parents, removed with their contents. */
#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/posix/file_parts.h"

#define REMOVE_MAX_LEVELS 32

int dir_make(const char *path, enum file_audience audience, struct err *err)
{
	mode_t mode = audience == FILE_SECRET ? 0700 : 0755;
	char *rest = str_dup(path), *at, *name, *save = NULL;
	int next, rc = -1;
	int fd = open(path_is_absolute(path) ? "/" : ".",
		      O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (at = rest; fd >= 0 && (name = strtok_r(at, "/", &save)); at = NULL) {
		next = make_folder_at(fd, name, mode, NULL);
		close(fd);
		fd = next;
	}
	if (fd < 0) {
		err_os(err, "make folder '%s'", path);
		goto out;
	}
	close(fd);
	rc = 0;
out:
	free(rest);
	return rc;
}

/* Removes what `name` is below `dir_fd`. -1 and errno. */
static int remove_at(int dir_fd, const char *name, int level);

static int empty_folder(int fd, int level)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int saved = 0;

	if (!dir) {
		close(fd);
		return -1;
	}
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		if (remove_at(dirfd(dir), entry->d_name, level + 1))
			break;
	}
	saved = errno;
	closedir(dir);
	errno = saved;
	return saved ? -1 : 0;
}

static int remove_at(int dir_fd, const char *name, int level)
{
	int fd;

	if (!unlinkat(dir_fd, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (level > REMOVE_MAX_LEVELS) {
		errno = ELOOP;
		return -1;
	}
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOTDIR)
			errno = EPERM; /* it is no folder: unlinking was what failed */
		return -1;
	}
	if (empty_folder(fd, level))
		return -1;
	return unlinkat(dir_fd, name, AT_REMOVEDIR);
}

int tree_remove(const char *path, struct err *err)
{
	if (remove_at(AT_FDCWD, path, 0) && errno != ENOTDIR)
		return err_os(err, "remove folder '%s'", path);
	if (sync_parent(path) && errno != ENOENT && errno != ENOTDIR)
		return err_os(err, "sync the folder of '%s'", path);
	return 0;
}

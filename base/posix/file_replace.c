/* file_replace.c - our own files: replaced whole, renamed, removed, always synced. */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/posix/file_parts.h"

int file_replace(const char *path, const void *data, size_t len,
		 enum file_audience audience, struct err *err)
{
	char *temporary = str_printf("%s%s", path, FILE_NEW_SUFFIX);
	int fd = -1, rc = -1;
	bool renamed = false;

	(void)unlink(temporary); /* left by a crash; the state lock makes it ours */
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_os(err, "create '%s'", temporary);
		goto out;
	}
	if (write_all(fd, data, len) ||
	    fchmod(fd, audience == FILE_SECRET ? 0600 : 0644) || fsync(fd)) {
		err_os(err, "write '%s'", temporary);
		goto out;
	}
	renamed = !rename(temporary, path);
	if (!renamed || sync_parent(path)) {
		err_os(err, "replace '%s'", path);
		goto out;
	}
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !renamed)
		(void)unlink(temporary);
	free(temporary);
	return rc;
}

/* Contents first: a new name must not survive a power cut that its contents do not. */
static int sync_contents(const char *path)
{
	struct stat st;
	int fd, rc;

	if (lstat(path, &st))
		return -1;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int file_rename(const char *from, const char *to, struct err *err)
{
	if (sync_contents(from))
		return err_os(err, "rename '%s'", from);
	if (rename(from, to) || sync_parent(to) || sync_parent(from))
		return err_os(err, "rename '%s' to '%s'", from, to);
	return 0;
}

int file_remove(const char *path, struct err *err)
{
	if (unlink(path) && errno != ENOENT && errno != ENOTDIR)
		return err_os(err, "remove '%s'", path);
	/* Also when it was gone: whoever removed it may have died before the sync. */
	if (sync_parent(path) && errno != ENOENT && errno != ENOTDIR)
		return err_os(err, "sync the folder of '%s'", path);
	return 0;
}

int link_replace(const char *path, const char *target, struct err *err)
{
	char *temporary = str_printf("%s%s", path, FILE_NEW_SUFFIX);
	struct stat st;
	int rc = -1;

	if (!lstat(path, &st) && !S_ISLNK(st.st_mode)) {
		err_set(err, ERR_CONFIG,
			"'%s' is %s that is not ours; move it away or name another path",
			path, S_ISDIR(st.st_mode) ? "a folder" : "a file");
		goto out;
	}
	(void)unlink(temporary);
	if (symlink(target, temporary)) {
		err_os(err, "create link '%s'", temporary);
		goto out;
	}
	if (rename(temporary, path)) {
		err_os(err, "replace link '%s'", path);
		(void)unlink(temporary);
		goto out;
	}
	if (sync_parent(path)) {
		err_os(err, "sync the folder of '%s'", path);
		goto out;
	}
	rc = 0;
out:
	free(temporary);
	return rc;
}

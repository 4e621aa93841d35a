/* file_keep.c - replaces a file of an application and keeps what it is to others: owner,
 * group, mode, ACL, extended attributes, the link that leads to it. */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/posix/file_parts.h"

#define ACL_NAME "system.posix_acl_access"
#define XATTR_MAX_BYTES 65536

/* Copies one attribute. -1 and errno if the new file would not take it. */
static int copy_attribute(const char *from, int to, const char *name, char *memory)
{
	ssize_t len = getxattr(from, name, memory, XATTR_MAX_BYTES);

	if (len < 0)
		return errno == ENODATA || errno == ENOTSUP ? 0 : -1;
	return fsetxattr(to, name, memory, (size_t)len, 0);
}

/* The ACL must be kept. Labels and the rest are kept where the system permits it: it set
 * them itself when the file was made, and an account without rights may not. */
static int copy_attributes(const char *from, int to)
{
	char *names = mem_calloc(XATTR_MAX_BYTES, 1),
	     *memory = mem_calloc(XATTR_MAX_BYTES, 1);
	ssize_t len = listxattr(from, names, XATTR_MAX_BYTES);
	const char *name;
	bool has_acl = false;
	int rc = len < 0 && errno != ENOTSUP ? -1 : 0;

	for (name = names; !rc && name - names < len; name += strlen(name) + 1) {
		if (str_equal(name, ACL_NAME)) {
			has_acl = true;
			rc = copy_attribute(from, to, name, memory);
		} else {
			(void)copy_attribute(from, to, name, memory);
		}
	}
	/* The folder's default ACL gave the new file one that the old has not. */
	if (!rc && !has_acl && fremovexattr(to, ACL_NAME) && errno != ENODATA &&
	    errno != ENOTSUP)
		rc = -1;
	free(names);
	free(memory);
	return rc;
}

/* Makes the new file what the old one was: `old` holds it, O_PATH, -1 if there is none.
 */
static int keep_access(int fd, int old_fd, const struct stat *as, mode_t mode)
{
	char old[64];
	struct stat now;

	if (fstat(fd, &now))
		return -1;
	if ((now.st_uid != as->st_uid || now.st_gid != as->st_gid) &&
	    fchown(fd, as->st_uid, as->st_gid))
		return -1;
	if (old_fd >= 0) {
		snprintf(old, sizeof(old), "/proc/self/fd/%d", old_fd);
		if (copy_attributes(old, fd))
			return -1;
	}
	return fchmod(fd, mode);
}

struct replacement {
	struct place place;
	struct stat as; /* whose owner the file gets: the old file's, or the folder's */
	mode_t mode;
	int old_fd;      /* O_PATH; -1: there is no old file */
	char *temporary; /* name in the folder */
};

static void replacement_release(struct replacement *r)
{
	if (r->old_fd >= 0)
		close(r->old_fd);
	free(r->temporary);
	place_release(&r->place);
}

/* Makes the missing folders of the place, so that its name is a plain name. */
static int make_missing(struct place *place, struct err *err)
{
	struct stat owner;
	char *slash, *dir;
	int fd;

	while ((slash = strchr(place->name, '/'))) {
		*slash = '\0';
		dir = path_join(place->dir, place->name);
		fd = fstat(place->dir_fd, &owner)
			     ? -1
			     : make_folder_at(place->dir_fd, place->name, 0755, &owner);
		if (fd < 0) {
			err_os(err, "make folder '%s'", dir);
			free(dir);
			return -1;
		}
		close(place->dir_fd);
		free(place->dir);
		place->dir_fd = fd;
		place->dir = dir;
		slash += 1 + strspn(slash + 1, "/");
		memmove(place->name, slash, strlen(slash) + 1);
	}
	return 0;
}

/* Finds the place, and what the new file has to look like. */
static int replacement_prepare(struct replacement *r, const char *path,
			       enum file_audience audience, struct err *err)
{
	struct place *place = &r->place;

	if (place_find(path, PLACE_TRUST_LINKS, place, err))
		return -1;
	if (place->exists && !S_ISREG(place->stat.st_mode))
		return err_set(err, ERR_IO, "'%s' is %s, not a file", path,
			       S_ISDIR(place->stat.st_mode) ? "a folder"
							    : "a device or a pipe");
	if (fstat(place->dir_fd, &r->as))
		return err_os(err, "look at '%s'", place->dir);
	r->mode = audience == FILE_SECRET ? 0600 : 0644;
	if (!place->exists)
		return 0;
	r->old_fd = openat(place->dir_fd, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (r->old_fd < 0 || fstat(r->old_fd, &r->as))
		return err_os(err, "look at '%s'", path);
	r->mode = r->as.st_mode & 07777;
	return 0;
}

/* Writes the new file beside the old one, complete and synced. -1 and errno. */
static int write_beside(const struct replacement *r, const void *data, size_t len)
{
	int saved, fd, rc;

	(void)unlinkat(r->place.dir_fd, r->temporary, 0); /* left by a crash */
	fd = openat(r->place.dir_fd, r->temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	rc = write_all(fd, data, len) || keep_access(fd, r->old_fd, &r->as, r->mode) ||
	     fsync(fd);
	saved = errno;
	close(fd);
	if (rc)
		(void)unlinkat(r->place.dir_fd, r->temporary, 0);
	errno = saved;
	return rc ? -1 : 0;
}

/* What the file system cannot do is done in a simpler way. */
static bool is_unsupported(int code)
{
	return code == EINVAL || code == ENOSYS || code == EOPNOTSUPP || code == EPERM;
}

/* Gives the name to the new file if nobody has it. -1 and errno: EEXIST. */
static int put_first(const struct replacement *r)
{
	int dir = r->place.dir_fd;

	if (!renameat2(dir, r->temporary, dir, r->place.name, RENAME_NOREPLACE))
		return 0;
	if (!is_unsupported(errno))
		return -1;
	if (!linkat(dir, r->temporary, dir, r->place.name, 0)) {
		(void)unlinkat(dir, r->temporary, 0);
		return 0;
	}
	return is_unsupported(errno) ? renameat(dir, r->temporary, dir, r->place.name)
				     : -1;
}

/* Exchanges old and new, and looks at what came out: what somebody wrote in the very last
 * moment goes back. *ret_theirs: it did, and nothing is changed. -1 and errno. */
static int exchange(const struct replacement *r, const char *expected, bool *ret_theirs)
{
	int dir = r->place.dir_fd;
	char *out = path_join(r->place.dir, r->temporary), was[FILE_HASH_MAX];
	struct err ignored;
	int rc = -1;

	if (renameat2(dir, r->temporary, dir, r->place.name, RENAME_EXCHANGE)) {
		if (is_unsupported(errno))
			rc = renameat(dir, r->temporary, dir, r->place.name);
		goto out;
	}
	*ret_theirs = file_hash(out, was, &ignored) || !str_equal(was, expected);
	if (*ret_theirs)
		rc = renameat2(dir, r->temporary, dir, r->place.name, RENAME_EXCHANGE) &&
		     renameat(dir, r->temporary, dir, r->place.name);
	else
		rc = unlinkat(dir, r->temporary, 0);
out:
	free(out);
	return rc;
}

static int put_in_place(const struct replacement *r, const char *expected,
			struct err *err)
{
	const struct place *place = &r->place;
	char *real = place_path(place);
	bool theirs = false;
	int rc = -1;

	if (file_check_same(real, expected, err))
		goto out;
	if (!expected)
		rc = renameat(place->dir_fd, r->temporary, place->dir_fd, place->name);
	else if (!expected[0])
		rc = put_first(r);
	else
		rc = exchange(r, expected, &theirs);
	if (rc && expected && (errno == EEXIST || errno == ENOENT))
		theirs = true;
	else if (rc)
		err_os(err, "replace '%s'", real);
	if (theirs)
		rc = file_check_same(real, expected, err) ? -1 : 0;
	if (theirs && !rc) /* it came and went */
		rc = err_set(err, ERR_TRANSIENT,
			     "'%s' is being changed by somebody else; nothing was "
			     "overwritten",
			     real);
out:
	free(real);
	return rc;
}

int file_replace_if(const char *path, const struct file_new *new, struct err *err)
{
	struct replacement r = { .place = { .dir_fd = -1 }, .old_fd = -1 };
	int rc = -1;

	if (replacement_prepare(&r, path, new->audience, err) ||
	    make_missing(&r.place, err))
		goto out;
	r.temporary = str_printf("%s%s", r.place.name,
				 new->suffix ? new->suffix : FILE_NEW_SUFFIX);
	if (write_beside(&r, new->data, new->len)) {
		err_os(err, "write '%s' beside '%s'", r.temporary, path);
		goto out;
	}
	if (put_in_place(&r, new->expected, err)) {
		(void)unlinkat(r.place.dir_fd, r.temporary, 0);
		goto out;
	}
	if (sync_folder(r.place.dir_fd, ".")) {
		err_os(err, "sync the folder of '%s'", path);
		goto out;
	}
	rc = 0;
out:
	replacement_release(&r);
	return rc;
}

int file_replace_keeping(const char *path, const void *data, size_t len,
			 enum file_audience audience, struct err *err)
{
	const struct file_new new = { .data = data, .len = len, .audience = audience };

	return file_replace_if(path, &new, err);
}

/* Adds who we are and what would help to the reason that is in `err`. */
static int not_replaceable(const char *path, struct err *err)
{
	char account[64];

	account_name(geteuid(), account, sizeof(account));
	return err_wrap(err, "user '%s' could not replace '%s'", account, path);
}

/* Makes and forgets a file without a name, to see what the system says to that and to
 * giving it away. Where that is not supported, says what is known about owners. */
static int try_nameless(const struct replacement *r, struct err *err)
{
	int fd = openat(r->place.dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	struct stat as = r->as;
	int rc = 0;
	char *who;

	if (fd < 0 && errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
		return err_os(err, "create a file in '%s'", r->place.dir);
	if (fd < 0 ? geteuid() != 0 && as.st_uid != geteuid()
		   : keep_access(fd, r->old_fd, &as, r->mode) != 0) {
		who = account_of_user(as.st_uid);
		if (fd < 0)
			errno = EPERM;
		rc = err_os(err, "give the new file to %s", who);
		free(who);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Is the old file one that a rename cannot replace? */
static int check_old(const struct replacement *r, struct err *err)
{
	const struct place *place = &r->place;
	struct statx facts;
	struct stat dir;
	char *who;

	if (!place->exists)
		return 0;
	if (!statx(place->dir_fd, place->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
		   &facts)) {
		if (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT)
			return err_set(
				err, ERR_CONFIG,
				"it is mounted as a single file; mount its folder");
		if (facts.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
			return err_set(err, ERR_DENIED,
				       "it is marked immutable (chattr -i)");
	}
	if (geteuid() == 0 || fstat(place->dir_fd, &dir) || !(dir.st_mode & S_ISVTX) ||
	    dir.st_uid == geteuid() || place->stat.st_uid == geteuid())
		return 0;
	who = account_of_user(place->stat.st_uid);
	err_set(err, ERR_DENIED, "it lies in a sticky folder and belongs to %s", who);
	free(who);
	return -1;
}

int file_check_replaceable(const char *path, struct err *err)
{
	struct replacement r = { .place = { .dir_fd = -1 }, .old_fd = -1 };
	int rc = -1;

	if (replacement_prepare(&r, path, FILE_PUBLIC, err))
		goto out;
	if (faccessat(r.place.dir_fd, ".", W_OK | X_OK, AT_EACCESS)) {
		err_os(err, "folder '%s' is not writable", r.place.dir);
		not_replaceable(path, err);
		goto out;
	}
	if (check_old(&r, err) || try_nameless(&r, err)) {
		not_replaceable(path, err);
		goto out;
	}
	rc = 0;
out:
	replacement_release(&r);
	return rc;
}

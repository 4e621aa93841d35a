/* file_access.c - owner, group and mode of files that a service has to read. */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/posix/file_parts.h"

/* An account by its number; -1 if `text` is not one. */
static int parse_id(const char *text, uint32_t *ret)
{
	unsigned long id;
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	id = strtoul(text, &end, 10);
	if (errno || *end || id >= UINT32_MAX)
		return -1;
	*ret = (uint32_t)id;
	return 0;
}

static int find_user(const char *name, uid_t *ret, struct err *err)
{
	char memory[4096];
	struct passwd entry, *found = NULL;

	if (!name)
		return 0;
	if (!getpwnam_r(name, &entry, memory, sizeof(memory), &found) && found) {
		*ret = found->pw_uid;
		return 0;
	}
	if (parse_id(name, ret))
		return err_set(err, ERR_CONFIG, "there is no user '%s' here", name);
	return 0;
}

static int find_group(const char *name, gid_t *ret, struct err *err)
{
	char memory[16384];
	struct group entry, *found = NULL;

	if (!name)
		return 0;
	if (!getgrnam_r(name, &entry, memory, sizeof(memory), &found) && found) {
		*ret = found->gr_gid;
		return 0;
	}
	if (parse_id(name, ret))
		return err_set(err, ERR_CONFIG, "there is no group '%s' here", name);
	return 0;
}

int file_check_accounts(const char *owner, const char *group, struct err *err)
{
	uid_t uid;
	gid_t gid;

	return find_user(owner, &uid, err) || find_group(group, &gid, err) ? -1 : 0;
}

int file_set_access(const char *path, const char *owner, const char *group, uint32_t mode,
		    struct err *err)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;
	int fd, rc = -1;

	if (find_user(owner, &uid, err) || find_group(group, &gid, err))
		return err_wrap(err, "set access of '%s'", path);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_os(err, "set access of '%s'", path);
	/* Owner first: changing it clears bits of the mode. */
	if ((owner || group) && fchown(fd, uid, gid)) {
		err_os(err, "give '%s' to %s%s%s", path, owner ? owner : "",
		       group ? ":" : "", group ? group : "");
		goto out;
	}
	if (mode && fchmod(fd, (mode_t)mode)) {
		err_os(err, "set mode of '%s' to %04o", path, (unsigned)mode);
		goto out;
	}
	if (fsync(fd)) {
		err_os(err, "sync '%s'", path);
		goto out;
	}
	rc = 0;
out:
	close(fd);
	return rc;
}

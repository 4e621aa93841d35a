/* access.c - owner, group and mode of a file, as POSIX has them. */
#include "hooks/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define LOOKUP_BYTES 16384

/* 0 when `name` is a plain number. */
static int parse_number(const char *name, unsigned long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoul(name, &end, 10);
	return *name >= '0' && *name <= '9' && !*end && !errno ? 0 : -1;
}

static int user_id(const char *name, uid_t *ret_id, struct err *err)
{
	struct passwd entry, *found = NULL;
	char memory[LOOKUP_BYTES];
	unsigned long number;

	if (!parse_number(name, &number)) {
		*ret_id = (uid_t)number;
		return 0;
	}
	if (getpwnam_r(name, &entry, memory, sizeof(memory), &found) || !found)
		return err_set(err, ERR_CONFIG, "there is no user '%s' on this system",
			       name);
	*ret_id = found->pw_uid;
	return 0;
}

static int group_id(const char *name, gid_t *ret_id, struct err *err)
{
	struct group entry, *found = NULL;
	char memory[LOOKUP_BYTES];
	unsigned long number;

	if (!parse_number(name, &number)) {
		*ret_id = (gid_t)number;
		return 0;
	}
	if (getgrnam_r(name, &entry, memory, sizeof(memory), &found) || !found)
		return err_set(err, ERR_CONFIG, "there is no group '%s' on this system",
			       name);
	*ret_id = found->gr_gid;
	return 0;
}

int access_check(const char *path, const char *owner, const char *group, uint32_t mode,
		 struct err *err)
{
	struct stat facts;
	uid_t uid = 0;
	gid_t gid = 0;

	if (stat(path, &facts))
		return err_os(err, "look at '%s'", path);
	if (owner && user_id(owner, &uid, err))
		return -1;
	if (group && group_id(group, &gid, err))
		return -1;
	if (owner && facts.st_uid != uid)
		return err_set(err, ERR_IO, "'%s' belongs to user %lu, not to '%s'", path,
			       (unsigned long)facts.st_uid, owner);
	if (group && facts.st_gid != gid)
		return err_set(err, ERR_IO, "'%s' belongs to group %lu, not to '%s'",
			       path, (unsigned long)facts.st_gid, group);
	if (mode && (facts.st_mode & 07777) != mode)
		return err_set(err, ERR_IO, "'%s' has mode %04o, not %04o", path,
			       (unsigned)(facts.st_mode & 07777), (unsigned)mode);
	return 0;
}

char *access_describe(const char *path)
{
	struct stat facts;
	struct passwd user, *owner = NULL;
	struct group group_entry, *group = NULL;
	char user_memory[LOOKUP_BYTES], group_memory[LOOKUP_BYTES];
	char uid[24], gid[24];

	if (stat(path, &facts))
		return NULL;
	snprintf(uid, sizeof(uid), "%lu", (unsigned long)facts.st_uid);
	snprintf(gid, sizeof(gid), "%lu", (unsigned long)facts.st_gid);
	(void)getpwuid_r(facts.st_uid, &user, user_memory, sizeof(user_memory), &owner);
	(void)getgrgid_r(facts.st_gid, &group_entry, group_memory, sizeof(group_memory),
			 &group);
	return str_printf("%s:%s %04o", owner ? owner->pw_name : uid,
			  group ? group->gr_name : gid,
			  (unsigned)(facts.st_mode & 07777));
}

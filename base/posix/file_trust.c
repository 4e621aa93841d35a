/* file_trust.c - who else could read or change a file: by its mode, its ACL, its folders.
 */
#include "base/files.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/posix/file_parts.h"

/* A POSIX ACL as the kernel hands it out (linux/posix_acl_xattr.h): a version and
 * entries, little endian. Read here so that libacl need not be installed. */
#define ACL_VERSION 2u
#define ACL_MAX_ENTRIES 128

enum acl_tag { ACL_USER = 0x02, ACL_GROUP_OBJ = 0x04, ACL_GROUP = 0x08, ACL_MASK = 0x10 };

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

struct acl {
	uint32_t version;
	struct acl_entry entries[ACL_MAX_ENTRIES];
};

/* How many entries the ACL of what `fd` holds has; 0: none; -1 if it cannot be read. */
static int acl_read(int fd, struct acl *acl)
{
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* works for O_PATH too */
	len = getxattr(path, "system.posix_acl_access", acl, sizeof(*acl));
	if (len < 0)
		return errno == ENODATA || errno == ENOTSUP || errno == ENOENT ? 0 : -1;
	if ((size_t)len < sizeof(acl->version) || le32toh(acl->version) != ACL_VERSION)
		return -1;
	return (int)(((size_t)len - sizeof(acl->version)) / sizeof(struct acl_entry));
}

static unsigned acl_mask(const struct acl *acl, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (le16toh(acl->entries[i].tag) == ACL_MASK)
			return le16toh(acl->entries[i].perm);
	return 7;
}

static bool group_counts(gid_t gid, bool root_group_counts)
{
	return gid != 0 || root_group_counts;
}

/* Gives the first account of the ACL, beyond owner and others, that has `wanted`. */
static char *acl_access(const struct acl *acl, int n, const struct stat *st,
			unsigned wanted, bool root_group_counts)
{
	unsigned mask = acl_mask(acl, n);
	const struct acl_entry *entry;
	uint32_t id;
	int i;

	for (i = 0; i < n; i++) {
		entry = &acl->entries[i];
		id = le32toh(entry->id);
		if (!(le16toh(entry->perm) & mask & wanted))
			continue;
		switch (le16toh(entry->tag)) {
		case ACL_USER:
			if (!account_is_ours(id))
				return account_of_user(id);
			break;
		case ACL_GROUP_OBJ:
			id = st->st_gid;
			/* fall through */
		case ACL_GROUP:
			if (group_counts(id, root_group_counts))
				return account_of_group(id);
			break;
		default:
			break;
		}
	}
	return NULL;
}

char *access_of_others(int fd, const struct stat *st, unsigned wanted,
		       bool root_group_counts)
{
	struct acl acl;
	int n;

	if (st->st_mode & wanted)
		return str_dup("everybody");
	if (!(st->st_mode & (wanted << 3)))
		return NULL; /* with an ACL these bits are its mask: nothing passes */
	n = acl_read(fd, &acl);
	if (n > 0)
		return acl_access(&acl, n, st, wanted, root_group_counts);
	if (n < 0 || group_counts(st->st_gid, root_group_counts))
		return account_of_group(st->st_gid);
	return NULL;
}

int file_resolve_trusted(const char *path, char **ret_path, struct err *err)
{
	struct place place = { .dir_fd = -1 };

	if (place_find(path, PLACE_TRUST_LINKS, &place, err))
		return -1;
	*ret_path = place_path(&place);
	place_release(&place);
	return 0;
}

int file_check_trusted(const char *path, struct err *err)
{
	struct place place = { .dir_fd = -1 };

	if (place_find(path, PLACE_TRUST_ALL, &place, err))
		return -1;
	place_release(&place);
	return 0;
}

int file_check_secret(const char *path, struct err *err)
{
	int fd = open(path, O_PATH | O_CLOEXEC), rc = -1;
	struct stat st;
	char *who = NULL;

	if (fd < 0 || fstat(fd, &st)) {
		err_os(err, "look at '%s'", path);
		goto out;
	}
	who = access_of_others(fd, &st, 4 | 2, true);
	if (who) {
		err_set(err, ERR_DENIED,
			"'%s' holds a secret, but is readable by %s: chmod 600 '%s'",
			path, who, path);
		goto out;
	}
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	free(who);
	return rc;
}

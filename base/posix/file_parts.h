/* file_parts.h - what the twin files of files.h share on POSIX. Private to base/posix.
 *
 * The centre is the walk: a path is opened component by component from the root, never
 * through a link that the kernel would follow for us, so that what was judged is what is
 * used. Its result is a `struct place`: a held folder and a name in it. */
#ifndef BASE_POSIX_FILE_PARTS_H
#define BASE_POSIX_FILE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/files.h"

enum place_trust {
	PLACE_TRUST_LINKS, /* only links must be beyond suspicion */
	PLACE_TRUST_ALL,   /* every folder on the way must be, and the file itself */
};

struct place {
	int dir_fd; /* O_PATH: the deepest folder of the path that exists */
	char *dir;  /* its real path */
	char *name; /* below it: "x"; "a/b/x" when folders are missing; "" the folder
		       itself */
	bool exists;
	struct stat stat; /* of dir/name when it exists; never a link */
};

/* Walks `path` and gives *ret; release with place_release(). A missing file or folder is
 * no error. ERR_DENIED names the link or folder, and the account that could plant it. */
int place_find(const char *path, enum place_trust trust, struct place *ret,
	       struct err *err);
void place_release(struct place *place);

/* Gives the real path of the place. */
char *place_path(const struct place *place);

/* Is this account root or the one we run as? */
bool account_is_ours(uid_t uid);

/* Give "user 'app'" or "group '1002'": the name, or the number where it has none. */
char *account_of_user(uid_t uid);
char *account_of_group(gid_t gid);

/* Writes the account's name or its number. */
void account_name(uid_t uid, char *out, size_t size);

/* Who else than the owner, root and we has one of the permission bits `wanted` (4 read,
 * 2 write) on what `fd` holds, by mode or by ACL? Gives "group 'staff'", "everybody";
 * NULL: nobody. The group of root counts only if `root_group_counts`. `fd` may be O_PATH.
 */
char *access_of_others(int fd, const struct stat *st, unsigned wanted,
		       bool root_group_counts);

/* Writes everything, through interruptions. -1 and errno. */
int write_all(int fd, const void *data, size_t len);

/* Syncs the folder `dir` below `dir_fd` (AT_FDCWD for a path). -1 and errno. */
int sync_folder(int dir_fd, const char *dir);

/* Syncs the folder that `path` lies in. -1 and errno. */
int sync_parent(const char *path);

/* Makes the folder `name` below `dir_fd`, with exactly `mode`, given to `owner` unless
 * NULL, and syncs it and its parent. An existing folder is fine and stays as it is.
 * Returns a descriptor for walking (perhaps O_PATH) that the caller closes; -1 and errno.
 */
int make_folder_at(int dir_fd, const char *name, mode_t mode, const struct stat *owner);

#endif

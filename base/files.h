/* files.h - files that survive power cuts, and files that nobody else may have planted.
 *
 * Two families. *Ours* live in the state directory: replaced whole, synced, readable by
 * us alone. *The application's* (tls.json, listener.json, a key where it expects one)
 * keep owner, mode and ACL, and are never reached through a link that a non-administrator
 * could have made. "Synced" means: file, rename, directory; after success no power cut
 * brings the old state back.
 *
 * Everything that changes a disk for deployment or state goes through this header: it is
 * the seam at which the tests inject faults. POSIX and Windows have twin files below.
 */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum file_audience { FILE_PUBLIC, FILE_SECRET };

/* ---- reading ------------------------------------------------------------- */

/* Reads the whole file into *ret (initialised by the caller, whose maximum holds).
 * ERR_NOT_FOUND, ERR_DENIED, ERR_IO ("larger than N bytes" included). A folder, a device
 * or a pipe is ERR_IO. */
int file_read(const char *path, struct buf *ret, struct err *err);

#define FILE_HASH_MAX 65                       /* 64 lower-case hex digits, a NUL */
#define FILE_HASH_MAX_BYTES (16 * 1024 * 1024) /* of one file */

/* SHA-256 of bytes, and of the file behind `path`: "" when there is none. */
void bytes_hash(const void *data, size_t len, char ret[FILE_HASH_MAX]);
int file_hash(const char *path, char ret[FILE_HASH_MAX], struct err *err);

/* Is the file as `expected` says (file_hash(), NULL: always)? Else ERR_TRANSIENT: who
 * changed it is not known, but when. */
int file_check_same(const char *path, const char *expected, struct err *err);

enum file_type { FILE_ABSENT, FILE_REGULAR, FILE_DIRECTORY, FILE_LINK, FILE_OTHER };

struct file_facts {
	enum file_type type; /* of the name itself: a link is FILE_LINK */
	int64_t size_bytes, modified_at;
	uint32_t mode;  /* permission bits; 0 where the system has none */
	char owner[64]; /* account name, or its number where it has no name */
};

/* What the name `path` is. A missing file is no error: FILE_ABSENT. */
int file_inspect(const char *path, struct file_facts *ret, struct err *err);

/* Gives where the symbolic link points, unresolved. */
int link_read(const char *path, char **ret_target, struct err *err);

/* Names in a folder, sorted, without "." and "..". ERR_NOT_FOUND if there is none. */
int dir_list(const char *path, struct strlist *ret, struct err *err);

/* Paths of the regular files below `root` (links are not followed, at most 8 levels and
 * 10,000 files) whose name ends in `suffix`, sorted. A missing root gives none. */
int dir_find(const char *root, const char *suffix, struct strlist *ret, struct err *err);

/* Does `path` match the shell pattern (`*` and `?` within a component)? Gives existing
 * matches, sorted: for Theobald's `config/server*`. */
int dir_glob(const char *pattern, struct strlist *ret, struct err *err);

/* ---- ours ---------------------------------------------------------------- */

/* Behind a file's name while it is being written: a leftover of it is ours to remove. */
#define FILE_NEW_SUFFIX ".certrenewd-new"

/* Puts `data` at `path` so that every reader, and a machine that loses power now, sees
 * the old bytes or the new and never a mixture. FILE_SECRET is 0600, FILE_PUBLIC 0644.
 * The caller holds the state lock. */
int file_replace(const char *path, const void *data, size_t len,
		 enum file_audience audience, struct err *err);

/* Makes a folder and its missing parents, 0700 for FILE_SECRET and 0755 else, synced.
 * An existing folder is fine and stays as it is. */
int dir_make(const char *path, enum file_audience audience, struct err *err);

/* Renames within one file system, replacing `to`, synced. */
int file_rename(const char *from, const char *to, struct err *err);

/* Removes a file or link, synced. Already gone is success. */
int file_remove(const char *path, struct err *err);

/* Removes a folder with everything below it, never following a link. Gone is success. */
int tree_remove(const char *path, struct err *err);

struct dir_leftovers { /* what runs that died have left in a folder; borrowed */
	bool (*is)(const void *ctx, const char *name);
	const void *ctx;
	bool folders; /* each with all below it, not files */
};

/* Removes them, in the order of their names, up to the first that cannot be removed. A
 * missing folder has none. */
int dir_sweep(const char *folder, const struct dir_leftovers *leftovers, struct err *err);

/* ---- the application's --------------------------------------------------- */

/* Follows links of `path` that only root/administrators (or this account) can have made,
 * and gives the real path, whose last component may be absent. ERR_DENIED names the link
 * or folder and the account when anybody else could have planted it. */
int file_resolve_trusted(const char *path, char **ret_path, struct err *err);

/* Like file_replace() for a file of an application: through file_resolve_trusted(); an
 * existing file's owner, group, mode and ACL are kept; a new one gets its folder's owner
 * and 0644 (FILE_SECRET: 0600). A link stays a link. Missing folders are made with the
 * owner of the nearest existing one. */
int file_replace_keeping(const char *path, const void *data, size_t len,
			 enum file_audience audience, struct err *err);

struct file_new { /* what shall stand at a path; borrowed */
	const void *data;
	size_t len;
	enum file_audience audience;
	const char *expected; /* what must be there until then, as file_hash() gives it;
				 NULL: whatever is there */
	const char *suffix;   /* of the name while it is written; NULL: the usual one.
				 Two machines that may write at once need one each */
};

/* file_replace_keeping(), if the file is still what it was: it is compared right before
 * the rename, and on Linux once more behind it, by an exchange that is taken back. So the
 * bytes of a program that writes at the same moment are never lost but in what is left of
 * the window: an open file that is written on after our last look, and on Windows and on
 * file systems without an exchange (NFS, SMB) the instant between look and rename. An
 * expected absence has no window: the name is made by whoever is first.
 * ERR_TRANSIENT "'x' was changed by somebody else at ...; nothing was overwritten". */
int file_replace_if(const char *path, const struct file_new *new, struct err *err);

/* Points the symbolic link `path` at `target` in one rename, synced. Makes it if absent;
 * ERR_CONFIG if something else than a link is there. */
int link_replace(const char *path, const char *target, struct err *err);

/* Sets owner, group (names or numbers; NULL leaves it) and mode (0 leaves it). */
int file_set_access(const char *path, const char *owner, const char *group, uint32_t mode,
		    struct err *err);

/* Are there such accounts on this machine (names or numbers; NULL: nobody is asked for)?
 * ERR_CONFIG names the one that is not there. */
int file_check_accounts(const char *owner, const char *group, struct err *err);

/* ---- looking before leaping ---------------------------------------------- */

/* Could file_replace_keeping(path) work? Changes nothing. The sentence names path, the
 * account we run as, and the reason ("read-only file system" included). */
int file_check_replaceable(const char *path, struct err *err);

/* Can a file really be made, renamed and removed in the folder of `path`, as replacing it
 * would? Done with a small file of our own beside it, "<name>.certrenewd-trial", which is
 * gone afterwards; `path` itself is not touched. Where the folder is missing, in the
 * nearest one above it. Errors as those of file_replace(). */
int file_try_beside(const char *path, struct err *err);

/* Is `path`, with every parent, writable by root/administrators and this account only?
 * Else ERR_DENIED naming the path and the account that could write it. Sticky folders
 * (/tmp) count as writable by others for what lies directly in them unless it is ours. */
int file_check_trusted(const char *path, struct err *err);

/* Is the file readable by its owner only (a secret)? Else ERR_DENIED with the way out. */
int file_check_secret(const char *path, struct err *err);

/* ---- lock ---------------------------------------------------------------- */

struct file_lock;

/* Takes the advisory lock file `path` without waiting and writes our pid into it.
 * ERR_TRANSIENT "held by process 123" when another process has it. The lock dies with
 * us. Gives *ret; release with file_lock_release(), NULL is fine. */
int file_lock_take(const char *path, struct file_lock **ret, struct err *err);
void file_lock_release(struct file_lock *lock);

/* ---- paths (pure) -------------------------------------------------------- */

/* Does it begin at the root? */
bool path_is_absolute(const char *path);
char *path_join(const char *folder, const char *name); /* gives; absolute name wins */
char *path_parent(const char *path);                   /* gives; "." or "/" at the end */
const char *path_base(const char *path);               /* borrowed */

#endif

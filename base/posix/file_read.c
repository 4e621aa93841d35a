/* file_read.c - reading files, links and folders. */
#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/posix/file_parts.h"

#define FIND_MAX_LEVELS 8
#define FIND_MAX_FILES 10000

static enum file_type type_of(mode_t mode)
{
	if (S_ISREG(mode))
		return FILE_REGULAR;
	if (S_ISDIR(mode))
		return FILE_DIRECTORY;
	return S_ISLNK(mode) ? FILE_LINK : FILE_OTHER;
}

static int read_all(int fd, const char *path, struct buf *ret, struct err *err)
{
	char chunk[16384];
	ssize_t n;
	int rc = -1;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_os(err, "read '%s'", path);
			goto out;
		}
		if (buf_append(ret, chunk, (size_t)n)) {
			err_set(err, ERR_IO, "'%s' is larger than %zu bytes", path,
				ret->max);
			goto out;
		}
	}
	rc = 0;
out:
	if (ret->secret)
		OPENSSL_cleanse(chunk, sizeof(chunk));
	return rc;
}

int file_read(const char *path, struct buf *ret, struct err *err)
{
	/* O_NONBLOCK: a pipe in a file's place must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc = -1;
	struct stat st;

	if (fd < 0)
		return err_os(err, "open '%s'", path);
	if (fstat(fd, &st)) {
		err_os(err, "look at '%s'", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, ERR_IO, "'%s' is %s, not a file", path,
			S_ISDIR(st.st_mode) ? "a folder" : "a device or a pipe");
		goto out;
	}
	if (st.st_size > 0 && (uintmax_t)st.st_size > ret->max) {
		err_set(err, ERR_IO, "'%s' is larger than %zu bytes", path, ret->max);
		goto out;
	}
	rc = read_all(fd, path, ret, err);
out:
	close(fd);
	return rc;
}

int file_inspect(const char *path, struct file_facts *ret, struct err *err)
{
	struct stat st;

	if (lstat(path, &st)) {
		if (errno != ENOENT && errno != ENOTDIR)
			return err_os(err, "look at '%s'", path);
		*ret = (struct file_facts){ .type = FILE_ABSENT };
		return 0;
	}
	*ret = (struct file_facts){ .type = type_of(st.st_mode),
				    .size_bytes = st.st_size,
				    .modified_at = st.st_mtim.tv_sec,
				    .mode = st.st_mode & 07777 };
	account_name(st.st_uid, ret->owner, sizeof(ret->owner));
	return 0;
}

int link_read(const char *path, char **ret_target, struct err *err)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target));

	if (len < 0 && errno == EINVAL)
		return err_set(err, ERR_IO, "'%s' is not a link", path);
	if (len < 0)
		return err_os(err, "read link '%s'", path);
	*ret_target = str_ndup(target, (size_t)len);
	return 0;
}

static bool is_dots(const char *name)
{
	return str_equal(name, ".") || str_equal(name, "..");
}

/* The caller's list is touched on success only. */
static void give_sorted(struct strlist *found, struct strlist *ret)
{
	size_t i;

	strlist_sort(found);
	for (i = 0; i < found->n; i++)
		strlist_add(ret, found->items[i]);
}

int dir_list(const char *path, struct strlist *ret, struct err *err)
{
	struct strlist found = { 0 };
	DIR *dir = opendir(path);
	struct dirent *entry;
	int rc = -1;

	if (!dir)
		return err_os(err, "open folder '%s'", path);
	while (errno = 0, (entry = readdir(dir)) != NULL)
		if (!is_dots(entry->d_name))
			strlist_add(&found, entry->d_name);
	if (errno) {
		err_os(err, "read folder '%s'", path);
		goto out;
	}
	give_sorted(&found, ret);
	rc = 0;
out:
	closedir(dir);
	strlist_clear(&found);
	return rc;
}

struct finding {
	const char *suffix;
	struct strlist files;
};

static int find_below(struct finding *finding, const char *dir, int level,
		      struct err *err);

/* Notes `path` when it is a file we look for, descends when it is a folder. */
static int find_entry(struct finding *finding, const char *path, int level,
		      struct err *err)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : err_os(err, "look at '%s'", path);
	if (S_ISDIR(st.st_mode) && level < FIND_MAX_LEVELS)
		return find_below(finding, path, level + 1, err);
	if (!S_ISREG(st.st_mode) || !str_ends(path, finding->suffix))
		return 0;
	if (finding->files.n == FIND_MAX_FILES)
		return err_set(err, ERR_IO, "more than %d files end in '%s'",
			       FIND_MAX_FILES, finding->suffix);
	strlist_add(&finding->files, path);
	return 0;
}

static int find_below(struct finding *finding, const char *dir, int level,
		      struct err *err)
{
	struct strlist names = { 0 };
	char *path;
	size_t i;
	int rc = dir_list(dir, &names, err);

	for (i = 0; !rc && i < names.n; i++) {
		path = path_join(dir, names.items[i]);
		rc = find_entry(finding, path, level, err);
		free(path);
	}
	strlist_clear(&names);
	return rc;
}

int dir_find(const char *root, const char *suffix, struct strlist *ret, struct err *err)
{
	struct finding finding = { .suffix = suffix };
	struct stat st;
	int rc;

	if (stat(root, &st))
		return errno == ENOENT ? 0 : err_os(err, "look at '%s'", root);
	rc = find_below(&finding, root, 1, err);
	if (rc)
		err_wrap(err, "search '%s'", root);
	else
		give_sorted(&finding.files, ret);
	strlist_clear(&finding.files);
	return rc;
}

/* glob() also knows [sets] and backslashes; file names with brackets are just names. */
static char *escape_pattern(const char *pattern)
{
	char *out = mem_calloc(strlen(pattern) * 2 + 1, 1), *to = out;

	for (; *pattern; pattern++) {
		if (strchr("[]\\", *pattern))
			*to++ = '\\';
		*to++ = *pattern;
	}
	return out;
}

static int glob_trouble(const char *path, int code)
{
	(void)path;
	return code != ENOENT && code != ENOTDIR;
}

int dir_glob(const char *pattern, struct strlist *ret, struct err *err)
{
	char *escaped = escape_pattern(pattern);
	struct strlist found = { 0 };
	glob_t matches = { 0 };
	int rc = glob(escaped, GLOB_NOSORT, glob_trouble, &matches);
	size_t i;

	for (i = 0; !rc && i < matches.gl_pathc; i++)
		strlist_add(&found, matches.gl_pathv[i]);
	give_sorted(&found, ret);
	strlist_clear(&found);
	globfree(&matches);
	free(escaped);
	if (rc && rc != GLOB_NOMATCH)
		return err_set(err, ERR_IO,
			       "look for '%s': a folder of it cannot be read", pattern);
	return 0;
}

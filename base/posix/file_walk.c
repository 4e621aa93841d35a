/* file_walk.c - walks a path without trusting it.
 *
 * A link counts as planted unless root or we own it and nobody else may rename things in
 * the folder that it lies in. In a sticky folder (/tmp) everybody may create names but
 * only the owner of a name may replace it: there the owner alone decides. */
#include "base/posix/file_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"

#define MAX_LINKS 40

struct walk {
	const char *path; /* as the caller named it, for sentences */
	enum place_trust trust;
	int fd;     /* the folder we stand in */
	char *dir;  /* its real path */
	char *todo; /* owned: what is still to be walked ... */
	char *at;   /* ... from here */
	int links;
};

void place_release(struct place *place)
{
	if (place->dir_fd >= 0)
		close(place->dir_fd);
	free(place->dir);
	free(place->name);
	*place = (struct place){ .dir_fd = -1 };
}

char *place_path(const struct place *place)
{
	return *place->name ? path_join(place->dir, place->name) : str_dup(place->dir);
}

/* Steps into a folder; takes `dir`, its real path. */
static int enter(struct walk *walk, int base_fd, const char *name, char *dir,
		 struct err *err)
{
	int fd = openat(base_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		err_os(err, "open folder '%s'", dir);
		free(dir);
		return -1;
	}
	if (walk->fd >= 0)
		close(walk->fd);
	free(walk->dir);
	walk->fd = fd;
	walk->dir = dir;
	return 0;
}

static int enter_root(struct walk *walk, struct err *err)
{
	return enter(walk, AT_FDCWD, "/", str_dup("/"), err);
}

static int walk_start(struct walk *walk, struct err *err)
{
	char here[PATH_MAX];

	if (!*walk->path)
		return err_set(err, ERR_CONFIG, "an empty path");
	if (path_is_absolute(walk->path))
		walk->todo = str_dup(walk->path);
	else if (!getcwd(here, sizeof(here)))
		return err_os(err, "find the current folder");
	else
		walk->todo = path_join(here, walk->path);
	walk->at = walk->todo;
	return enter_root(walk, err);
}

/* Gives the next component, NULL at the end; *ret_last when nothing is behind it. */
static char *next_component(struct walk *walk, bool *ret_last)
{
	size_t len;
	char *name;

	assert(walk->at);
	walk->at += strspn(walk->at, "/");
	len = strcspn(walk->at, "/");
	if (len == 0)
		return NULL;
	name = str_ndup(walk->at, len);
	walk->at += len;
	*ret_last = walk->at[strspn(walk->at, "/")] == '\0';
	return name;
}

/* Gives who could exchange the entry `child` (NULL: absent) of the folder we stand in. */
static char *planter(const struct walk *walk, const struct stat *child)
{
	struct stat dir;
	char *who;

	if (fstat(walk->fd, &dir))
		return str_dup("somebody");
	if (!account_is_ours(dir.st_uid))
		return account_of_user(dir.st_uid);
	who = access_of_others(walk->fd, &dir, 2, false);
	if (who && child && (dir.st_mode & S_ISVTX) && account_is_ours(child->st_uid)) {
		free(who);
		who = NULL;
	}
	return who;
}

static const char *who_should(void)
{
	return geteuid() == 0 ? "root" : "root and our own account";
}

/* ERR_DENIED if somebody else could have put `name` where it is, or can exchange it. */
static int judge_entry(const struct walk *walk, const char *name,
		       const struct stat *child, struct err *err)
{
	bool link = child && S_ISLNK(child->st_mode);
	char *who, *entry;

	if (walk->trust == PLACE_TRUST_LINKS && !link)
		return 0;
	who = planter(walk, child);
	if (!who && link && !account_is_ours(child->st_uid))
		who = account_of_user(child->st_uid);
	if (!who)
		return 0;

	entry = path_join(walk->dir, name);
	if (link)
		err_set(err, ERR_DENIED,
			"'%s' leads through the link '%s', which %s could have planted "
			"(its folder must be writable by %s only): name the real path",
			walk->path, entry, who, who_should());
	else
		err_set(err, ERR_DENIED,
			"'%s' is not safe: '%s' is writable by %s; let only %s write "
			"there",
			walk->path, walk->dir, who, who_should());
	free(entry);
	free(who);
	return -1;
}

/* The file or folder at the end of the walk, by its own owner and permissions. */
static int judge_last(const struct walk *walk, const char *name, struct err *err)
{
	struct stat st;
	char *who = NULL;
	int fd, rc = -1;

	if (walk->trust == PLACE_TRUST_LINKS)
		return 0;
	fd = openat(walk->fd, *name ? name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		err_os(err, "open '%s'", walk->path);
		goto out;
	}
	who = account_is_ours(st.st_uid) ? access_of_others(fd, &st, 2, false)
					 : account_of_user(st.st_uid);
	if (who) {
		err_set(err, ERR_DENIED, "'%s' is writable by %s; let only %s write it",
			walk->path, who, who_should());
		goto out;
	}
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	free(who);
	return rc;
}

/* Puts the target of the link `name` in front of what is still to be walked. */
static int follow(struct walk *walk, const char *name, struct err *err)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(walk->fd, name, target, sizeof(target) - 1);
	char *todo;

	if (len <= 0)
		return err_os(err, "read link '%s' in '%s'", name, walk->dir);
	if (++walk->links > MAX_LINKS)
		return err_set(err, ERR_IO, "too many links in '%s'", walk->path);
	target[len] = '\0';
	todo = str_printf("%s/%s", target, walk->at);
	free(walk->todo);
	walk->todo = walk->at = todo;
	return target[0] == '/' ? enter_root(walk, err) : 0;
}

/* Moves the walk's result to *ret; `name` is below the folder we stand in. */
static void arrive(struct walk *walk, const char *name, const struct stat *st,
		   struct place *ret)
{
	*ret = (struct place){ .dir_fd = walk->fd,
			       .dir = walk->dir,
			       .exists = st != NULL };
	ret->name = st ? str_dup(name) : str_printf("%s%s", name, walk->at);
	if (st)
		ret->stat = *st;
	walk->fd = -1;
	walk->dir = NULL;
}

/* What is missing cannot be walked: ".." behind it would mean a guess. */
static int arrive_at_absent(struct walk *walk, const char *name, struct place *ret,
			    struct err *err)
{
	size_t len;

	if (judge_entry(walk, name, NULL, err))
		return -1;
	if (strstr(walk->at, "/../") || str_ends(walk->at, "/.."))
		return err_set(err, ERR_NOT_FOUND, "no folder '%s' in '%s', for '%s'",
			       name, walk->dir, walk->path);
	for (len = strlen(walk->at); len > 0 && walk->at[len - 1] == '/'; len--)
		walk->at[len - 1] = '\0';
	arrive(walk, name, NULL, ret);
	return 0;
}

static int step_up(struct walk *walk, struct err *err)
{
	return enter(walk, walk->fd, "..", path_parent(walk->dir), err);
}

/* One component. 1: there is more to walk, 0: arrived, -1: refused. */
static int step(struct walk *walk, const char *name, bool last, struct place *ret,
		struct err *err)
{
	struct stat st;

	if (str_equal(name, "."))
		return 1;
	if (str_equal(name, ".."))
		return step_up(walk, err) ? -1 : 1;
	if (fstatat(walk->fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT)
			return arrive_at_absent(walk, name, ret, err);
		return err_os(err, "look at '%s' in '%s'", name, walk->dir);
	}
	if (judge_entry(walk, name, &st, err))
		return -1;
	if (S_ISLNK(st.st_mode))
		return follow(walk, name, err) ? -1 : 1;
	if (!last)
		return enter(walk, walk->fd, name, path_join(walk->dir, name), err) ? -1
										    : 1;
	if (judge_last(walk, name, err))
		return -1;
	arrive(walk, name, &st, ret);
	return 0;
}

/* The path ended in ".", ".." or "/": the place is the folder we stand in. */
static int arrive_in_folder(struct walk *walk, struct place *ret, struct err *err)
{
	struct stat st;

	if (judge_last(walk, "", err))
		return -1;
	if (fstat(walk->fd, &st))
		return err_os(err, "look at '%s'", walk->dir);
	arrive(walk, "", &st, ret);
	return 0;
}

int place_find(const char *path, enum place_trust trust, struct place *ret,
	       struct err *err)
{
	struct walk walk = { .path = path, .trust = trust, .fd = -1 };
	bool last = false;
	char *name;
	int more;

	more = walk_start(&walk, err) ? -1 : 1;
	while (more > 0) {
		name = next_component(&walk, &last);
		more = name ? step(&walk, name, last, ret, err)
			    : arrive_in_folder(&walk, ret, err);
		free(name);
	}
	if (walk.fd >= 0)
		close(walk.fd);
	free(walk.dir);
	free(walk.todo);
	return more;
}

/* world_changes.c - base/files.h over memory: everything that changes something. Each
 * change may be the last one of the daemon's life, before or after it was made; the
 * disk may be full. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/judge.h"
#include "tests/sim/world.h"

struct file_lock {
	char unused;
};

static int no_room(struct err *err, const char *path)
{
	errno = ENOSPC;
	return err_os(err, "write '%s'", path);
}

static int no_folder(struct err *err, const char *path)
{
	errno = ENOENT;
	return err_os(err, "create '%s'", path);
}

/* Puts bytes at a path whose folder is there. */
static void put(const char *real, const void *data, size_t len, uint32_t mode)
{
	struct node *node = files_find(real);
	char *bytes;

	if (!node)
		node = files_add(real, FILE_REGULAR, mode);
	if (node->type == FILE_LINK)
		world->files.links_known = false;
	node->type = FILE_REGULAR;
	bytes = mem_realloc(NULL, len + 1);
	if (len)
		memcpy(bytes, data, len);
	bytes[len] = '\0';
	files_set(node, bytes, len);
	node->modified_at = true_now() + world->wall_offset_s;
}

static bool folder_is_there(const char *real)
{
	char *parent = path_parent(real);
	const struct node *node = files_find(parent);
	bool there = node && node->type == FILE_DIRECTORY;

	free(parent);
	return there;
}

int file_replace(const char *path, const void *data, size_t len,
		 enum file_audience audience, struct err *err)
{
	char *real = files_real(path, false);
	int rc = -1;

	world_touch("write", path);
	if (world->files.full) {
		no_room(err, path);
	} else if (!folder_is_there(real)) {
		no_folder(err, path);
	} else {
		put(real, data, len, audience == FILE_SECRET ? 0600 : 0644);
		rc = 0;
	}
	free(real);
	world_touch("written", path);
	return rc;
}

int file_replace_if(const char *path, const struct file_new *new, struct err *err)
{
	char *real = files_real(path, true), *parent = path_parent(real);
	int rc = -1;

	world_touch("write", path);
	if (file_check_same(path, new->expected, err)) {
		trace("%s", err->text);
	} else if (world->files.full) {
		no_room(err, path);
	} else {
		files_make_folder(parent);
		put(real, new->data, new->len,
		    new->audience == FILE_SECRET ? 0600 : 0644);
		judge_file_written(real);
		rc = 0;
	}
	free(parent);
	free(real);
	world_touch("written", path);
	return rc;
}

int file_replace_keeping(const char *path, const void *data, size_t len,
			 enum file_audience audience, struct err *err)
{
	const struct file_new new = { .data = data, .len = len, .audience = audience };

	return file_replace_if(path, &new, err);
}

int dir_make(const char *path, enum file_audience audience, struct err *err)
{
	char *real = files_real(path, true);
	int rc = 0;

	if (files_find(real)) {
		free(real);
		return 0;
	}
	world_touch("make", path);
	if (world->files.full)
		rc = no_room(err, path);
	else
		files_make_folder(real);
	if (!rc)
		files_find(real)->mode = audience == FILE_SECRET ? 0700 : 0755;
	free(real);
	return rc;
}

static void rename_below(const char *from, const char *to)
{
	size_t len = strlen(from);
	struct strlist paths = { 0 };

	for (size_t i = 0; i < world->files.n; i++)
		if (!strncmp(world->files.nodes[i].path, from, len) &&
		    (world->files.nodes[i].path[len] == '/' ||
		     !world->files.nodes[i].path[len]))
			strlist_add(&paths, world->files.nodes[i].path);
	for (size_t i = 0; i < paths.n; i++) {
		struct node *node = files_find(paths.items[i]);
		struct node moved = *node;
		char *path = str_printf("%s%s", to, paths.items[i] + len);
		struct node *fresh = files_add(path, moved.type, moved.mode);

		fresh->data = moved.data;
		fresh->tree = moved.tree;
		fresh->len = moved.len;
		fresh->modified_at = moved.modified_at;
		node = files_find(paths.items[i]);
		node->data = NULL;
		node->tree = NULL;
		files_drop(node);
		free(path);
	}
	strlist_clear(&paths);
}

int file_rename(const char *from, const char *to, struct err *err)
{
	char *source = files_real(from, false), *target = files_real(to, false);
	int rc = -1;

	world_touch("rename", from);
	if (!files_find(source) || !folder_is_there(target)) {
		errno = ENOENT;
		err_os(err, "rename '%s' to '%s'", from, to);
	} else {
		judge_file_removed(source); /* a version is put aside to be deleted */
		judge_file_removed(target);
		files_remove(target);
		rename_below(source, target);
		rc = 0;
	}
	free(source);
	free(target);
	world_touch("renamed", to);
	return rc;
}

int file_remove(const char *path, struct err *err)
{
	char *real = files_real(path, false);
	struct node *node = files_find(real);

	(void)err;
	world_touch("remove", path);
	if (node && node->type != FILE_DIRECTORY) {
		judge_file_removed(real);
		files_drop(files_find(real));
	}
	free(real);
	world_touch("removed", path);
	return 0;
}

int tree_remove(const char *path, struct err *err)
{
	char *real = files_real(path, false);

	(void)err;
	if (files_find(real)) {
		world_touch("remove all", path);
		judge_file_removed(real);
		files_remove(real);
		world_touch("removed all", path);
	}
	free(real);
	return 0;
}

int link_replace(const char *path, const char *target, struct err *err)
{
	char *real = files_real(path, false);
	struct node *node = files_find(real);
	int rc = -1;

	world_touch("link", path);
	if (node && node->type != FILE_LINK) {
		err_set(err, ERR_CONFIG, "'%s' is not ours", path);
	} else if (world->files.full) {
		no_room(err, path);
	} else if (!folder_is_there(real)) {
		no_folder(err, path);
	} else {
		if (!node)
			node = files_add(real, FILE_LINK, 0777);
		files_set(node, str_dup(target), strlen(target));
		rc = 0;
	}
	free(real);
	world_touch("linked", path);
	return rc;
}

int file_set_access(const char *path, const char *owner, const char *group, uint32_t mode,
		    struct err *err)
{
	struct node *node = files_follow(path);

	(void)owner;
	(void)group;
	if (!node) {
		errno = ENOENT;
		return err_os(err, "set access of '%s'", path);
	}
	if (mode)
		node->mode = mode;
	return 0;
}

/* daemon/system.h: the state directory is always ours. */
int system_check_state_dir(const char *path, struct err *err);
int system_check_state_dir(const char *path, struct err *err)
{
	(void)path;
	(void)err;
	return 0;
}

int file_lock_take(const char *path, struct file_lock **ret, struct err *err)
{
	if (str_ends(path, "/lock")) {
		if (world->lock_held)
			return err_set(err, ERR_TRANSIENT, "'%s' is held by process 1",
				       path);
		world->lock_held = true;
	}
	if (!files_find(path))
		put(path, "1\n", 2, 0600);
	*ret = mem_calloc(1, sizeof(**ret));
	return 0;
}

void file_lock_release(struct file_lock *lock)
{
	free(lock);
}

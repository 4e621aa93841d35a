#include "base/disk.h"

#include <stdlib.h>

#include <uv.h>

#include "base/files.h"

#define MIB INT64_C(1048576)

/* The nearest folder above `path`, or `path` itself, that exists. Gives. */
static char *nearest(const char *path)
{
	char *at = str_dup(path), *parent;
	struct file_facts facts;
	struct err ignored;

	while (!file_inspect(at, &facts, &ignored) && facts.type == FILE_ABSENT) {
		parent = path_parent(at);
		if (str_equal(parent, at)) {
			free(parent);
			break;
		}
		free(at);
		at = parent;
	}
	return at;
}

int disk_look(const char *path, struct disk_room *ret, struct err *err)
{
	char *at = nearest(path);
	uv_fs_t request = { 0 };
	const uv_statfs_t *said;
	int code = uv_fs_statfs(NULL, &request, at, NULL);

	if (code < 0) {
		err_set(err, ERR_IO, "ask how much room '%s' has: %s", at,
			uv_strerror(code));
	} else {
		said = request.ptr;
		*ret = (struct disk_room){
			.bytes = said->f_bavail > INT64_MAX / (said->f_bsize + 1)
					 ? INT64_MAX
					 : (int64_t)(said->f_bavail * said->f_bsize),
			/* Some make them as they need them, and say 0 of 0. */
			.entries = said->f_files ? (int64_t)said->f_ffree : DISK_NO_LIMIT,
		};
	}
	uv_fs_req_cleanup(&request);
	free(at);
	return code < 0 ? -1 : 0;
}

int disk_check(const char *path, const struct disk_room *needed, struct err *err)
{
	struct disk_room room;

	if (disk_look(path, &room, err))
		return -1;
	if (room.bytes < needed->bytes)
		return err_set(
			err, ERR_IO,
			"only %lld KiB are free for '%s', and a renewal wants %lld "
			"MiB: make room there",
			(long long)(room.bytes / 1024), path,
			(long long)(needed->bytes / MIB));
	if (room.entries < needed->entries)
		return err_set(err, ERR_IO,
			       "the file system of '%s' can take only %lld more files "
			       "(inodes): remove some there",
			       path, (long long)room.entries);
	return 0;
}

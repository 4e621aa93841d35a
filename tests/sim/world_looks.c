/* world_looks.c - what certrenewd asks before it changes anything: base/files.h,
 * hooks/access.h, base/disk.h. Everybody may do everything here; only the disk can be
 * full. */
#include <errno.h>

#include "base/disk.h"
#include "hooks/access.h"
#include "tests/sim/world.h"

int file_resolve_trusted(const char *path, char **ret_path, struct err *err)
{
	(void)err;
	*ret_path = files_real(path, true);
	return 0;
}

int file_check_replaceable(const char *path, struct err *err)
{
	if (!world->files.full)
		return 0;
	errno = ENOSPC;
	return err_os(err, "'%s' cannot be replaced", path);
}

int file_check_trusted(const char *path, struct err *err)
{
	(void)path;
	(void)err;
	return 0;
}

int file_check_secret(const char *path, struct err *err)
{
	(void)path;
	(void)err;
	return 0;
}

int file_check_accounts(const char *owner, const char *group, struct err *err)
{
	(void)owner;
	(void)group;
	(void)err;
	return 0;
}

int file_try_beside(const char *path, struct err *err)
{
	return file_check_replaceable(path, err);
}

/* ---- hooks/access.h ---------------------------------------------------------- */

int access_check(const char *path, const char *owner, const char *group, uint32_t mode,
		 struct err *err)
{
	const struct node *node = files_follow(path);

	(void)owner;
	(void)group;
	if (!node)
		return err_set(err, ERR_NOT_FOUND, "'%s' is not there", path);
	if (mode && node->mode != mode)
		return err_set(err, ERR_IO, "'%s' has mode %04o, not %04o", path,
			       (unsigned)node->mode, (unsigned)mode);
	return 0;
}

char *access_describe(const char *path)
{
	const struct node *node = files_follow(path);

	return node ? str_printf("root:root %04o", (unsigned)node->mode) : NULL;
}

/* ---- base/disk.h --------------------------------------------------------------- */

int disk_look(const char *path, struct disk_room *ret, struct err *err)
{
	(void)path;
	(void)err;
	*ret = (struct disk_room){ .bytes = world->files.full ? 0 : INT64_C(1) << 40,
				   .entries = DISK_NO_LIMIT };
	return 0;
}

int disk_check(const char *path, const struct disk_room *needed, struct err *err)
{
	struct disk_room room;

	(void)disk_look(path, &room, err);
	return room.bytes < needed->bytes
		       ? err_set(err, ERR_IO, "'%s': no room is left", path)
		       : 0;
}

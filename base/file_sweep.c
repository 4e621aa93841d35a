/* file_sweep.c - what runs that died have left behind. */
#include "base/files.h"

#include <stdlib.h>

static int remove_one(const char *folder, const char *name, bool is_folder,
		      struct err *err)
{
	char *path = path_join(folder, name);
	int rc = is_folder ? tree_remove(path, err) : file_remove(path, err);

	free(path);
	return rc;
}

int dir_sweep(const char *folder, const struct dir_leftovers *leftovers, struct err *err)
{
	struct strlist names = { 0 };
	int rc = 0;

	if (dir_list(folder, &names, err))
		rc = err->kind == ERR_NOT_FOUND ? 0 : -1;
	for (size_t i = 0; i < names.n && !rc; i++)
		if (leftovers->is(leftovers->ctx, names.items[i]))
			rc = remove_one(folder, names.items[i], leftovers->folders, err);
	strlist_clear(&names);
	return rc;
}

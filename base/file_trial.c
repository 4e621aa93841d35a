/* file_trial.c - can files really be made, renamed and removed here? Rights, mounts,
 * quotas and virus scanners are all asked at once, by doing it. */
#include "base/files.h"

#include <stdlib.h>

#define WORDS "certrenewd tries whether it may write here; this file goes away\n"

/* The folder of `path`, or the nearest one above it that exists: what lacks will be made
 * in there. Gives a name in it that only this path has. */
static char *name_beside(const char *path)
{
	char *name = str_printf("%s.certrenewd-trial", path_base(path));
	char *folder = path_parent(path), *up;
	struct file_facts facts;
	struct err ignored;

	while (!file_inspect(folder, &facts, &ignored) && facts.type == FILE_ABSENT) {
		up = path_parent(folder);
		if (str_equal(up, folder)) {
			free(up);
			break;
		}
		free(folder);
		folder = up;
	}
	up = path_join(folder, name);
	free(folder);
	free(name);
	return up;
}

int file_try_beside(const char *path, struct err *err)
{
	char *real = NULL, *first = NULL, *second = NULL;
	struct err failure;
	int rc = -1;

	if (file_resolve_trusted(path, &real, err))
		goto out;
	first = name_beside(real);
	second = str_printf("%s-2", first);
	rc = file_replace(first, WORDS, sizeof(WORDS) - 1, FILE_SECRET, err);
	if (!rc)
		rc = file_rename(first, second, err);
	/* Whatever came of it, nothing is left; a removal that fails is news, too. */
	if (file_remove(first, &failure) | file_remove(second, &failure)) {
		if (!rc)
			*err = failure;
		rc = -1;
	}
out:
	free(second);
	free(first);
	free(real);
	return rc;
}

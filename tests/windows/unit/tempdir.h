/* tempdir.h - a folder of its own for a test on Windows. Header only: tests are single
 * files. */
#ifndef TESTS_WINDOWS_UNIT_TEMPDIR_H
#define TESTS_WINDOWS_UNIT_TEMPDIR_H

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/files.h"
#include "base/random.h"
#include "base/str.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

static inline void must(int rc, const struct err *err)
{
	if (rc)
		fail_msg("%s", err->text);
}

static inline void assert_says(const struct err *err, const char *part)
{
	if (!strstr(err->text, part))
		fail_msg("'%s' is not in: %s", part, err->text);
}

/* Gives the path of a new folder below the system drive, with a blank and an umlaut. */
static inline char *tempdir_new(void)
{
	char id[9];
	char *dir;
	struct err err;

	random_hex(id, 8);
	dir = str_printf("C:\\certrenewd-unit\\pr\xc3\xbc"
			 "fung %s",
			 id);
	must(dir_make(dir, FILE_SECRET, &err), &err);
	return dir;
}

static inline void tempdir_free(char *dir)
{
	struct err err;

	must(tree_remove(dir, &err), &err);
	free(dir);
}

static inline void put(const char *path, const char *text)
{
	struct err err;

	must(file_replace(path, text, strlen(text), FILE_PUBLIC, &err), &err);
}

static inline void assert_holds(const char *path, const char *text)
{
	struct err err;
	struct buf buf;

	buf_init(&buf, 1 << 20);
	must(file_read(path, &buf, &err), &err);
	assert_string_equal(buf_str(&buf), text);
	buf_release(&buf);
}

static inline void folder_holds(const char *dir, const char *names)
{
	struct strlist list = { 0 };
	struct err err;
	char *all = str_dup(""), *longer;
	size_t i;

	must(dir_list(dir, &list, &err), &err);
	for (i = 0; i < list.n; i++) {
		longer = str_printf("%s%s%s", all, i ? " " : "", list.items[i]);
		free(all);
		all = longer;
	}
	assert_string_equal(all, names);
	free(all);
	strlist_clear(&list);
}

#endif

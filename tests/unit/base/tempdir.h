/* tempdir.h - a folder of its own for a test, and an account without rights. Header only:
 * tests are single files. */
#ifndef TESTS_UNIT_BASE_TEMPDIR_H
#define TESTS_UNIT_BASE_TEMPDIR_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/str.h"

#define NOBODY_UID 65534

/* Gives the path of a new folder, 0755, so that others can look into it. */
static inline char *tempdir_new(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = str_printf("%s/certrenewd-unit-XXXXXX", tmp ? tmp : "/tmp");

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	return dir;
}

static inline void tempdir_free(char *dir)
{
	struct err err;

	if (tree_remove(dir, &err))
		fail_msg("%s", err.text);
	free(dir);
}

static inline void put(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	if (!file)
		fail_msg("cannot write %s", path);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static inline char *get(const char *path)
{
	struct err err;
	struct buf buf;

	buf_init(&buf, 1 << 20);
	if (file_read(path, &buf, &err))
		fail_msg("%s", err.text);
	return buf.len ? buf_steal(&buf) : str_dup("");
}

static inline void assert_holds(const char *path, const char *text)
{
	char *found = get(path);

	assert_string_equal(found, text);
	free(found);
}

static inline void assert_says(const struct err *err, const char *part)
{
	if (!strstr(err->text, part))
		fail_msg("'%s' is not in: %s", part, err->text);
}

/* Runs `test(dir)` in a child that has given its rights away, after showing there that a
 * plain write into `forbidden` fails. `test` returns NULL, or what went wrong. */
static inline void as_nobody(const char *(*test)(const char *dir), const char *dir,
			     const char *forbidden)
{
	const char *wrong;
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *probe = path_join(forbidden, "probe");

		if (setgid(NOBODY_UID) || setuid(NOBODY_UID))
			_exit(2);
		if (fopen(probe, "w"))
			_exit(3);
		free(probe);
		wrong = test(dir);
		if (wrong)
			fprintf(stderr, "as nobody: %s\n", wrong);
		fflush(stderr);
		_exit(wrong ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("the unprivileged child ended with status %#x", status);
}

/* Root is needed to become somebody else and to mount: without it those tests are left
 * out, and that is said. */
static inline bool is_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("skipped: the tests that become another account need root\n");
	return false;
}

#endif

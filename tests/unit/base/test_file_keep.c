#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/files.h"
#include "tempdir.h"

static char *dir;

static int set_up(void **state)
{
	(void)state;
	dir = tempdir_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_free(dir);
	return 0;
}

static char *in(const char *name)
{
	return path_join(dir, name);
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		fail_msg("no %s", path);
	return st;
}

static void must(int rc, const struct err *err)
{
	if (rc)
		fail_msg("%s", err->text);
}

static void nothing_but(const char *names)
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

static void a_replaced_file_keeps_owner_group_mode_and_attributes(void **state)
{
	/* version 2; user::rw-, user:1001:rw-, group::r--, mask::rw-, other::--- */
	static const unsigned char acl[] = {
		2, 0,   0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,   6,
		0, 233, 3,   0,   0,   4,   0,  4, 0,   255, 255, 255, 255, 16,  0,
		6, 0,   255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255,
	};
	unsigned char found[sizeof(acl) + 8];
	char *path = in("tls.json");
	bool has_acl;
	struct err err;

	(void)state;
	put(path, "old", 0640);
	assert_int_equal(chown(path, 1000, 1002), 0);
	has_acl = !setxattr(path, "system.posix_acl_access", acl, sizeof(acl), 0);
	if (!has_acl)
		print_message("this file system has no ACLs: they are not checked\n");
	(void)setxattr(path, "user.note", "hello", 5, 0);
	must(file_replace_keeping(path, "new!", 4, FILE_PUBLIC, &err), &err);
	assert_holds(path, "new!");
	assert_int_equal(stat_of(path).st_uid, 1000);
	assert_int_equal(stat_of(path).st_gid, 1002);
	assert_int_equal(stat_of(path).st_mode & 07777, has_acl ? 0660 : 0640);
	if (has_acl) {
		assert_int_equal(
			getxattr(path, "system.posix_acl_access", found, sizeof(found)),
			sizeof(acl));
		assert_memory_equal(found, acl, sizeof(acl));
		assert_int_equal(getxattr(path, "user.note", found, sizeof(found)), 5);
	}
	nothing_but("tls.json");
	free(path);
}

static void a_new_file_and_its_new_folders_belong_to_the_folders_owner(void **state)
{
	char *app = in("app"), *path = in("app/config/servers/tls.json");
	char *servers = in("app/config/servers");
	struct err err;

	(void)state;
	must(dir_make(app, FILE_PUBLIC, &err), &err);
	assert_int_equal(chown(app, 1000, 1002), 0);
	must(file_check_replaceable(path, &err), &err);
	assert_int_equal(access(servers, F_OK), -1);
	must(file_replace_keeping(path, "{}", 2, FILE_PUBLIC, &err), &err);
	assert_holds(path, "{}");
	assert_int_equal(stat_of(path).st_uid, 1000);
	assert_int_equal(stat_of(path).st_gid, 1002);
	assert_int_equal(stat_of(path).st_mode & 07777, 0644);
	assert_int_equal(stat_of(servers).st_uid, 1000);
	assert_int_equal(stat_of(servers).st_mode & 07777, 0755);
	free(app);
	free(path);
	free(servers);
}

static void a_replaced_link_stays_a_link(void **state)
{
	char *real = in("real.json"), *link = in("tls.json"), *resolved = NULL, *expected;
	char *here = realpath(dir, NULL);
	struct err err;

	(void)state;
	put(real, "old", 0600);
	assert_int_equal(symlink("./real.json", link), 0);
	must(file_replace_keeping(link, "new", 3, FILE_PUBLIC, &err), &err);
	assert_holds(real, "new");
	assert_true(S_ISLNK(stat_of(link).st_mode));
	must(file_resolve_trusted(link, &resolved, &err), &err);
	expected = path_join(here, "real.json");
	assert_string_equal(resolved, expected);
	nothing_but("real.json tls.json");
	free(expected);
	free(resolved);
	free(real);
	free(link);
	free(here);
}

/* Both kinds of replacing on a disk of 64 KiB; 0, or which step went wrong. */
static int replace_on_a_full_disk(const char *folder)
{
	char *path = path_join(folder, "tls.json"), *large = mem_calloc(1 << 20, 1);
	struct strlist left = { 0 };
	struct err err = { 0 };

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=64k"))
		return 77;
	if (file_replace(path, "old", 3, FILE_PUBLIC, &err))
		return 2;
	if (!file_replace(path, large, 1 << 20, FILE_PUBLIC, &err) ||
	    !strstr(err.text, "No space left on device"))
		return 3;
	if (!file_replace_keeping(path, large, 1 << 20, FILE_PUBLIC, &err) ||
	    !strstr(err.text, "No space left on device"))
		return 4;
	if (dir_list(folder, &left, &err) || left.n != 1)
		return 5;
	return str_equal(get(path), "old") ? 0 : 6;
}

static void a_full_disk_leaves_the_old_bytes_and_nothing_beside(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(replace_on_a_full_disk(dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: mounting is not permitted here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_somebody_wrote_meanwhile_is_not_replaced(void **state)
{
	char *path = in("tls.json"), hash[FILE_HASH_MAX], *left = in("tls.json.mine");
	struct file_new new = { .data = "ours", .len = 4, .expected = hash };
	struct err err;

	(void)state;
	new.suffix = ".mine";
	hash[0] = '\0';
	must(file_replace_if(path, &new, &err), &err); /* there was none */
	assert_int_equal(file_replace_if(path, &new, &err), -1);
	assert_non_null(strstr(err.text, "was changed by somebody else at 20"));
	assert_non_null(strstr(err.text, "nothing was overwritten"));
	must(file_hash(path, hash, &err), &err);
	new.data = "more";
	must(file_replace_if(path, &new, &err), &err);
	must(file_replace_keeping(path, "them", 4, FILE_PUBLIC, &err), &err);
	assert_int_equal(file_replace_if(path, &new, &err), -1);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	must(file_remove(path, &err), &err);
	assert_int_equal(file_replace_if(path, &new, &err), -1);
	assert_non_null(strstr(err.text, "was removed by somebody else"));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(left, F_OK), -1); /* nothing is left beside it */
	free(left);
	free(path);
}

static void *make_once(void *count)
{
	char *path = in("race"), suffix[32];
	struct file_new new = { .data = "x", .len = 1, .expected = "" };
	struct err err;

	snprintf(suffix, sizeof(suffix), ".%p", count);
	new.suffix = suffix;
	*(size_t *)count = file_replace_if(path, &new, &err) ? 0 : 1;
	free(path);
	return NULL;
}

static void one_of_two_that_make_a_file_at_once_is_first(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		size_t counts[2] = { 0, 0 };
		pthread_t threads[2];
		char *path = in("race");
		struct err err;

		for (int i = 0; i < 2; i++)
			assert_int_equal(
				pthread_create(&threads[i], NULL, make_once, &counts[i]),
				0);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(counts[0] + counts[1], 1);
		must(file_remove(path, &err), &err);
		free(path);
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_replaced_link_stays_a_link),
		CASE(what_somebody_wrote_meanwhile_is_not_replaced),
		CASE(one_of_two_that_make_a_file_at_once_is_first),
	};
	const struct CMUnitTest root_tests[] = {
		CASE(a_replaced_file_keeps_owner_group_mode_and_attributes),
		CASE(a_new_file_and_its_new_folders_belong_to_the_folders_owner),
		CASE(a_full_disk_leaves_the_old_bytes_and_nothing_beside),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (!is_root())
		return failed;
	return failed + cmocka_run_group_tests(root_tests, NULL, NULL);
}

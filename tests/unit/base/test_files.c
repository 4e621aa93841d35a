#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static void a_file_is_read_whole_or_refused_with_its_limit(void **state)
{
	char *path = in("a"), *missing = in("missing");
	struct err err = { 0 };
	struct buf buf;

	(void)state;
	put(path, "0123456789", 0644);
	buf_init(&buf, 10);
	must(file_read(path, &buf, &err), &err);
	assert_string_equal(buf_str(&buf), "0123456789");
	buf_release(&buf);

	buf_init(&buf, 9);
	assert_int_equal(file_read(path, &buf, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_says(&err, "larger than 9 bytes");
	assert_int_equal(file_read(missing, &buf, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(file_read(dir, &buf, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_says(&err, "is a folder, not a file");
	buf_release(&buf);
	free(path);
	free(missing);
}

static void a_pipe_in_a_files_place_is_refused_and_does_not_hang(void **state)
{
	char *path = in("fifo");
	struct err err = { 0 };
	struct buf buf;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	buf_init(&buf, 10);
	assert_int_equal(file_read(path, &buf, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_says(&err, "a device or a pipe");
	assert_int_equal(file_replace_keeping(path, "x", 1, FILE_PUBLIC, &err), -1);
	assert_says(&err, "a device or a pipe");
	free(path);
}

static void inspecting_tells_names_apart_and_absence_is_no_error(void **state)
{
	char *file = in("f"), *link = in("l"), *missing = in("no/such");
	struct file_facts facts;
	struct err err;

	(void)state;
	put(file, "abc", 0640);
	assert_int_equal(symlink("f", link), 0);
	must(file_inspect(file, &facts, &err), &err);
	assert_int_equal(facts.type, FILE_REGULAR);
	assert_int_equal(facts.size_bytes, 3);
	assert_int_equal(facts.mode, 0640);
	if (geteuid() == 0)
		assert_string_equal(facts.owner, "root");
	must(file_inspect(link, &facts, &err), &err);
	assert_int_equal(facts.type, FILE_LINK);
	must(file_inspect(dir, &facts, &err), &err);
	assert_int_equal(facts.type, FILE_DIRECTORY);
	must(file_inspect(missing, &facts, &err), &err);
	assert_int_equal(facts.type, FILE_ABSENT);
	free(file);
	free(link);
	free(missing);
}

static void replacing_sets_the_mode_and_leaves_nothing_beside(void **state)
{
	char *secret = in("key"), *public = in("cert"),
	     *leftover = in("key.certrenewd-new");
	mode_t before = umask(0077);
	struct err err;

	(void)state;
	put(leftover, "half a k", 0666);
	must(file_replace(secret, "k", 1, FILE_SECRET, &err), &err);
	must(file_replace(public, "c", 1, FILE_PUBLIC, &err), &err);
	must(file_replace(secret, "new", 3, FILE_SECRET, &err), &err);
	umask(before);
	assert_holds(secret, "new");
	assert_int_equal(stat_of(secret).st_mode & 07777, 0600);
	assert_int_equal(stat_of(public).st_mode & 07777, 0644);
	nothing_but("cert key");
	free(secret);
	free(public);
	free(leftover);
}

static void a_failed_replace_leaves_the_old_bytes_and_nothing_beside(void **state)
{
	char *path = in("folder"), *inside = in("folder/x");
	struct err err = { 0 };

	(void)state;
	must(dir_make(path, FILE_PUBLIC, &err), &err);
	put(inside, "x", 0644);
	assert_int_equal(file_replace(path, "k", 1, FILE_SECRET, &err), -1);
	assert_says(&err, path);
	assert_int_equal(file_replace_keeping(path, "k", 1, FILE_SECRET, &err), -1);
	assert_says(&err, "is a folder, not a file");
	assert_holds(inside, "x");
	nothing_but("folder");
	free(path);
	free(inside);
}

static void folders_are_made_with_their_parents_and_kept_as_they_are(void **state)
{
	char *deep = in("a/b/c"), *a = in("a"), *b = in("a/b"), *file = in("a/file");
	mode_t before = umask(0077);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mkdir(a, 0711), 0);
	assert_int_equal(chmod(a, 0711), 0);
	must(dir_make(deep, FILE_PUBLIC, &err), &err);
	must(dir_make(deep, FILE_SECRET, &err), &err);
	umask(before);
	assert_int_equal(stat_of(a).st_mode & 07777, 0711);
	assert_int_equal(stat_of(b).st_mode & 07777, 0755);
	assert_int_equal(stat_of(deep).st_mode & 07777, 0755);
	put(file, "", 0644);
	assert_int_equal(dir_make(file, FILE_PUBLIC, &err), -1);
	assert_says(&err, "make folder");
	free(deep);
	free(a);
	free(b);
	free(file);
}

static void removing_is_idempotent_and_never_follows_a_link(void **state)
{
	char *tree = in("tree"), *sub = in("tree/sub"), *file = in("tree/sub/f");
	char *outside = in("outside"), *kept = in("outside/kept"),
	     *link = in("tree/link");
	struct err err;

	(void)state;
	must(dir_make(sub, FILE_PUBLIC, &err), &err);
	must(dir_make(outside, FILE_PUBLIC, &err), &err);
	put(file, "x", 0644);
	put(kept, "x", 0644);
	assert_int_equal(symlink(outside, link), 0);
	must(file_remove(file, &err), &err);
	must(file_remove(file, &err), &err);
	put(file, "x", 0644);
	must(tree_remove(tree, &err), &err);
	must(tree_remove(tree, &err), &err);
	nothing_but("outside");
	assert_holds(kept, "x");
	free(tree);
	free(sub);
	free(file);
	free(outside);
	free(kept);
	free(link);
}

static void renaming_replaces_and_a_missing_source_is_named(void **state)
{
	char *a = in("a"), *b = in("b");
	struct err err = { 0 };

	(void)state;
	put(a, "a", 0644);
	put(b, "b", 0644);
	must(file_rename(a, b, &err), &err);
	assert_holds(b, "a");
	assert_int_equal(file_rename(a, b, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_says(&err, a);
	free(a);
	free(b);
}

static void files_are_found_by_ending_not_through_links_and_not_too_deep(void **state)
{
	char *deep = in("1/2/3/4/5/6/7"), *too_deep = in("1/2/3/4/5/6/7/8");
	char *name, *missing = in("none");
	struct strlist found = { 0 };
	struct err err;

	(void)state;
	must(dir_make(too_deep, FILE_PUBLIC, &err), &err);
	put(name = path_join(deep, "b.json"), "", 0644);
	free(name);
	put(name = path_join(too_deep, "never.json"), "", 0644);
	free(name);
	put(name = in("a.json"), "", 0644);
	free(name);
	put(name = in("a.txt"), "", 0644);
	free(name);
	name = in("link.json");
	assert_int_equal(symlink("a.json", name), 0);
	free(name);
	name = in("1/up");
	assert_int_equal(symlink("..", name), 0);
	free(name);

	must(dir_find(dir, ".json", &found, &err), &err);
	assert_int_equal(found.n, 2);
	assert_true(str_ends(found.items[0], "/1/2/3/4/5/6/7/b.json"));
	assert_true(str_ends(found.items[1], "/a.json"));
	strlist_clear(&found);
	must(dir_find(missing, ".json", &found, &err), &err);
	assert_int_equal(found.n, 0);
	free(missing);
	free(deep);
	free(too_deep);
}

static void patterns_know_stars_and_question_marks_and_nothing_else(void **state)
{
	static const char *const names[] = { "server1", "server2", "server10",
					     "serve",   "s[1]",    ".server" };
	struct strlist found = { 0 };
	struct err err;
	char *path;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		put(path = in(names[i]), "", 0644);
		free(path);
	}
	must(dir_glob(path = in("server*"), &found, &err), &err);
	assert_int_equal(found.n, 3);
	assert_true(str_ends(found.items[0], "/server1"));
	strlist_clear(&found);
	free(path);
	must(dir_glob(path = in("server?"), &found, &err), &err);
	assert_int_equal(found.n, 2);
	strlist_clear(&found);
	free(path);
	must(dir_glob(path = in("s[1]"), &found, &err), &err);
	assert_int_equal(found.n, 1);
	strlist_clear(&found);
	free(path);
	must(dir_glob(path = in("no/where/*"), &found, &err), &err);
	assert_int_equal(found.n, 0);
	free(path);
}

static void a_link_is_switched_and_nothing_else_is_taken_for_a_link(void **state)
{
	char *link = in("live"), *file = in("file"), *folder = in("folder"),
	     *target = NULL;
	struct err err = { 0 };

	(void)state;
	put(file, "", 0644);
	must(dir_make(folder, FILE_PUBLIC, &err), &err);
	must(link_replace(link, "versions/1", &err), &err);
	must(link_replace(link, "versions/2", &err), &err);
	must(link_read(link, &target, &err), &err);
	assert_string_equal(target, "versions/2");
	assert_int_equal(link_replace(file, "versions/2", &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_int_equal(link_replace(folder, "versions/2", &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "a folder that is not ours");
	assert_int_equal(link_read(file, &target, &err), -1);
	nothing_but("file folder live");
	free(target);
	free(link);
	free(file);
	free(folder);
}

static void owner_group_and_mode_are_set_by_name_or_number(void **state)
{
	char *path = in("key");
	struct err err = { 0 };

	(void)state;
	put(path, "k", 0600);
	must(file_set_access(path, "nobody", "4", 0640, &err), &err);
	assert_int_equal(stat_of(path).st_uid, NOBODY_UID);
	assert_int_equal(stat_of(path).st_gid, 4);
	assert_int_equal(stat_of(path).st_mode & 07777, 0640);
	must(file_set_access(path, NULL, NULL, 0, &err), &err);
	assert_int_equal(stat_of(path).st_mode & 07777, 0640);
	assert_int_equal(file_set_access(path, NULL, "no-such-group", 0, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "there is no group 'no-such-group' here");
	free(path);
}

static bool begins_with(const void *ctx, const char *name)
{
	return str_starts(name, ctx);
}

static void leftovers_go_and_nothing_else_does(void **state)
{
	struct dir_leftovers files = { begins_with, "old-", false };
	struct dir_leftovers folders = { begins_with, "old-", .folders = true };
	char *below = path_join(dir, "old-a/b/c");
	char *file = path_join(dir, "old-file"), *kept = path_join(dir, "new-old-");
	char *missing = path_join(dir, "missing");
	struct strlist names = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(dir_sweep(missing, &files, &err), 0);
	put(file, "x", 0600);
	put(kept, "x", 0600);
	assert_int_equal(dir_sweep(dir, &files, &err), 0);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(dir_make(below, FILE_SECRET, &err), 0);
	assert_int_equal(dir_sweep(dir, &files, &err), -1); /* it is no file */
	assert_says(&err, "old-a'");
	assert_int_equal(dir_sweep(dir, &folders, &err), 0);
	assert_int_equal(dir_list(dir, &names, &err), 0);
	assert_int_equal(names.n, 1);
	assert_string_equal(names.items[0], "new-old-");
	strlist_clear(&names);
	free(missing);
	free(kept);
	free(file);
	free(below);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_file_is_read_whole_or_refused_with_its_limit),
		CASE(a_pipe_in_a_files_place_is_refused_and_does_not_hang),
		CASE(inspecting_tells_names_apart_and_absence_is_no_error),
		CASE(replacing_sets_the_mode_and_leaves_nothing_beside),
		CASE(a_failed_replace_leaves_the_old_bytes_and_nothing_beside),
		CASE(folders_are_made_with_their_parents_and_kept_as_they_are),
		CASE(removing_is_idempotent_and_never_follows_a_link),
		CASE(renaming_replaces_and_a_missing_source_is_named),
		CASE(files_are_found_by_ending_not_through_links_and_not_too_deep),
		CASE(patterns_know_stars_and_question_marks_and_nothing_else),
		CASE(a_link_is_switched_and_nothing_else_is_taken_for_a_link),
		CASE(leftovers_go_and_nothing_else_does),
	};
	const struct CMUnitTest root_tests[] = {
		CASE(owner_group_and_mode_are_set_by_name_or_number),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (!is_root())
		return failed;
	return failed + cmocka_run_group_tests(root_tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <sched.h>
#include <unistd.h>

#include "base/files.h"
#include "tempdir.h"

#define APP_UID 54321 /* nobody has it: named by its number */
#define STAFF_GID 50  /* Debian's "staff" */

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

static char *make_folder(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	char *path = in(name);

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chown(path, uid, gid), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void must(int rc, const struct err *err)
{
	if (rc)
		fail_msg("%s", err->text);
}

static void denied(int rc, const struct err *err, const char *part)
{
	assert_int_equal(rc, -1);
	assert_int_equal(err->kind, ERR_DENIED);
	assert_says(err, part);
}

static void what_root_alone_can_write_is_trusted(void **state)
{
	char *path = in("config.yaml"), *absent = in("absent.yaml");
	struct err err;

	(void)state;
	put(path, "x", 0644);
	must(file_check_trusted(path, &err), &err);
	must(file_check_trusted(dir, &err), &err);
	must(file_check_trusted(absent, &err), &err);
	free(path);
	free(absent);
}

static void a_file_that_others_can_write_is_named_with_the_account(void **state)
{
	char *path = in("config.yaml");
	struct err err;

	(void)state;
	put(path, "x", 0666);
	denied(file_check_trusted(path, &err), &err, "is writable by everybody");
	put(path, "x", 0664);
	assert_int_equal(chown(path, 0, STAFF_GID), 0);
	denied(file_check_trusted(path, &err), &err, "is writable by group 'staff'");
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chmod(path, 0664), 0);
	must(file_check_trusted(path, &err), &err);
	assert_int_equal(chown(path, NOBODY_UID, 0), 0);
	assert_int_equal(chmod(path, 0644), 0);
	denied(file_check_trusted(path, &err), &err, "is writable by user 'nobody'");
	free(path);
}

static void an_account_with_an_acl_is_found(void **state)
{
	/* version 2; user::rw-, user:65534:rw-, group::r--, mask::rw-, other::r-- */
	static const unsigned char acl[] = {
		2, 0,   0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,   6,
		0, 254, 255, 0,   0,   4,   0,  4, 0,   255, 255, 255, 255, 16,  0,
		6, 0,   255, 255, 255, 255, 32, 0, 4,   0,   255, 255, 255, 255,
	};
	char *path = in("config.yaml");
	struct err err;

	(void)state;
	put(path, "x", 0644);
	if (setxattr(path, "system.posix_acl_access", acl, sizeof(acl), 0)) {
		free(path);
		print_message("skipped: this file system has no ACLs\n");
		skip();
	}
	denied(file_check_trusted(path, &err), &err, "is writable by user 'nobody'");
	free(path);
}

static void every_parent_counts(void **state)
{
	char *folder, *path = in("open/config.yaml");
	struct err err;

	(void)state;
	folder = make_folder("open", 0, STAFF_GID, 0775);
	put(path, "x", 0644);
	denied(file_check_trusted(path, &err), &err, "is writable by group 'staff'");
	assert_says(&err, folder);
	assert_int_equal(chmod(folder, 0755), 0);
	must(file_check_trusted(path, &err), &err);
	free(folder);
	free(path);
}

static void in_a_sticky_folder_only_what_is_ours_is_trusted(void **state)
{
	char *sticky, *ours = in("sticky/ours"), *theirs = in("sticky/theirs");
	char *absent = in("sticky/absent");
	struct err err;

	(void)state;
	sticky = make_folder("sticky", 0, 0, 01777);
	put(ours, "x", 0644);
	put(theirs, "x", 0644);
	assert_int_equal(chown(theirs, APP_UID, 0), 0);
	must(file_check_trusted(ours, &err), &err);
	denied(file_check_trusted(theirs, &err), &err, "is writable by everybody");
	denied(file_check_trusted(absent, &err), &err, "is writable by everybody");
	denied(file_check_trusted(sticky, &err), &err, "is writable by everybody");
	free(sticky);
	free(ours);
	free(theirs);
	free(absent);
}

static void a_planted_link_is_refused_and_a_regular_file_beside_it_is_not(void **state)
{
	char *app, *real = in("app/real.json"), *link = in("app/tls.json"), *path = NULL;
	char *target = in("passwd");
	struct err err;

	(void)state;
	app = make_folder("app", APP_UID, 0, 0755);
	put(target, "root", 0600);
	put(real, "{}", 0644);
	assert_int_equal(symlink("../passwd", link), 0);
	assert_int_equal(lchown(link, APP_UID, APP_UID), 0);
	denied(file_resolve_trusted(link, &path, &err), &err, "could have planted");
	assert_says(&err, "user '54321'");
	assert_says(&err, link);
	assert_null(path);
	denied(file_replace_keeping(link, "x", 1, FILE_PUBLIC, &err), &err, link);
	denied(file_check_replaceable(link, &err), &err, link);
	assert_holds(target, "root");
	/* Root's own link there could have been moved there by the folder's owner. */
	assert_int_equal(lchown(link, 0, 0), 0);
	denied(file_resolve_trusted(link, &path, &err), &err, "could have planted");
	must(file_replace_keeping(real, "{1}", 3, FILE_PUBLIC, &err), &err);
	assert_holds(real, "{1}");
	free(app);
	free(real);
	free(link);
	free(target);
}

static void a_link_in_a_sticky_folder_counts_by_its_owner(void **state)
{
	char *sticky, *target = in("target"), *link = in("sticky/link"), *path = NULL;
	struct err err;

	(void)state;
	sticky = make_folder("sticky", 0, 0, 01777);
	put(target, "x", 0644);
	assert_int_equal(symlink("../target", link), 0);
	must(file_resolve_trusted(link, &path, &err), &err);
	free(path);
	path = NULL;
	assert_int_equal(lchown(link, APP_UID, APP_UID), 0);
	denied(file_resolve_trusted(link, &path, &err), &err, "could have planted");
	free(sticky);
	free(target);
	free(link);
}

static void links_that_lead_in_circles_end(void **state)
{
	char *a = in("a"), *b = in("b"), *path = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(symlink("b", a), 0);
	assert_int_equal(symlink("a", b), 0);
	assert_int_equal(file_resolve_trusted(a, &path, &err), -1);
	assert_says(&err, "too many links");
	free(a);
	free(b);
}

static void resolving_walks_dots_and_absent_names(void **state)
{
	char *path = in("a/../a/./x/y.json"), *folder = in("a"), *ret = NULL, *expected;
	char *here = realpath(dir, NULL), *guess = in("missing/../x");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mkdir(folder, 0755), 0);
	must(file_resolve_trusted(path, &ret, &err), &err);
	expected = path_join(here, "a/x/y.json");
	assert_string_equal(ret, expected);
	assert_int_equal(file_resolve_trusted(guess, &ret, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	free(ret);
	free(expected);
	free(path);
	free(folder);
	free(here);
	free(guess);
}

static void a_secret_that_others_can_read_is_refused_with_the_way_out(void **state)
{
	char *path = in("eab.key");
	struct err err = { 0 };

	(void)state;
	put(path, "k", 0600);
	must(file_check_secret(path, &err), &err);
	put(path, "k", 0644);
	denied(file_check_secret(path, &err), &err,
	       "is readable by everybody: chmod 600");
	put(path, "k", 0640);
	denied(file_check_secret(path, &err), &err, "is readable by group");
	free(path);
}

/* ---- as an account without rights ---------------------------------------- */

static const char *replacing_is_refused(const char *folder)
{
	char *path = path_join(folder, "tls.json");
	struct err err = { 0 };

	if (!file_check_replaceable(path, &err) || err.kind != ERR_DENIED ||
	    !strstr(err.text, "user 'nobody' could not replace") ||
	    !strstr(err.text, "is not writable: Permission denied"))
		return str_printf("check: %s", err.text);
	if (!file_replace_keeping(path, "x", 1, FILE_PUBLIC, &err) ||
	    err.kind != ERR_DENIED)
		return "the file was replaced";
	free(path);
	return NULL;
}

static void what_could_not_be_replaced_is_known_before(void **state)
{
	char *app, *path = in("app/tls.json"), *absent = in("app/none.json");
	struct err err;

	(void)state;
	app = make_folder("app", 0, 0, 0755);
	put(path, "old", 0666);
	must(file_check_replaceable(path, &err), &err);
	must(file_check_replaceable(absent, &err), &err);
	as_nobody(replacing_is_refused, app, app);
	assert_holds(path, "old");
	free(app);
	free(path);
	free(absent);
}

static const char *owner_cannot_be_kept(const char *folder)
{
	char *theirs = path_join(folder, "theirs"), *ours = path_join(folder, "ours");
	char *temporary = path_join(folder, "theirs.certrenewd-new");
	struct err err = { 0 };

	if (!file_check_replaceable(theirs, &err) ||
	    !strstr(err.text, "give the new file to user 'root'"))
		return str_printf("check: %s", err.text);
	if (!file_replace_keeping(theirs, "x", 1, FILE_PUBLIC, &err))
		return "the file was replaced";
	if (!access(temporary, F_OK))
		return "a temporary file was left";
	if (file_check_replaceable(ours, &err) ||
	    file_replace_keeping(ours, "new", 3, FILE_PUBLIC, &err))
		return str_printf("ours: %s", err.text);
	free(theirs);
	free(ours);
	free(temporary);
	return NULL;
}

static void an_owner_that_cannot_be_kept_is_a_refusal(void **state)
{
	char *app, *forbidden, *theirs = in("app/theirs"), *ours = in("app/ours");

	(void)state;
	app = make_folder("app", 0, 0, 0777);
	forbidden = make_folder("forbidden", 0, 0, 0755);
	put(theirs, "old", 0644);
	put(ours, "old", 0600);
	assert_int_equal(chown(ours, NOBODY_UID, NOBODY_UID), 0);
	as_nobody(owner_cannot_be_kept, app, forbidden);
	assert_holds(theirs, "old");
	assert_holds(ours, "new");
	free(app);
	free(forbidden);
	free(theirs);
	free(ours);
}

static const char *nothing_can_be_read(const char *folder)
{
	char *key = path_join(folder, "key");
	struct err err = { 0 };
	struct buf buf;

	buf_init(&buf, 100);
	if (!file_read(key, &buf, &err) || err.kind != ERR_DENIED)
		return "the key was read";
	if (!file_replace(key, "x", 1, FILE_SECRET, &err) || err.kind != ERR_DENIED)
		return "the key was replaced";
	if (!file_remove(key, &err) || err.kind != ERR_DENIED)
		return "the key was removed";
	if (!dir_make(folder, FILE_SECRET, &err))
		return NULL;
	return "an existing folder was not fine";
}

static void a_missing_right_is_denied_and_says_so(void **state)
{
	char *state_dir, *key = in("state/key");

	(void)state;
	state_dir = make_folder("state", 0, 0, 0755);
	put(key, "k", 0600);
	as_nobody(nothing_can_be_read, state_dir, state_dir);
	assert_holds(key, "k");
	free(state_dir);
	free(key);
}

static void a_read_only_file_system_is_named(void **state)
{
	char *folder, *path = in("ro/tls.json");
	int status;
	pid_t pid;

	(void)state;
	folder = make_folder("ro", 0, 0, 0755);
	put(path, "old", 0644);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = { 0 };
		FILE *plain;

		if (unshare(CLONE_NEWNS) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount(folder, folder, NULL, MS_BIND, NULL) ||
		    mount(NULL, folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
			_exit(77);
		plain = fopen(path, "w");
		if (plain)
			_exit(3);
		if (!file_check_replaceable(path, &err) ||
		    !strstr(err.text, "Read-only file system"))
			_exit(4);
		if (!file_replace_keeping(path, "x", 1, FILE_PUBLIC, &err) ||
		    !strstr(err.text, "Read-only file system"))
			_exit(5);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	free(folder);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		free(path);
		print_message("skipped: mounting is not permitted here\n");
		skip();
	}
	assert_int_equal(status, 0);
	assert_holds(path, "old");
	free(path);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_root_alone_can_write_is_trusted),
		CASE(links_that_lead_in_circles_end),
		CASE(resolving_walks_dots_and_absent_names),
		CASE(a_secret_that_others_can_read_is_refused_with_the_way_out),
	};
	const struct CMUnitTest root_tests[] = {
		CASE(a_file_that_others_can_write_is_named_with_the_account),
		CASE(an_account_with_an_acl_is_found),
		CASE(every_parent_counts),
		CASE(in_a_sticky_folder_only_what_is_ours_is_trusted),
		CASE(a_planted_link_is_refused_and_a_regular_file_beside_it_is_not),
		CASE(a_link_in_a_sticky_folder_counts_by_its_owner),
		CASE(what_could_not_be_replaced_is_known_before),
		CASE(an_owner_that_cannot_be_kept_is_a_refusal),
		CASE(a_missing_right_is_denied_and_says_so),
		CASE(a_read_only_file_system_is_named),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (!is_root())
		return failed;
	return failed + cmocka_run_group_tests(root_tests, NULL, NULL);
}

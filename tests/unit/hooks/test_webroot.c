#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hooks/http01.h"
#include "tests/unit/base/tempdir.h"

struct world {
	char *dir, *well_known, *challenges, *token;
};

static int set_up(void **state)
{
	struct world *w = mem_calloc(1, sizeof(*w));

	w->dir = tempdir_new();
	w->well_known = path_join(w->dir, ".well-known");
	w->challenges = path_join(w->well_known, "acme-challenge");
	w->token = path_join(w->challenges, "tok-en_1");
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	free(w->well_known);
	free(w->challenges);
	free(w->token);
	tempdir_free(w->dir);
	free(w);
	return 0;
}

static void serve(const struct world *w, const char *token)
{
	struct err err;

	if (webroot_serve(w->dir, token, "answer.thumb", &err))
		fail_msg("%s", err.text);
}

static void withdraw(const struct world *w, const char *token)
{
	struct err err;

	if (webroot_withdraw(w->dir, token, &err))
		fail_msg("%s", err.text);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void a_token_is_a_file_that_everybody_may_read(void **state)
{
	struct world *w = *state;
	struct stat facts;

	serve(w, "tok-en_1");
	assert_holds(w->token, "answer.thumb");
	assert_int_equal(stat(w->token, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0644);
	assert_int_equal(stat(w->challenges, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0755);
}

static void folders_that_were_made_go_with_their_last_token(void **state)
{
	struct world *w = *state;

	serve(w, "tok-en_1");
	serve(w, "second");
	withdraw(w, "tok-en_1");
	assert_false(is_there(w->token));
	assert_true(is_there(w->challenges));
	withdraw(w, "second");
	assert_false(is_there(w->well_known));
	withdraw(w, "second");
	serve(w, "tok-en_1");
	assert_holds(w->token, "answer.thumb");
}

static void folders_of_the_operator_stay(void **state)
{
	struct world *w = *state;

	assert_int_equal(mkdir(w->well_known, 0755), 0);
	serve(w, "tok-en_1");
	withdraw(w, "tok-en_1");
	assert_false(is_there(w->challenges));
	assert_true(is_there(w->well_known));
	assert_int_equal(mkdir(w->challenges, 0755), 0);
	serve(w, "tok-en_1");
	withdraw(w, "tok-en_1");
	assert_true(is_there(w->challenges));
}

static void folders_belong_to_whom_the_webroot_belongs(void **state)
{
	struct world *w = *state;
	struct stat facts;

	if (!is_root())
		skip();
	assert_int_equal(chown(w->dir, NOBODY_UID, NOBODY_UID), 0);
	serve(w, "tok-en_1");
	assert_int_equal(stat(w->challenges, &facts), 0);
	assert_int_equal(facts.st_uid, NOBODY_UID);
	withdraw(w, "tok-en_1");
	assert_false(is_there(w->well_known));
}

static void a_token_that_is_no_base64url_makes_no_file(void **state)
{
	static const char *const tokens[] = { "",    "../x", "a/b",
					      "a.b", "a b",  ".certrenewd" };
	struct world *w = *state;
	char long_token[300];
	struct err err;

	for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
		assert_int_equal(webroot_serve(w->dir, tokens[i], "x", &err), -1);
		assert_int_equal(err.kind, ERR_REFUSED);
		assert_int_equal(webroot_withdraw(w->dir, tokens[i], &err), -1);
		assert_int_equal(err.kind, ERR_REFUSED);
	}
	memset(long_token, 'a', sizeof(long_token) - 1);
	long_token[sizeof(long_token) - 1] = '\0';
	assert_int_equal(webroot_serve(w->dir, long_token, "x", &err), -1);
	assert_false(is_there(w->well_known));
}

static void a_missing_webroot_is_named_with_the_way_out(void **state)
{
	struct world *w = *state;
	char *missing = path_join(w->dir, "missing");
	struct err err;

	assert_int_equal(webroot_check(w->dir, &err), 0);
	assert_false(is_there(w->well_known));
	assert_int_equal(webroot_check(missing, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, missing);
	assert_says(&err, "name the one that your web server serves");
	assert_int_equal(webroot_serve(missing, "tok", "x", &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_false(is_there(missing));
	free(missing);
}

static void a_planted_link_is_refused(void **state)
{
	struct world *w = *state;
	char *target = path_join(w->dir, "target"), *webroot = path_join(w->dir, "www");
	char *link = path_join(webroot, ".well-known");
	struct err err;

	if (!is_root())
		skip();
	assert_int_equal(mkdir(target, 0755), 0);
	assert_int_equal(mkdir(webroot, 0755), 0);
	assert_int_equal(symlink("../target", link), 0);
	assert_int_equal(lchown(link, NOBODY_UID, NOBODY_UID), 0);
	assert_int_equal(chown(webroot, NOBODY_UID, NOBODY_UID), 0);
	assert_int_equal(webroot_serve(webroot, "tok", "x", &err), -1);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_int_equal(webroot_check(webroot, &err), -1);
	assert_int_equal(rmdir(target), 0);

	/* One towards tokens that are to be removed. */
	assert_int_equal(mkdir(target, 0755), 0);
	free(link);
	link = path_join(target, "acme-challenge");
	assert_int_equal(mkdir(link, 0755), 0);
	free(link);
	link = path_join(target, "acme-challenge/tok");
	put(link, "theirs", 0644);
	assert_int_equal(webroot_withdraw(webroot, "tok", &err), -1);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_holds(link, "theirs");
	free(target);
	free(webroot);
	free(link);
}

static void
a_folder_that_cannot_be_looked_at_is_no_proof_that_a_token_is_gone(void **state)
{
	struct world *w = *state;
	struct err err = { 0 };

	assert_int_equal(symlink(".well-known", w->well_known), 0);
	assert_int_equal(webroot_withdraw(w->dir, "tok-en_1", &err), -1);
	assert_non_null(strstr(err.text, w->challenges));
	assert_int_equal(webroot_serve(w->dir, "tok-en_1", "x", &err), -1);
	assert_int_equal(unlink(w->well_known), 0);
}

static const char *cannot_write(const char *dir)
{
	struct err err = { 0 };

	if (!webroot_check(dir, &err) || err.kind != ERR_DENIED || !strstr(err.text, dir))
		return "the check does not see it";
	if (!webroot_serve(dir, "tok", "x", &err) || err.kind != ERR_DENIED)
		return "it was written";
	return NULL;
}

static void an_unwritable_webroot_is_seen_before_anything_is_done(void **state)
{
	struct world *w = *state;

	if (!is_root())
		skip();
	as_nobody(cannot_write, w->dir, w->dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_a_file_that_everybody_may_read),
		TEST(folders_that_were_made_go_with_their_last_token),
		TEST(folders_of_the_operator_stay),
		TEST(folders_belong_to_whom_the_webroot_belongs),
		TEST(a_token_that_is_no_base64url_makes_no_file),
		TEST(a_missing_webroot_is_named_with_the_way_out),
		TEST(a_planted_link_is_refused),
		TEST(a_folder_that_cannot_be_looked_at_is_no_proof_that_a_token_is_gone),
		TEST(an_unwritable_webroot_is_seen_before_anything_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

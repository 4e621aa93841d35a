#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/str.h"
#include "hooks/tls_json.h"
#include "tests/unit/base/tempdir.h"

static const struct tls_json_values new_values = {
	.tls_enabled = true,
	.subject_alt_name = "xc.example",
	.issuer = "CN=R11, O=Let's Encrypt, C=US",
	.not_after = "20270219T033128.000Z",
	.thumbprint = "77AF00000000000000000000000000000000BEEF",
};

static char *render(const char *text, const struct tls_json_values *values)
{
	struct err err;
	struct buf out;

	buf_init(&out, TLS_JSON_MAX_BYTES);
	if (tls_json_render(text, text ? strlen(text) : 0, values, &out, &err))
		fail_msg("%s", err.text);
	return buf_steal(&out);
}

static void apply_plan(const char *path, const struct buf *from)
{
	struct change_list list = { 0 };
	struct err err;

	if (tls_json_plan(path, from, &new_values, &list, &err))
		fail_msg("%s", err.text);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0].kind, CHANGE_FILE);
	assert_string_equal(list.items[0].path, path);
	assert_false(change_is_applied(&list.items[0]));
	if (change_apply(&list.items[0], NULL, &err))
		fail_msg("%s", err.text);
	assert_true(change_is_applied(&list.items[0]));
	change_list_clear(&list);
}

static void an_absent_file_is_created_with_its_folders(void **state)
{
	char *dir = tempdir_new();
	char *path = path_join(dir, "config/servers/tls.json");
	char *expected = render(NULL, &new_values);

	(void)state;
	apply_plan(path, NULL);
	assert_holds(path, expected);
	free(expected);
	free(path);
	tempdir_free(dir);
}

static void a_file_is_planned_from_its_own_bytes_or_from_saved_ones(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "tls.json"), *found;
	struct buf saved;

	(void)state;
	put(path, "{\"own\":1}", 0600);
	apply_plan(path, NULL);
	found = get(path);
	assert_memory_equal(found, "{\"own\":1,", 9);
	free(found);

	buf_init(&saved, 100);
	buf_puts(&saved, "{\"saved\":1}");
	apply_plan(path, &saved);
	found = get(path);
	assert_memory_equal(found, "{\"saved\":1,", 11);
	free(found);
	buf_release(&saved);
	free(path);
	tempdir_free(dir);
}

static void assert_plan_fails(const char *path, enum err_kind kind, const char *part)
{
	struct change_list list = { 0 };
	struct err err = { 0 };

	assert_int_equal(tls_json_plan(path, NULL, &new_values, &list, &err), -1);
	assert_int_equal(err.kind, kind);
	assert_says(&err, part);
	assert_says(&err, path);
	assert_int_equal(list.n, 0);
	change_list_clear(&list);
}

static void a_file_that_cannot_be_edited_is_named_and_left_alone(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "tls.json");

	(void)state;
	put(path, "", 0644);
	assert_plan_fails(path, ERR_CONFIG, "is empty");
	put(path, "{\n  oops\n}", 0644);
	assert_plan_fails(path, ERR_CONFIG, "not JSON: line 2, column 3");
	assert_holds(path, "{\n  oops\n}");
	put(path, "[]", 0644);
	assert_plan_fails(path, ERR_CONFIG, "is an array, not an object");
	assert_plan_fails(dir, ERR_IO, "folder");
	free(path);
	tempdir_free(dir);
}

static void roots_link_is_followed_and_stays_a_link(void **state)
{
	char *dir = tempdir_new(), *real = path_join(dir, "real.json"), *found;
	char *link = path_join(dir, "tls.json");
	struct file_facts facts;
	struct err err;

	(void)state;
	put(real, "{\"own\":1}", 0640);
	assert_int_equal(symlink("real.json", link), 0);
	apply_plan(link, NULL);
	assert_int_equal(file_inspect(link, &facts, &err), 0);
	assert_int_equal(facts.type, FILE_LINK);
	found = get(real);
	assert_memory_equal(found, "{\"own\":1,", 9);
	free(found);
	assert_int_equal(file_inspect(real, &facts, &err), 0);
	assert_int_equal(facts.mode, 0640);
	free(real);
	free(link);
	tempdir_free(dir);
}

static void a_planted_link_is_refused(void **state)
{
	char *dir = tempdir_new(), *secret = path_join(dir, "secret.json");
	char *folder = path_join(dir, "app"), *link = path_join(folder, "tls.json");

	(void)state;
	if (!is_root())
		skip();
	put(secret, "{\"secret\":1}", 0600);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(chown(folder, NOBODY_UID, NOBODY_UID), 0);
	assert_int_equal(symlink("../secret.json", link), 0);
	assert_int_equal(lchown(link, NOBODY_UID, NOBODY_UID), 0);
	assert_plan_fails(link, ERR_DENIED, "tls.json");
	assert_holds(secret, "{\"secret\":1}");
	free(secret);
	free(folder);
	free(link);
	tempdir_free(dir);
}

static const char *try_to_write(const char *dir)
{
	char *path = path_join(dir, "tls.json");
	struct change_list list = { 0 };
	struct err err = { 0 };

	if (tls_json_plan(path, NULL, &new_values, &list, &err))
		return "the plan failed";
	if (!change_apply(&list.items[0], NULL, &err))
		return "it was written";
	if (err.kind != ERR_DENIED || !strstr(err.text, "tls.json"))
		return "the error does not say it";
	if (change_is_applied(&list.items[0]))
		return "it counts as applied";
	change_list_clear(&list);
	free(path);
	return NULL;
}

static void an_unwritable_file_is_left_as_it_was(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "tls.json");

	(void)state;
	if (!is_root())
		skip();
	put(path, "{\"own\":1}", 0644);
	as_nobody(try_to_write, dir, dir);
	assert_holds(path, "{\"own\":1}");
	free(path);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_absent_file_is_created_with_its_folders),
		cmocka_unit_test(a_file_is_planned_from_its_own_bytes_or_from_saved_ones),
		cmocka_unit_test(a_file_that_cannot_be_edited_is_named_and_left_alone),
		cmocka_unit_test(roots_link_is_followed_and_stays_a_link),
		cmocka_unit_test(a_planted_link_is_refused),
		cmocka_unit_test(an_unwritable_file_is_left_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

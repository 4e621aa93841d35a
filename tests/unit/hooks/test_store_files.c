#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/hooks/store_world.h"

static const struct service no_service = { .kind = SERVICE_NONE };

/* ---- fixed file names ---------------------------------------------------- */

static void fixed_files_are_planned_one_by_one_and_the_key_is_secret(void **state)
{
	struct world *w = *state;
	char *key = path_join(w->dir, "k/key.pem"), *full = path_join(w->dir, "full.pem");
	char *chain = path_join(w->dir, "chain.pem"), *leaf = path_join(w->dir, "l.pem");
	char *expected = cert_fullchain_pem(w->a.cert), *current = NULL;
	struct change_list list = { 0 };
	struct err err;

	w->store = (struct store){ .type = STORE_FILES,
				   .key = key,
				   .fullchain = full,
				   .chain = chain,
				   .cert = leaf };
	assert_int_equal(store_check(&w->store, &no_service, &err), 0);
	assert_int_equal(store_import(&w->store, &w->a.material, &err), 0);
	assert_int_equal(store_prove(&w->store, &w->a.material, &err), 0);
	assert_int_equal(store_current(&w->store, &current, &err), 0);
	assert_null(current);
	put(full, "old", 0640);
	assert_fails(store_current(&w->store, &current, &err), &err, ERR_CONFIG, full);

	assert_int_equal(store_plan(&w->store, &w->a.material, &list, &err), 0);
	assert_int_equal(list.n, 4);
	assert_string_equal(list.items[0].path, key);
	assert_int_equal(list.items[0].audience, FILE_SECRET);
	assert_true(list.items[0].content.secret);
	assert_int_equal(list.items[1].audience, FILE_PUBLIC);
	change_list_clear(&list);

	must_point(w, &w->a);
	assert_holds(key, w->a.key_pem);
	assert_holds(full, expected);
	assert_access(key, NULL, NULL, 0600);
	assert_access(full, NULL, NULL, 0640);
	assert_int_equal(store_current(&w->store, &current, &err), 0);
	assert_string_equal(current, cert_sha1(w->a.cert));
	free(current);

	w->store.fullchain = w->store.cert = NULL;
	assert_int_equal(store_current(&w->store, &current, &err), 0);
	assert_null(current);
	free(key);
	free(full);
	free(chain);
	free(leaf);
	free(expected);
}

static void owner_and_group_of_fixed_files_are_given(void **state)
{
	struct world *w = *state;
	char *key = path_join(w->dir, "key.pem"), *full = path_join(w->dir, "full.pem");
	struct change_list list = { 0 };
	struct err err;

	if (!is_root())
		skip();
	w->store = (struct store){ .type = STORE_FILES,
				   .key = key,
				   .fullchain = full,
				   .owner = "nobody",
				   .group = "daemon" };
	must_point(w, &w->a);
	assert_access(key, "nobody", "daemon", 0640);
	assert_access(full, "nobody", "daemon", 0644);

	assert_int_equal(store_plan(&w->store, &w->a.material, &list, &err), 0);
	assert_int_equal(chmod(key, 0666), 0);
	assert_false(change_is_applied(&list.items[0]));
	assert_int_equal(chmod(key, 0640), 0);
	assert_true(change_is_applied(&list.items[0]));
	put(key, "x", 0640);
	assert_false(change_is_applied(&list.items[0]));
	change_list_clear(&list);
	free(key);
	free(full);
}

static const char *cannot_replace(const char *dir)
{
	char *key = path_join(dir, "key.pem");
	struct store store = { .type = STORE_FILES, .key = key };
	struct err err = { 0 };

	if (!store_check(&store, &no_service, &err) || !strstr(err.text, "key.pem"))
		return "the check does not see it";
	if (!store_prove(&store, NULL, &err))
		return "it is proven";
	free(key);
	return NULL;
}

static void an_unwritable_fixed_file_is_seen_before_anything_is_done(void **state)
{
	struct world *w = *state;

	if (!is_root())
		skip();
	as_nobody(cannot_replace, w->dir, w->dir);
}

/* ---- changes ------------------------------------------------------------- */

static void a_link_change_is_applied_when_the_link_says_so(void **state)
{
	struct world *w = *state;
	struct change_list list = { 0 };
	struct change *change = change_add(&list, CHANGE_LINK, w->path, FILE_PUBLIC);
	struct err err;

	change->link_target = str_dup("there");
	assert_false(change_is_applied(change));
	put(w->path, "x", 0644);
	assert_false(change_is_applied(change));
	assert_fails(change_apply(change, NULL, &err), &err, ERR_CONFIG, w->path);
	assert_int_equal(unlink(w->path), 0);
	assert_int_equal(change_apply(change, NULL, &err), 0);
	assert_true(change_is_applied(change));
	assert_int_equal(change_apply(change, NULL, &err), 0);
	change_list_clear(&list);
	change_list_clear(NULL);
}

static void a_watched_file_is_never_applied_and_never_touched(void **state)
{
	struct world *w = *state;
	struct change_list list = { 0 };
	struct change *change = change_add(&list, CHANGE_WATCHED, w->path, FILE_PUBLIC);
	struct err err;

	put(w->path, "theirs", 0644);
	assert_int_equal(change_apply(change, NULL, &err), 0);
	assert_false(change_is_applied(change));
	assert_holds(w->path, "theirs");
	change_list_clear(&list);
}

static void a_file_change_to_a_folder_fails(void **state)
{
	struct world *w = *state;
	struct change_list list = { 0 };
	struct change *change = change_add(&list, CHANGE_FILE, w->dir, FILE_SECRET);
	struct err err;

	assert_false(change_is_applied(change));
	assert_fails(change_apply(change, NULL, &err), &err, ERR_IO, w->dir);
	change_list_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fixed_files_are_planned_one_by_one_and_the_key_is_secret),
		TEST(owner_and_group_of_fixed_files_are_given),
		TEST(an_unwritable_fixed_file_is_seen_before_anything_is_done),
		TEST(a_link_change_is_applied_when_the_link_says_so),
		TEST(a_watched_file_is_never_applied_and_never_touched),
		TEST(a_file_change_to_a_folder_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/hooks/store_world.h"

static const struct service no_service = { .kind = SERVICE_NONE };

/* ---- importing ----------------------------------------------------------- */

static void a_version_is_imported_whole_with_private_modes(void **state)
{
	static const char *const names[] = { "", "key.pem", "cert.pem", "chain.pem",
					     "fullchain.pem" };
	static const uint32_t modes[] = { 0700, 0600, 0644, 0644, 0644 };
	struct world *w = *state;
	char *fullchain = cert_fullchain_pem(w->a.cert), *path;
	struct strlist found = { 0 };
	struct err err;

	must_import(w, &w->a);
	for (size_t i = 0; i < 5; i++) {
		path = inside(w, &w->a, names[i]);
		assert_access(path, NULL, NULL, modes[i]);
		if (i == 4)
			assert_holds(path, fullchain);
		free(path);
	}
	assert_int_equal(store_prove(&w->store, &w->a.material, &err), 0);
	path = str_printf("%s.versions", w->path);
	assert_int_equal(dir_list(path, &found, &err), 0);
	assert_int_equal(found.n, 1);
	strlist_clear(&found);
	free(path);
	free(fullchain);
}

static void owner_group_and_mode_are_as_configured(void **state)
{
	struct world *w = *state;
	char *folder = inside(w, &w->a, ""), *key = inside(w, &w->a, "key.pem");
	char *chain = inside(w, &w->a, "fullchain.pem");
	struct err err;

	if (!is_root())
		skip();
	w->store.owner = "nobody";
	w->store.group = "daemon";
	must_import(w, &w->a);
	assert_access(folder, "nobody", "daemon", 0750);
	assert_access(key, "65534", "1", 0640);
	assert_access(chain, "nobody", "daemon", 0644);

	assert_int_equal(chmod(key, 0644), 0);
	assert_fails(store_prove(&w->store, &w->a.material, &err), &err, ERR_IO,
		     "has mode 0644, not 0640");
	assert_int_equal(chmod(key, 0640), 0);
	assert_int_equal(chown(key, 0, 1), 0);
	assert_fails(store_prove(&w->store, &w->a.material, &err), &err, ERR_IO,
		     "belongs to user 0, not to 'nobody'");
	assert_int_equal(chown(key, 65534, 0), 0);
	assert_fails(store_prove(&w->store, &w->a.material, &err), &err, ERR_IO,
		     "belongs to group 0, not to 'daemon'");
	w->store.key_mode = 0400;
	must_import(w, &w->a);
	assert_access(key, "nobody", "daemon", 0400);

	assert_fails(access_check(key, "nobody-at-all", NULL, 0, &err), &err, ERR_CONFIG,
		     "no user 'nobody-at-all'");
	assert_fails(access_check(key, NULL, "no-such-group", 0, &err), &err, ERR_CONFIG,
		     "no group 'no-such-group'");
	assert_fails(access_check("/no/such", NULL, NULL, 0, &err), &err, ERR_NOT_FOUND,
		     "/no/such");
	free(folder);
	free(key);
	free(chain);
}

static void a_version_that_is_right_is_kept_as_it_is(void **state)
{
	struct world *w = *state;
	char *key = inside(w, &w->a, "key.pem");
	ino_t before;

	must_import(w, &w->a);
	before = inode(key);
	must_import(w, &w->a);
	assert_int_equal(inode(key), before);
	free(key);
}

static void a_damaged_version_keeps_what_is_right_in_it_all_the_while(void **state)
{
	struct world *w = *state;
	char *key = inside(w, &w->a, "key.pem"), *chain = inside(w, &w->a, "chain.pem");
	char *folder = path_parent(key);
	ino_t before, folder_before;
	struct err err;

	must_import(w, &w->a);
	before = inode(key);
	folder_before = inode(folder);
	put(chain, "rubbish", 0644);
	must_import(w, &w->a);
	assert_int_equal(store_prove(&w->store, &w->a.material, &err), 0);
	assert_int_equal(inode(key), before);
	assert_int_equal(inode(folder), folder_before);

	/* What cannot be repaired says so, and takes nothing away. */
	assert_int_equal(unlink(chain), 0);
	assert_int_equal(mkdir(chain, 0755), 0);
	assert_fails(store_import(&w->store, &w->a.material, &err), &err, ERR_IO,
		     "chain.pem");
	assert_int_equal(inode(key), before);
	assert_int_equal(rmdir(chain), 0);
	free(folder);
	free(chain);
	free(key);
}

static void a_damaged_version_of_ours_is_replaced(void **state)
{
	static const char *const names[] = { "key.pem", "cert.pem", "chain.pem",
					     "fullchain.pem" };
	struct world *w = *state;
	struct err err;

	must_import(w, &w->a);
	for (size_t i = 0; i < 4; i++) {
		char *path = inside(w, &w->a, names[i]);

		put(path, "rubbish", 0644);
		assert_fails(store_prove(&w->store, &w->a.material, &err), &err, ERR_IO,
			     names[i]);
		must_import(w, &w->a);
		assert_int_equal(store_prove(&w->store, &w->a.material, &err), 0);
		assert_int_equal(unlink(path), 0);
		assert_fails(store_prove(&w->store, &w->a.material, &err), &err,
			     ERR_NOT_FOUND, names[i]);
		must_import(w, &w->a);
		free(path);
	}
}

static void the_key_of_another_certificate_is_not_proven(void **state)
{
	struct world *w = *state;
	char *key = inside(w, &w->a, "key.pem");
	struct err err;

	must_import(w, &w->a);
	put(key, w->b.key_pem, 0600);
	assert_fails(store_prove(&w->store, &w->a.material, &err), &err, ERR_IO,
		     "is not the key of certificate");
	free(key);
}

static void a_key_with_a_password_is_not_asked_for_one(void **state)
{
	struct world *w = *state;
	char *key = inside(w, &w->a, "key.pem");
	struct err err;

	must_import(w, &w->a);
	put(key,
	    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
	    "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	    "-----END EC PRIVATE KEY-----\n",
	    0600);
	assert_fails(store_prove(&w->store, &w->a.material, &err), &err, ERR_IO,
		     "holds no usable private key");
	free(key);
}

static void somebody_elses_folder_of_that_name_is_left_alone(void **state)
{
	struct world *w = *state;
	char *folder = inside(w, &w->a, ""), *file = inside(w, &w->a, "cert.pem");
	bool foreign = false;
	struct strlist list = { 0 };
	struct err err;

	assert_int_equal(dir_make(folder, FILE_PUBLIC, &err), 0);
	put(file, "theirs", 0644);
	assert_fails(store_import(&w->store, &w->a.material, &err), &err, ERR_CONFIG,
		     "certrenewd did not make it: move it away or choose another path");
	assert_int_equal(store_remove(&w->store, cert_sha1(w->a.cert), &foreign, &err),
			 0);
	assert_true(foreign);
	assert_holds(file, "theirs");
	assert_int_equal(store_list(&w->store, &list, &err), 0);
	assert_int_equal(list.n, 0);
	free(folder);
	free(file);
}

static void what_a_dead_run_left_is_swept_away(void **state)
{
	struct world *w = *state;
	char *left = str_printf("%s.versions/.certrenewd-new-%s", w->path,
				cert_sha1(w->b.cert));
	char *old = str_printf("%s.versions/.certrenewd-old-x", w->path);
	char *theirs = str_printf("%s.versions/notes", w->path);
	struct file_facts facts;
	struct err err;

	assert_int_equal(dir_make(left, FILE_PUBLIC, &err), 0);
	assert_int_equal(dir_make(old, FILE_PUBLIC, &err), 0);
	assert_int_equal(dir_make(theirs, FILE_PUBLIC, &err), 0);
	must_import(w, &w->a);
	assert_int_equal(file_inspect(left, &facts, &err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	assert_int_equal(file_inspect(old, &facts, &err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	assert_int_equal(file_inspect(theirs, &facts, &err), 0);
	assert_int_equal(facts.type, FILE_DIRECTORY);
	free(left);
	free(old);
	free(theirs);
}

static void sweeping_takes_keys_away_and_leaves_the_versions(void **state)
{
	struct world *w = *state;
	char *old = str_printf("%s.versions/.certrenewd-old-x", w->path);
	char *key = path_join(old, "key.pem");
	struct strlist have = { 0 };
	struct file_facts facts;
	struct err err;

	assert_int_equal(store_sweep(&w->store, &err), 0); /* nothing there yet */
	must_import(w, &w->a);
	assert_int_equal(dir_make(old, FILE_PUBLIC, &err), 0);
	assert_int_equal(file_replace(key, "key", 3, FILE_SECRET, &err), 0);
	assert_int_equal(store_sweep(&w->store, &err), 0);
	assert_int_equal(file_inspect(old, &facts, &err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	assert_int_equal(store_list(&w->store, &have, &err), 0);
	assert_int_equal(have.n, 1);
	strlist_clear(&have);
	free(key);
	free(old);
}

/* ---- pointing ------------------------------------------------------------ */

static void the_link_is_relative_and_switches_between_versions(void **state)
{
	struct world *w = *state;
	char *target = NULL, *expected, *current = NULL;
	struct err err;

	must_import(w, &w->a);
	must_import(w, &w->b);
	assert_int_equal(store_current(&w->store, &current, &err), 0);
	assert_null(current);
	must_point(w, &w->a);
	assert_int_equal(store_current(&w->store, &current, &err), 0);
	assert_string_equal(current, cert_sha1(w->a.cert));
	free(current);
	must_point(w, &w->b);
	assert_int_equal(store_current(&w->store, &current, &err), 0);
	assert_string_equal(current, cert_sha1(w->b.cert));
	free(current);

	expected = str_printf("shop.versions/%s", cert_sha1(w->b.cert));
	assert_int_equal(link_read(w->path, &target, &err), 0);
	assert_string_equal(target, expected);
	free(target);
	free(expected);
}

static void assert_path_refused(struct world *w, const char *what)
{
	struct change_list list = { 0 };
	char *sentence = str_printf("'%s' is %s that certrenewd did not make: move it "
				    "away or choose another path",
				    w->path, what);
	char *current = NULL;
	struct err err;

	assert_fails(store_plan(&w->store, &w->a.material, &list, &err), &err, ERR_CONFIG,
		     sentence);
	assert_int_equal(list.n, 0);
	assert_fails(store_check(&w->store, &no_service, &err), &err, ERR_CONFIG,
		     sentence);
	assert_fails(store_current(&w->store, &current, &err), &err, ERR_CONFIG,
		     sentence);
	assert_null(current);
	free(sentence);
}

static void a_path_that_is_somebody_elses_is_refused_with_the_way_out(void **state)
{
	struct world *w = *state;

	assert_int_equal(mkdir(w->path, 0755), 0);
	assert_path_refused(w, "a folder");
	assert_int_equal(rmdir(w->path), 0);
	put(w->path, "x", 0644);
	assert_path_refused(w, "a file");
	assert_int_equal(unlink(w->path), 0);
	assert_int_equal(symlink("/etc", w->path), 0);
	assert_path_refused(w, "a link");
	assert_int_equal(unlink(w->path), 0);
	assert_int_equal(symlink("shop.versions/latest", w->path), 0);
	assert_path_refused(w, "a link");
}

static void a_link_to_a_version_that_cannot_be_read_is_an_error(void **state)
{
	struct world *w = *state;
	char *current = NULL;
	struct err err;

	assert_int_equal(symlink("shop.versions/0123456789ABCDEF0123456789ABCDEF01234567",
				 w->path),
			 0);
	assert_fails(store_current(&w->store, &current, &err), &err, ERR_NOT_FOUND,
		     "names a version that cannot be used");
	assert_null(current);
}

/* ---- listing and removing ------------------------------------------------ */

static void versions_are_listed_in_the_order_of_their_import(void **state)
{
	struct world *w = *state;
	struct sample more[4];
	struct strlist list = { 0 };
	struct err err;

	assert_int_equal(store_list(&w->store, &list, &err), 0);
	assert_int_equal(list.n, 0);
	for (size_t i = 0; i < 4; i++) {
		more[i] = sample_new("c.example", NULL);
		must_import(w, &more[i]);
	}
	must_import(w, &more[0]);
	assert_int_equal(store_list(&w->store, &list, &err), 0);
	assert_int_equal(list.n, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(list.items[i], cert_sha1(more[i].cert));
		sample_clear(&more[i]);
	}
	strlist_clear(&list);
}

static void a_removed_version_is_gone_with_its_key(void **state)
{
	struct world *w = *state;
	char lower[CERT_SHA1_HEX];
	struct strlist list = { 0 };
	bool foreign = true;
	struct err err;
	char *folder = inside(w, &w->a, "");
	struct file_facts facts;

	must_import(w, &w->a);
	must_import(w, &w->b);
	must_point(w, &w->b);
	for (size_t i = 0; i < sizeof(lower); i++) {
		char c = cert_sha1(w->a.cert)[i];

		lower[i] = (char)(c >= 'A' && c <= 'F' ? c + 32 : c);
	}
	assert_int_equal(store_remove(&w->store, lower, &foreign, &err), 0);
	assert_false(foreign);
	assert_int_equal(file_inspect(folder, &facts, &err), 0);
	assert_int_equal(facts.type, FILE_ABSENT);
	assert_int_equal(store_remove(&w->store, lower, NULL, &err), 0);
	assert_int_equal(store_list(&w->store, &list, &err), 0);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0], cert_sha1(w->b.cert));
	strlist_clear(&list);
	free(folder);
}

static void the_current_version_is_never_removed(void **state)
{
	struct world *w = *state;
	struct err err;

	must_import(w, &w->a);
	must_point(w, &w->a);
	assert_fails(store_remove(&w->store, cert_sha1(w->a.cert), NULL, &err), &err,
		     ERR_REFUSED, "deploy another version first");
	assert_int_equal(store_prove(&w->store, &w->a.material, &err), 0);
	assert_fails(store_remove(&w->store, "../../etc", NULL, &err), &err, ERR_BUG,
		     "is no thumbprint");
}

static void a_damaged_marker_is_still_ours(void **state)
{
	struct world *w = *state;
	char *marker = inside(w, &w->b, ".certrenewd");
	struct strlist list = { 0 };
	struct err err;

	must_import(w, &w->a);
	must_import(w, &w->b);
	put(marker, "{", 0600);
	assert_int_equal(store_list(&w->store, &list, &err), 0);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.items[0], cert_sha1(w->b.cert));
	strlist_clear(&list);
	free(marker);
}

/* ---- looking before leaping ---------------------------------------------- */

static const char *cannot_write(const char *dir)
{
	char *path = path_join(dir, "shop");
	struct store store = { .type = STORE_DIRECTORY, .path = path };
	struct sample sample = sample_new("a.example", NULL);
	struct err err = { 0 };

	if (!store_check(&store, &no_service, &err) || err.kind != ERR_DENIED ||
	    !strstr(err.text, dir))
		return "the check does not see it";
	if (!store_import(&store, &sample.material, &err) || err.kind != ERR_DENIED ||
	    !strstr(err.text, "import into"))
		return "the import does not say it";
	sample_clear(&sample);
	free(path);
	return NULL;
}

static void an_unwritable_store_is_seen_before_anything_is_done(void **state)
{
	struct world *w = *state;
	struct err err;

	assert_int_equal(store_check(&w->store, &no_service, &err), 0);
	if (!is_root())
		skip();
	as_nobody(cannot_write, w->dir, w->dir);
}

static void without_a_store_there_is_nothing_to_do(void **state)
{
	struct world *w = *state;
	struct store none = { .type = STORE_NONE };
	struct change_list list = { 0 };
	struct strlist versions = { 0 };
	bool foreign = true;
	char *current;
	struct err err;

	assert_int_equal(store_import(&none, &w->a.material, &err), 0);
	assert_int_equal(store_prove(&none, &w->a.material, &err), 0);
	assert_int_equal(store_plan(&none, &w->a.material, &list, &err), 0);
	assert_int_equal(store_list(&none, &versions, &err), 0);
	assert_int_equal(store_current(&none, &current, &err), 0);
	assert_int_equal(store_remove(&none, "x", &foreign, &err), 0);
	assert_int_equal(store_check(&none, &no_service, &err), 0);
	assert_int_equal(list.n + versions.n, 0);
	assert_null(current);
	assert_false(foreign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_version_is_imported_whole_with_private_modes),
		TEST(owner_group_and_mode_are_as_configured),
		TEST(a_version_that_is_right_is_kept_as_it_is),
		TEST(a_damaged_version_keeps_what_is_right_in_it_all_the_while),
		TEST(a_damaged_version_of_ours_is_replaced),
		TEST(the_key_of_another_certificate_is_not_proven),
		TEST(a_key_with_a_password_is_not_asked_for_one),
		TEST(somebody_elses_folder_of_that_name_is_left_alone),
		TEST(what_a_dead_run_left_is_swept_away),
		TEST(sweeping_takes_keys_away_and_leaves_the_versions),
		TEST(the_link_is_relative_and_switches_between_versions),
		TEST(a_path_that_is_somebody_elses_is_refused_with_the_way_out),
		TEST(a_link_to_a_version_that_cannot_be_read_is_an_error),
		TEST(versions_are_listed_in_the_order_of_their_import),
		TEST(a_removed_version_is_gone_with_its_key),
		TEST(the_current_version_is_never_removed),
		TEST(a_damaged_marker_is_still_ours),
		TEST(an_unwritable_store_is_seen_before_anything_is_done),
		TEST(without_a_store_there_is_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

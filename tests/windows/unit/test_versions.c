/* test_versions.c - a leaf key at rest on Windows: sealed, then in the store only. What
 * holds on every system stands in tests/unit/daemon/test_versions.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/kept_key.h"
#include "daemon/versions.h"
#include "tests/support/testcert.h"
#include "tests/windows/unit/tempdir.h"

static struct fixture {
	struct testcert *ca, *leaf;
	char *dir, *folder; /* of the names, of version 1 */
} f;

static int set_up(void **state)
{
	char *pem;
	struct err err;

	(void)state;
	f.ca = testcert_ca("Test CA");
	f.leaf = testcert_leaf(f.ca, "a.example", 0, 0);
	f.dir = tempdir_new();
	f.folder = path_join(f.dir, "versions/1");
	pem = testcert_fullchain_pem(f.leaf);
	must(version_create(f.dir, 1, f.leaf->key, &err), &err);
	must(version_complete(f.dir, 1, pem, &err), &err);
	free(pem);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(f.folder);
	tempdir_free(f.dir);
	testcert_free(f.leaf);
	testcert_free(f.ca);
	return 0;
}

/* Loads version 1; the caller clears it. */
static struct version loaded(void)
{
	struct version version;
	struct err err;

	must(version_load(f.dir, 1, &version, &err), &err);
	assert_non_null(version.cert);
	return version;
}

static void a_key_on_disk_is_sealed_and_opens_again(void **state)
{
	char *path = path_join(f.folder, "key.sealed");
	struct version version;
	struct buf bytes;
	struct err err;

	(void)state;
	folder_holds(f.folder, "fullchain.pem key.sealed");
	buf_init(&bytes, 1 << 16);
	must(file_read(path, &bytes, &err), &err);
	assert_true(bytes.len > 0);
	for (size_t i = 0; i + 7 <= bytes.len; i++)
		assert_memory_not_equal(bytes.data + i, "PRIVATE", 7);
	version = loaded();
	assert_int_equal(EVP_PKEY_eq(version.key, f.leaf->key), 1);
	assert_non_null(strstr(buf_str(&version.key_pem), "PRIVATE KEY"));
	version_clear(&version);
	buf_release(&bytes);
	free(path);
}

static void a_sealed_key_that_was_damaged_is_named(void **state)
{
	char *path = path_join(f.folder, "key.sealed");
	struct version version;
	struct err err;

	(void)state;
	put(path, "what somebody wrote over it");
	assert_int_equal(version_load(f.dir, 1, &version, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "damaged: ");
	assert_says(&err, "key.sealed");
	free(path);
}

static void a_key_in_the_clear_is_not_taken_for_a_sealed_one(void **state)
{
	char *sealed = path_join(f.folder, "key.sealed");
	char *plain = path_join(f.folder, "key.pem");
	struct version version;
	struct err err;

	(void)state;
	version = loaded();
	put(plain, buf_str(&version.key_pem));
	version_clear(&version);
	must(file_remove(sealed, &err), &err);
	assert_int_equal(version_load(f.dir, 1, &version, &err), -1);
	assert_says(&err, "key.sealed' is missing");
	free(plain);
	free(sealed);
}

static void a_key_that_is_forgotten_leaves_its_mark_only(void **state)
{
	struct version version;
	struct err err;

	(void)state;
	must(version_forget_key(f.dir, 1, &err), &err);
	folder_holds(f.folder, "fullchain.pem key.store");
	version = loaded();
	assert_null(version.key);
	assert_int_equal(version.key_pem.len, 0);
	version_clear(&version);
	must(version_forget_key(f.dir, 1, &err), &err);
	folder_holds(f.folder, "fullchain.pem key.store");
}

/* Died between the mark and the removal: the next pass forgets again. */
static void a_death_while_forgetting_leaves_a_key_that_is_used(void **state)
{
	char *mark = path_join(f.folder, "key.store");
	struct version version;
	struct err err;

	(void)state;
	put(mark, "");
	version = loaded();
	assert_non_null(version.key);
	version_clear(&version);
	must(version_forget_key(f.dir, 1, &err), &err);
	folder_holds(f.folder, "fullchain.pem key.store");
	free(mark);
}

/* The order in which it is done: while the key cannot go, the mark is there already. */
static void the_mark_comes_before_the_key_goes(void **state)
{
	char *path = path_join(f.folder, "key.sealed");
	wchar_t *wide = wide_from_utf8(path);
	struct version version;
	struct err err;
	HANDLE held = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL,
				  OPEN_EXISTING, 0, NULL);

	(void)state;
	assert_true(held != INVALID_HANDLE_VALUE);
	assert_int_equal(version_forget_key(f.dir, 1, &err), -1);
	folder_holds(f.folder, "fullchain.pem key.sealed key.store");
	version = loaded();
	assert_non_null(version.key);
	version_clear(&version);
	CloseHandle(held);
	free(wide);
	free(path);
}

static void a_key_is_lost_when_neither_disk_nor_store_has_it(void **state)
{
	static const char *const none[] = { NULL };
	static char location[] = "LocalMachine", name[] = "My";
	const struct target target = { .store = { .type = STORE_WINDOWS,
						  .location = location,
						  .name = name,
						  .records = f.dir } };
	const struct certificate_config certificate = { .targets = &target,
							.n_targets = 1,
							.issuers = none };
	const struct config config = { 0 };
	const struct job job = { 0 };
	struct version version = loaded();
	struct err err;

	(void)state;
	assert_false(kept_key_is_lost(&config, &certificate, &job, &version));
	version_clear(&version);
	must(version_forget_key(f.dir, 1, &err), &err);
	version = loaded();
	assert_true(kept_key_is_lost(&config, &certificate, &job, &version));
	version_clear(&version);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		EACH(a_key_on_disk_is_sealed_and_opens_again),
		EACH(a_sealed_key_that_was_damaged_is_named),
		EACH(a_key_in_the_clear_is_not_taken_for_a_sealed_one),
		EACH(a_key_that_is_forgotten_leaves_its_mark_only),
		EACH(a_death_while_forgetting_leaves_a_key_that_is_used),
		EACH(the_mark_comes_before_the_key_goes),
		EACH(a_key_is_lost_when_neither_disk_nor_store_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

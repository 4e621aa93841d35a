#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/files.h"
#include "daemon/versions.h"
#include "tests/support/testcert.h"
#include "tests/unit/base/tempdir.h"

static struct fixture {
	struct testcert *ca, *leaf, *other;
} f;

static int set_up(void **state)
{
	(void)state;
	f.ca = testcert_ca("Test CA");
	f.leaf = testcert_leaf(f.ca, "a.example", 0, 0);
	f.other = testcert_leaf(f.ca, "a.example", 0, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	testcert_free(f.ca);
	testcert_free(f.leaf);
	testcert_free(f.other);
	return 0;
}

static void create(const char *dir, int64_t n)
{
	struct err err;

	if (version_create(dir, n, f.leaf->key, &err))
		fail_msg("%s", err.text);
}

static void complete(const char *dir, int64_t n)
{
	char *pem = testcert_fullchain_pem(f.leaf);
	struct err err;

	create(dir, n);
	if (version_complete(dir, n, pem, &err))
		fail_msg("%s", err.text);
	free(pem);
}

/* Replaces a file of version `n`. */
static void damage(const char *dir, int n, const char *file, const char *text)
{
	char *path = str_printf("%s/versions/%d/%s", dir, n, file);

	put(path, text, 0600);
	free(path);
}

static void assert_newest(const char *dir, int64_t n)
{
	struct version version;
	struct err err = { 0 };

	if (version_load_newest(dir, &version, &err))
		fail_msg("%s", err.text);
	assert_int_equal(version.n, n);
	assert_non_null(version.cert);
	version_clear(&version);
}

static void a_key_is_kept_before_its_certificate_is_there(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "versions/1/key.pem");
	struct version version;
	struct file_facts facts;
	struct err err = { 0 };

	(void)state;
	create(dir, 1);
	assert_int_equal(version_load(dir, 1, &version, &err), 0);
	assert_int_equal(version.n, 1);
	assert_null(version.cert);
	assert_int_equal(EVP_PKEY_eq(version.key, f.leaf->key), 1);
	assert_true(version.key_pem.secret);
	assert_int_equal(file_inspect(path, &facts, &err), 0);
	assert_int_equal(facts.mode, 0600);
	version_clear(&version);
	free(path);
	tempdir_free(dir);
}

static void a_complete_version_has_chain_and_key(void **state)
{
	char *dir = tempdir_new(), *sha1 = testcert_thumbprint(f.leaf);
	struct version version;
	struct err err = { 0 };

	(void)state;
	complete(dir, 1);
	assert_int_equal(version_load(dir, 1, &version, &err), 0);
	assert_string_equal(cert_sha1(version.cert), sha1);
	assert_true(cert_matches_key(version.cert, version.key));
	version_clear(&version);
	version_clear(&version);
	version_clear(NULL);
	free(sha1);
	tempdir_free(dir);
}

static void a_key_is_never_overwritten(void **state)
{
	char *dir = tempdir_new();
	struct err err = { 0 };

	(void)state;
	create(dir, 1);
	assert_int_equal(version_create(dir, 1, f.other->key, &err), -1);
	assert_says(&err, "key.pem' exists: a key is never overwritten");
	tempdir_free(dir);
}

static void numbers_are_listed_as_numbers_and_other_names_are_left_alone(void **state)
{
	static const char *const strangers[] = {
		"0", "-1", "007", "3x", "damaged", "+5"
	};
	char *dir = tempdir_new(), *path;
	int64_t *numbers = NULL;
	struct err err = { 0 };
	size_t n = 9;

	(void)state;
	assert_int_equal(versions_list(dir, &numbers, &n, &err), 0);
	assert_int_equal(n, 0);
	free(numbers);
	create(dir, 10);
	create(dir, 9);
	create(dir, 100);
	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
		path = str_printf("%s/versions/%s", dir, strangers[i]);
		assert_int_equal(dir_make(path, FILE_SECRET, &err), 0);
		free(path);
	}
	assert_int_equal(versions_list(dir, &numbers, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(numbers[0], 9);
	assert_int_equal(numbers[1], 10);
	assert_int_equal(numbers[2], 100);
	free(numbers);
	tempdir_free(dir);
}

static void the_newest_complete_version_is_found_behind_one_without_a_chain(void **state)
{
	char *dir = tempdir_new();

	(void)state;
	complete(dir, 1);
	complete(dir, 2);
	create(dir, 3);
	assert_newest(dir, 2);
	tempdir_free(dir);
}

static void nothing_complete_is_not_found(void **state)
{
	char *dir = tempdir_new();
	struct version version;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(version_load_newest(dir, &version, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	create(dir, 1);
	assert_int_equal(version_load_newest(dir, &version, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_int_equal(version_load(dir, 5, &version, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_says(&err, "no version 5");
	tempdir_free(dir);
}

static void a_damaged_version_is_named_and_passed_over(void **state)
{
	static const struct {
		const char *file, *text;
	} rows[] = {
		{ "key.pem", "" },
		{ "key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n" },
		{ "fullchain.pem", "" },
		{ "fullchain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *dir = tempdir_new();
		struct version version;
		struct err err = { 0 };

		complete(dir, 1);
		complete(dir, 2);
		damage(dir, 2, rows[i].file, rows[i].text);
		assert_int_equal(version_load(dir, 2, &version, &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_says(&err, "damaged: '");
		assert_says(&err, rows[i].file);
		assert_newest(dir, 1);
		tempdir_free(dir);
	}
}

static void a_missing_key_is_damage(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "versions/2/key.pem");
	struct version version;
	struct err err = { 0 };

	(void)state;
	complete(dir, 1);
	complete(dir, 2);
	assert_int_equal(file_remove(path, &err), 0);
	assert_int_equal(version_load(dir, 2, &version, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "versions/2/key.pem' is missing");
	assert_newest(dir, 1);
	free(path);
	tempdir_free(dir);
}

/* A run that died between making the folder and keeping its key. */
static void a_folder_without_key_and_chain_is_no_version(void **state)
{
	char *dir = tempdir_new(), *path = path_join(dir, "versions/2");
	struct version version;
	struct err err = { 0 };

	(void)state;
	complete(dir, 1);
	assert_int_equal(dir_make(path, FILE_SECRET, &err), 0);
	assert_int_equal(version_load(dir, 2, &version, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_newest(dir, 1);
	free(path);
	tempdir_free(dir);
}

static void a_chain_for_another_key_is_damage(void **state)
{
	char *dir = tempdir_new(), *pem = testcert_fullchain_pem(f.other);
	struct version version;
	struct err err = { 0 };

	(void)state;
	complete(dir, 1);
	create(dir, 2);
	assert_int_equal(version_complete(dir, 2, pem, &err), 0);
	assert_int_equal(version_load(dir, 2, &version, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_says(&err, "fullchain.pem' is not for the key in 'key.pem' beside it");
	assert_newest(dir, 1);
	free(pem);
	tempdir_free(dir);
}

static void pruning_keeps_from_a_number_on(void **state)
{
	char *dir = tempdir_new();
	int64_t *numbers = NULL;
	struct err err = { 0 };
	size_t n = 0;

	(void)state;
	for (int64_t i = 1; i <= 11; i++)
		create(dir, i);
	assert_int_equal(versions_prune(dir, 10, &err), 0);
	assert_int_equal(versions_list(dir, &numbers, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(numbers[0], 10);
	assert_int_equal(numbers[1], 11);
	free(numbers);
	tempdir_free(dir);
}

static void keys_of_orders_that_came_to_nothing_are_swept(void **state)
{
	char *dir = tempdir_new();
	int64_t *numbers = NULL;
	struct err err = { 0 };
	size_t n = 0;

	(void)state;
	create(dir, 1); /* older than what is in use: not looked at */
	complete(dir, 2);
	create(dir, 3);
	create(dir, 4); /* its order is under way */
	create(dir, 5);
	complete(dir, 6); /* came, and was not noted yet */
	assert_int_equal(versions_sweep(dir, 2, 4, &err), 0);
	assert_int_equal(versions_list(dir, &numbers, &n, &err), 0);
	assert_int_equal(n, 4);
	assert_int_equal(numbers[0], 1);
	assert_int_equal(numbers[1], 2);
	assert_int_equal(numbers[2], 4);
	assert_int_equal(numbers[3], 6);
	free(numbers);
	tempdir_free(dir);
}

static void no_sentence_holds_key_material(void **state)
{
	char *dir = tempdir_new(), *pem = testcert_key_pem(f.leaf);
	struct version version;
	struct err err = { 0 };

	(void)state;
	create(dir, 1);
	pem[strlen(pem) / 2] = '!';
	damage(dir, 1, "key.pem", pem);
	assert_int_equal(version_load(dir, 1, &version, &err), -1);
	pem[strlen("-----BEGIN PRIVATE KEY-----\n") + 20] = '\0';
	assert_null(strstr(err.text, pem + strlen("-----BEGIN PRIVATE KEY-----\n")));
	free(pem);
	tempdir_free(dir);
}

static void a_key_that_is_in_the_store_only_is_not_missing(void **state)
{
	char *dir = tempdir_new(), *pem = testcert_fullchain_pem(f.leaf);
	struct version version;
	struct err err;

	(void)state;
	assert_int_equal(version_create(dir, 1, NULL, &err), 0);
	assert_int_equal(version_complete(dir, 1, pem, &err), 0);
	assert_int_equal(version_load_newest(dir, &version, &err), 0);
	assert_int_equal(version.n, 1);
	assert_null(version.key);
	assert_int_equal(version.key_pem.len, 0);
	assert_non_null(version.cert);
	version_clear(&version);
	free(pem);
	tempdir_free(dir);
}

static void a_key_that_is_forgotten_is_in_the_store_only(void **state)
{
	char *dir = tempdir_new(), *key = str_printf("%s/versions/1/key.pem", dir);
	struct file_facts facts;
	struct version version;
	struct err err;

	(void)state;
	complete(dir, 1);
	assert_int_equal(version_forget_key(dir, 1, &err), 0);
	assert_int_equal(version_forget_key(dir, 1, &err), 0); /* died before it told */
	assert_true(file_inspect(key, &facts, &err) == 0 && facts.type == FILE_ABSENT);
	assert_int_equal(version_load(dir, 1, &version, &err), 0);
	assert_null(version.key);
	assert_non_null(version.cert);
	version_clear(&version);
	free(key);
	tempdir_free(dir);
}

/* Died between the mark and the removal. */
static void a_key_beside_its_mark_is_still_used(void **state)
{
	char *dir = tempdir_new();
	struct version version;
	struct err err;

	(void)state;
	complete(dir, 1);
	damage(dir, 1, "key.store", "");
	assert_int_equal(version_load(dir, 1, &version, &err), 0);
	assert_non_null(version.key);
	version_clear(&version);
	tempdir_free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_kept_before_its_certificate_is_there),
		cmocka_unit_test(a_complete_version_has_chain_and_key),
		cmocka_unit_test(a_key_is_never_overwritten),
		cmocka_unit_test(
			numbers_are_listed_as_numbers_and_other_names_are_left_alone),
		cmocka_unit_test(
			the_newest_complete_version_is_found_behind_one_without_a_chain),
		cmocka_unit_test(nothing_complete_is_not_found),
		cmocka_unit_test(a_damaged_version_is_named_and_passed_over),
		cmocka_unit_test(a_missing_key_is_damage),
		cmocka_unit_test(a_key_that_is_in_the_store_only_is_not_missing),
		cmocka_unit_test(a_key_that_is_forgotten_is_in_the_store_only),
		cmocka_unit_test(a_key_beside_its_mark_is_still_used),
		cmocka_unit_test(a_folder_without_key_and_chain_is_no_version),
		cmocka_unit_test(a_chain_for_another_key_is_damage),
		cmocka_unit_test(pruning_keeps_from_a_number_on),
		cmocka_unit_test(keys_of_orders_that_came_to_nothing_are_swept),
		cmocka_unit_test(no_sentence_holds_key_material),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "base/ca_store.h"
#include "base/str.h"
#include "tempdir.h"
#include "tests/support/testcert.h"

#define DAY_S INT64_C(86400)

/* A system of our own: a folder, a file, and a chain. */
static struct fixture {
	char *dir, *file;
	struct testcert *root, *sub, *leaf;
} f;

static int set_up(void **state)
{
	(void)state;
	f.dir = tempdir_new();
	f.file = str_printf("%s/bundle.crt", f.dir);
	f.root = testcert_ca("Test Root");
	f.sub = testcert_new(&(struct testcert_spec){
		.issuer = f.root, .ca = true, .common_name = "Test Sub" });
	f.leaf = testcert_leaf(f.sub, "xu.example", 0, 0);
	assert_int_equal(setenv("SSL_CERT_DIR", f.dir, 1), 0);
	assert_int_equal(setenv("SSL_CERT_FILE", f.file, 1), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unsetenv("SSL_CERT_DIR");
	unsetenv("SSL_CERT_FILE");
	testcert_free(f.leaf);
	testcert_free(f.sub);
	testcert_free(f.root);
	free(f.file);
	tempdir_free(f.dir);
	return 0;
}

/* As openssl-rehash(1) would name it. */
static void put_in_folder(const struct testcert *ca)
{
	char *path = str_printf("%s/%08lx.0", f.dir, X509_subject_name_hash(ca->x509));
	char *pem = testcert_pem(ca);

	testcert_write(path, pem);
	free(pem);
	free(path);
}

static void put_in_file(const struct testcert *ca)
{
	char *pem = testcert_pem(ca);

	testcert_write(f.file, pem);
	free(pem);
}

/* Sets *ret_loaded: how many certificates the store had to read. */
static int verify(const char *file, int *ret_loaded)
{
	X509_STORE *store = ca_store_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int trusted;

	assert_int_equal(X509_STORE_CTX_init(ctx, store, f.leaf->x509, f.leaf->above), 1);
	trusted = ca_store_verify(ctx, file);
	*ret_loaded = sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return trusted;
}

static void a_root_in_the_folder_is_enough_and_the_file_stays_unread(void **state)
{
	struct testcert *other = testcert_ca("Other Root");
	int loaded;

	(void)state;
	put_in_folder(f.root);
	put_in_file(other);
	assert_int_equal(verify(NULL, &loaded), 1);
	assert_int_equal(loaded, 1);
	testcert_free(other);
}

static void a_root_that_only_the_file_has_is_found(void **state)
{
	int loaded;

	(void)state;
	put_in_file(f.root);
	assert_int_equal(verify(NULL, &loaded), 1);
}

static void a_root_in_a_file_of_our_own_is_found(void **state)
{
	char *path = str_printf("%s/mine.pem", f.dir), *pem = testcert_pem(f.root);
	int loaded;

	(void)state;
	testcert_write(path, pem);
	assert_int_equal(verify(path, &loaded), 1);
	free(pem);
	free(path);
}

static void an_expired_root_in_the_folder_does_not_hide_its_successor(void **state)
{
	struct testcert *expired = testcert_new(
		&(struct testcert_spec){ .ca = true,
					 .common_name = "Test Root",
					 .key = f.root->key,
					 .not_before_at = 1 * DAY_S,
					 .not_after_at = 1000 * DAY_S });
	int loaded;

	(void)state;
	put_in_folder(expired);
	put_in_file(f.root);
	assert_int_equal(verify(NULL, &loaded), 1);
	testcert_free(expired);
}

static void a_root_that_is_in_neither_is_not_trusted(void **state)
{
	struct testcert *other = testcert_ca("Other Root");
	int loaded;

	(void)state;
	put_in_folder(other);
	assert_int_equal(verify(NULL, &loaded), 0); /* and there is no file */
	put_in_file(other);
	assert_int_equal(verify(NULL, &loaded), 0);
	testcert_free(other);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_root_in_the_folder_is_enough_and_the_file_stays_unread),
		CASE(a_root_that_only_the_file_has_is_found),
		CASE(a_root_in_a_file_of_our_own_is_found),
		CASE(an_expired_root_in_the_folder_does_not_hide_its_successor),
		CASE(a_root_that_is_in_neither_is_not_trusted),
	};

	return cmocka_run_group_tests_name("ca_store", tests, NULL, NULL);
}

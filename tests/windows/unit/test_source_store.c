/* test_source_store.c - the Windows store as a place where certificates appear. The test
 * has a store of its own: whatever lies in My does not matter. Archived entries are not
 * shown here: Wine cannot archive one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <windows.h>
#include <wincrypt.h>

#include <openssl/x509.h>

#include "base/clock.h"
#include "base/str.h"
#include "hooks/source.h"
#include "tests/support/testcert.h"

#define STORE_NAME "certrenewd-test-source"
#define DAY INT64_C(86400)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct fixture {
	HCERTSTORE store;
	struct testcert *ca;
	int64_t now;
} f;

static int set_up(void **state)
{
	(void)state;
	f.store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
				CERT_SYSTEM_STORE_LOCAL_MACHINE, L"" STORE_NAME);
	f.ca = testcert_ca("Store CA");
	f.now = clock_wall();
	return f.store ? 0 : -1;
}

/* Wine keeps a change only when it is told to. */
static void commit(void)
{
	(void)CertControlStore(f.store, CERT_STORE_CTRL_COMMIT_FORCE_FLAG,
			       CERT_STORE_CTRL_COMMIT, NULL);
}

static int tear_down(void **state)
{
	PCCERT_CONTEXT entry;

	(void)state;
	while ((entry = CertEnumCertificatesInStore(f.store, NULL)) != NULL)
		(void)CertDeleteCertificateFromStore(entry);
	commit();
	(void)CertCloseStore(f.store, 0);
	testcert_free(f.ca);
	return 0;
}

static struct testcert *issued(const char *const *names, int from, int to)
{
	return testcert_new(&(struct testcert_spec){ .issuer = f.ca,
						     .names = names,
						     .not_before_at = f.now + from * DAY,
						     .not_after_at = f.now + to * DAY });
}

/* Adds an entry; `with_key`: one that says where its key would be. */
static void put(const struct testcert *cert, bool with_key)
{
	static wchar_t container[] = L"certrenewd-test-container";
	static wchar_t provider[] = L"Microsoft Enhanced RSA and AES Cryptographic "
				    L"Provider";
	CRYPT_KEY_PROV_INFO info = { .pwszContainerName = container,
				     .pwszProvName = provider,
				     .dwProvType = PROV_RSA_AES,
				     .dwFlags = CRYPT_MACHINE_KEYSET,
				     .dwKeySpec = AT_KEYEXCHANGE };
	PCCERT_CONTEXT entry = NULL;
	unsigned char *der = NULL;
	int len = i2d_X509(cert->x509, &der);

	assert_true(len > 0);
	assert_true(CertAddEncodedCertificateToStore(
		f.store, X509_ASN_ENCODING, der, (DWORD)len,
		CERT_STORE_ADD_REPLACE_EXISTING, &entry));
	if (with_key)
		assert_true(CertSetCertificateContextProperty(
			entry, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));
	CertFreeCertificateContext(entry);
	OPENSSL_free(der);
	commit();
}

static int find(struct source_query query, struct source_found *found, struct err *err)
{
	query.now = f.now;
	*found = (struct source_found){ 0 };
	return source_find_in_store("LocalMachine", STORE_NAME, &query, found, err);
}

static void expect_found(struct source_query query, const struct testcert *expected)
{
	char *sha1 = testcert_thumbprint(expected);
	struct source_found found;
	struct err err;

	if (find(query, &found, &err))
		fail_msg("not found: %s", err.text);
	assert_string_equal(cert_sha1(found.cert), sha1);
	assert_null(found.key);
	assert_string_equal(found.where, "the store 'LocalMachine\\" STORE_NAME "'");
	source_found_clear(&found);
	free(sha1);
}

static void expect_none(struct source_query query, const char *sentence)
{
	struct source_found found;
	struct err err;

	assert_int_equal(find(query, &found, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	if (!strstr(err.text, sentence))
		fail_msg("'%s' does not say '%s'", err.text, sentence);
}

static const struct source_query ours = { .names = NAMES("xu.example") };

static void the_newest_entry_of_our_names_with_a_key_is_found(void **state)
{
	struct testcert *old = issued(NAMES("xu.example"), -30, 60);
	struct testcert *newer = issued(NAMES("*.example", "more.test"), -1, 89);
	struct testcert *other = issued(NAMES("shop.test"), 0, 90);

	(void)state;
	put(newer, true);
	put(old, true);
	put(other, true);
	expect_found(ours, newer);
	testcert_free(old);
	testcert_free(newer);
	testcert_free(other);
}

static void without_a_key_it_does_not_do_but_is_seen_when_watched(void **state)
{
	struct testcert *cert = issued(NAMES("xu.example"), -1, 89);
	struct source_query query = ours;
	char *sha1 = testcert_thumbprint(cert);

	(void)state;
	put(cert, false);
	expect_none(ours, "the store knows no private key for it");
	query.look_only = true;
	expect_found(query, cert);
	query.sha1 = sha1;
	query.names = NAMES("nobody.test");
	expect_found(query, cert);
	free(sha1);
	testcert_free(cert);
}

static void expired_entries_are_told(void **state)
{
	struct testcert *past = issued(NAMES("xu.example"), -90, -1);

	(void)state;
	put(past, true);
	expect_none(ours, "it has expired on ");
	testcert_free(past);
}

static void a_store_that_is_not_there_is_named(void **state)
{
	struct source_found found = { 0 };
	struct source_query query = ours;
	struct err err;

	(void)state;
	assert_int_equal(source_find_in_store("Elsewhere", "My", &query, &found, &err),
			 -1);
	assert_non_null(strstr(err.text, "'Elsewhere' is no store location"));
	assert_int_equal(source_find_in_store("LocalMachine", "certrenewd-no-such-store",
					      &query, &found, &err),
			 -1);
	assert_non_null(strstr(err.text, "certrenewd-no-such-store"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_newest_entry_of_our_names_with_a_key_is_found),
		TEST(without_a_key_it_does_not_do_but_is_seen_when_watched),
		TEST(expired_entries_are_told),
		TEST(a_store_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

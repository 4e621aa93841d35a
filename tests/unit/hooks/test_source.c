#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/str.h"
#include "hooks/source.h"
#include "tests/support/testcert.h"

#define DAY INT64_C(86400)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct fixture {
	struct testcert *root, *ca;
	char *folder;
	int64_t now;
} f;

static int set_up(void **state)
{
	char template[] = "/tmp/test_source.XXXXXX";

	(void)state;
	f.root = testcert_ca("Root");
	f.ca = testcert_new(&(struct testcert_spec){
		.issuer = f.root, .ca = true, .common_name = "CA" });
	f.folder = str_dup(mkdtemp(template));
	f.now = clock_wall();
	return 0;
}

static int tear_down(void **state)
{
	struct err err;

	(void)state;
	testcert_free(f.root);
	testcert_free(f.ca);
	assert_int_equal(tree_remove(f.folder, &err), 0);
	free(f.folder);
	return 0;
}

/* A certificate from `from` to `to` days from now. */
static struct testcert *issued(const char *const *names, int from, int to)
{
	return testcert_new(&(struct testcert_spec){ .issuer = f.ca,
						     .names = names,
						     .not_before_at = f.now + from * DAY,
						     .not_after_at = f.now + to * DAY });
}

static char *put(const char *name, const char *text)
{
	char *path = path_join(f.folder, name);

	testcert_write(path, text);
	return path;
}

/* Leaf and chain in NAME.crt, the key in NAME.key. */
static void put_pair(const char *name, const struct testcert *cert)
{
	char *chain = testcert_fullchain_pem(cert), *key = testcert_key_pem(cert);
	char *crt_name = str_printf("%s.crt", name),
	     *key_name = str_printf("%s.key", name);

	free(put(crt_name, chain));
	free(put(key_name, key));
	free(crt_name);
	free(key_name);
	free(chain);
	free(key);
}

static int find(struct source_query query, struct source_found *found, struct err *err)
{
	query.now = f.now;
	*found = (struct source_found){ 0 };
	return source_find_in_folder(f.folder, &query, found, err);
}

static void expect_found(struct source_query query, const struct testcert *expected,
			 const char *where)
{
	char *sha1 = testcert_thumbprint(expected);
	struct source_found found;
	struct err err;

	if (find(query, &found, &err))
		fail_msg("not found: %s", err.text);
	assert_string_equal(cert_sha1(found.cert), sha1);
	assert_true(cert_matches_key(found.cert, found.key));
	if (!str_ends(found.where, where))
		fail_msg("found in '%s', not in '%s'", found.where, where);
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

static void the_newest_of_our_names_is_found_with_key_and_chain(void **state)
{
	struct testcert *old = issued(NAMES("xu.example"), -30, 60);
	struct testcert *newer = issued(NAMES("xu.example"), -1, 89);
	struct testcert *other = issued(NAMES("shop.example"), 0, 90);
	struct source_found found;
	struct err err;

	(void)state;
	put_pair("old", old);
	put_pair("newer", newer);
	put_pair("other", other);
	expect_found(ours, newer, "newer.crt");
	assert_int_equal(find(ours, &found, &err), 0);
	assert_int_equal(sk_X509_num(cert_chain(found.cert)), 1);
	source_found_clear(&found);
	testcert_free(old);
	testcert_free(newer);
	testcert_free(other);
}

static void certificate_and_key_may_share_a_file(void **state)
{
	struct testcert *cert = issued(NAMES("xu.example"), -1, 89);
	char *key = testcert_key_pem(cert), *chain = testcert_fullchain_pem(cert);
	char *both = str_printf("%s%s", key, chain);

	(void)state;
	free(put("all.pem", both));
	expect_found(ours, cert, "all.pem");
	free(both);
	free(chain);
	free(key);
	testcert_free(cert);
}

static void the_file_with_the_chain_is_preferred(void **state)
{
	struct testcert *cert = issued(NAMES("xu.example"), -1, 89);
	char *leaf = testcert_pem(cert), *chain = testcert_fullchain_pem(cert);
	char *key = testcert_key_pem(cert);

	(void)state;
	free(put("cert.pem", leaf));
	free(put("fullchain.pem", chain));
	free(put("privkey.pem", key));
	expect_found(ours, cert, "fullchain.pem");
	free(leaf);
	free(chain);
	free(key);
	testcert_free(cert);
}

static void a_wildcard_and_more_names_than_ours_will_do(void **state)
{
	struct testcert *cert = issued(NAMES("*.corp.example", "corp.example"), -1, 89);

	(void)state;
	put_pair("wild", cert);
	expect_found((struct source_query){ .names = NAMES("a.corp.example",
							   "b.corp.example") },
		     cert, "wild.crt");
	expect_none((struct source_query){ .names = NAMES("a.b.corp.example") },
		    "holds no certificate with these names (1 of others)");
	expect_none(
		(struct source_query){ .names = NAMES("a.corp.example", "xu.example") },
		"holds no certificate with these names");
	testcert_free(cert);
}

static void what_is_not_valid_now_or_not_for_servers_is_told(void **state)
{
	struct testcert *past = issued(NAMES("past.example"), -90, -1);
	struct testcert *future = issued(NAMES("future.example"), 1, 90);
	struct testcert *client = testcert_new(&(struct testcert_spec){
		.issuer = f.ca, .names = NAMES("client.example"), .eku = "clientAuth" });

	(void)state;
	put_pair("past", past);
	put_pair("future", future);
	put_pair("client", client);
	expect_none((struct source_query){ .names = NAMES("past.example") },
		    "does not do: it has expired on ");
	expect_none((struct source_query){ .names = NAMES("future.example") },
		    "it is not valid before ");
	expect_none((struct source_query){ .names = NAMES("client.example") },
		    "it is not for servers");
	testcert_free(past);
	testcert_free(future);
	testcert_free(client);
}

static void without_its_key_it_does_not_do(void **state)
{
	struct testcert *cert = issued(NAMES("xu.example"), -1, 89);
	struct testcert *other = issued(NAMES("other.example"), -1, 89);
	char *chain = testcert_fullchain_pem(cert), *key = testcert_key_pem(other);

	(void)state;
	free(put("xu.crt", chain));
	free(put("xu.key", key));
	expect_none(ours, "no unencrypted private key in '");
	free(chain);
	free(key);
	testcert_free(cert);
	testcert_free(other);
}

static void only_what_ends_later_than_the_one_in_hand_is_news(void **state)
{
	struct testcert *in_hand = issued(NAMES("xu.example"), -10, 80);
	struct testcert *shorter = issued(NAMES("xu.example"), -1, 20);
	struct testcert *newer = issued(NAMES("xu.example"), 0, 90);
	struct cert *than = cert_from_x509(in_hand->x509, NULL);
	struct source_query query = ours;

	(void)state;
	query.than = than;
	put_pair("in_hand", in_hand);
	expect_none(query, "it is the one in hand");
	put_pair("shorter", shorter);
	expect_none(query, "not later than the one in hand");
	put_pair("newer", newer);
	expect_found(query, newer, "newer.crt");
	cert_free(than);
	testcert_free(in_hand);
	testcert_free(shorter);
	testcert_free(newer);
}

static void a_file_that_anybody_could_have_planted_does_not_count(void **state)
{
	struct testcert *cert = issued(NAMES("xu.example"), -1, 89);
	char *path = path_join(f.folder, "xu.crt");

	(void)state;
	put_pair("xu", cert);
	assert_int_equal(chmod(path, 0666), 0);
	expect_none(ours, "xu.crt");
	assert_int_equal(chmod(path, 0644), 0);
	expect_found(ours, cert, "xu.crt");
	free(path);
	testcert_free(cert);
}

static void to_be_watched_an_expired_one_without_key_counts(void **state)
{
	struct testcert *past = issued(NAMES("xu.example"), -90, -1);
	char *chain = testcert_fullchain_pem(past);
	struct source_query query = ours;
	struct source_found found;
	struct err err;

	(void)state;
	query.look_only = true;
	free(put("xu.pem", chain));
	assert_int_equal(find(query, &found, &err), 0);
	assert_null(found.key);
	assert_int_equal(cert_not_after(found.cert), f.now - DAY);
	source_found_clear(&found);
	free(chain);
	testcert_free(past);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct source_found found = { 0 };
	struct source_query query = ours;
	struct err err;

	(void)state;
	assert_int_equal(
		source_find_in_folder("/nonexistent/certs", &query, &found, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent/certs"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_newest_of_our_names_is_found_with_key_and_chain),
		TEST(certificate_and_key_may_share_a_file),
		TEST(the_file_with_the_chain_is_preferred),
		TEST(a_wildcard_and_more_names_than_ours_will_do),
		TEST(what_is_not_valid_now_or_not_for_servers_is_told),
		TEST(without_its_key_it_does_not_do),
		TEST(only_what_ends_later_than_the_one_in_hand_is_news),
		TEST(a_file_that_anybody_could_have_planted_does_not_count),
		TEST(to_be_watched_an_expired_one_without_key_counts),
		TEST(a_folder_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

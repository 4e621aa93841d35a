#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/cert.h"
#include "base/str.h"
#include "tests/support/testcert.h"

#define NOW INT64_C(1795231888) /* 2026-11-21T03:31:28Z */
#define DAY_S INT64_C(86400)

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct testcert *ca; /* made once: keys cost time */

static int make_ca(void **state)
{
	(void)state;
	ca = testcert_ca("Test CA");
	return 0;
}

static int free_ca(void **state)
{
	(void)state;
	testcert_free(ca);
	return 0;
}

static struct cert *parse(const char *pem)
{
	struct err err = { 0 };
	struct cert *cert = NULL;

	if (cert_parse(pem, strlen(pem), &cert, &err))
		fail_msg("%s", err.text);
	return cert;
}

static struct cert *make(const struct testcert_spec *spec)
{
	struct testcert *made = testcert_new(spec);
	char *pem = testcert_fullchain_pem(made);
	struct cert *cert = parse(pem);

	free(pem);
	testcert_free(made);
	return cert;
}

static void refuses(const char *pem, size_t len, const char *in_sentence)
{
	struct err err = { 0 };
	struct cert *cert = NULL;

	assert_int_equal(cert_parse(pem, len, &cert, &err), -1);
	assert_null(cert);
	assert_int_equal(err.kind, ERR_CONFIG);
	if (!strstr(err.text, in_sentence))
		fail_msg("'%s' does not say '%s'", err.text, in_sentence);
}

static void it_says_what_it_is(void **state)
{
	struct testcert *made = testcert_new(&(struct testcert_spec){
		.issuer = ca,
		.names = NAMES("XU.Example", "*.xu.example", "xn--mnchen-3ya.example"),
		.serial_hex = "0a1b2c",
		.not_before_at = NOW,
		.not_after_at = NOW + 90 * DAY_S - 1,
	});
	char *pem = testcert_fullchain_pem(made), *sha1 = testcert_thumbprint(made);
	struct cert *cert = parse(pem);

	(void)state;
	assert_int_equal(cert_not_before(cert), NOW);
	assert_int_equal(cert_not_after(cert), NOW + 90 * DAY_S - 1);
	assert_int_equal(cert_lifetime_s(cert), 90 * DAY_S);
	assert_string_equal(cert_common_name(cert), "XU.Example");
	assert_string_equal(cert_names(cert)[0], "xu.example");
	assert_string_equal(cert_names(cert)[1], "*.xu.example");
	assert_string_equal(cert_names(cert)[2], "xn--mnchen-3ya.example");
	assert_null(cert_names(cert)[3]);
	assert_string_equal(cert_serial(cert), "0a1b2c");
	assert_string_equal(cert_issuer_text(cert), "CN=Test CA");
	assert_string_equal(cert_sha1(cert), sha1);
	assert_int_equal(strlen(cert_sha256(cert)), 64);
	assert_int_equal(strspn(cert_sha256(cert), "0123456789abcdef"), 64);
	cert_free(cert);
	free(sha1);
	free(pem);
	testcert_free(made);
}

static void names_match_in_any_order_and_case_but_exactly(void **state)
{
	struct cert *cert = make(&(struct testcert_spec){
		.issuer = ca, .names = NAMES("a.example", "b.example") });

	(void)state;
	assert_true(cert_names_are(cert, NAMES("B.example", "a.EXAMPLE")));
	assert_true(cert_names_are(cert, NAMES("a.example", "b.example", "a.example")));
	assert_false(cert_names_are(cert, NAMES("a.example")));
	assert_false(cert_names_are(cert, NAMES("a.example", "b.example", "c.example")));
	assert_false(cert_names_are(cert, NAMES("a.example", "c.example")));
	assert_false(cert_names_are(cert, (const char *const[]){ NULL }));
	cert_free(cert);
}

static void a_certificate_without_names_matches_no_host(void **state)
{
	struct cert *cert = make(
		&(struct testcert_spec){ .issuer = ca, .common_name = "a.example" });

	(void)state;
	assert_null(cert_names(cert)[0]);
	assert_false(cert_names_are(cert, NAMES("a.example")));
	cert_free(cert);
	cert = make(&(struct testcert_spec){
		.issuer = ca, .common_name = "", .names = NAMES("a.example") });
	assert_null(cert_common_name(cert));
	assert_true(cert_names_are(cert, NAMES("a.example")));
	cert_free(cert);
}

static void addresses_stand_behind_the_names(void **state)
{
	struct cert *cert = make(&(struct testcert_spec){
		.issuer = ca,
		.names = NAMES("a.example"),
		.ips = NAMES("192.0.2.1", "2001:db8:0:0:1:0:0:1", "::1",
			     "fe80::", "1:2:3:4:5:6:7:8", "1:0:3:4:5:6:7:8") });
	const char *const *names = cert_names(cert);

	(void)state;
	assert_string_equal(names[0], "a.example");
	assert_string_equal(names[1], "192.0.2.1");
	assert_string_equal(names[2], "2001:db8::1:0:0:1");
	assert_string_equal(names[3], "::1");
	assert_string_equal(names[4], "fe80::");
	assert_string_equal(names[5], "1:2:3:4:5:6:7:8");
	assert_string_equal(names[6], "1:0:3:4:5:6:7:8"); /* one group is not shortened */
	assert_null(names[7]);
	cert_free(cert);
}

/* testcert takes C strings, so the NUL is put in afterwards; nobody checks signatures. */
static void a_name_with_a_nul_matches_nothing(void **state)
{
	struct testcert *made = testcert_new(&(struct testcert_spec){
		.issuer = ca, .common_name = "", .names = NAMES("good.example#evil") });
	unsigned char *der = NULL, *hash;
	const unsigned char *p;
	int len = i2d_X509(made->x509, &der);
	X509 *x509;
	struct cert *cert;

	(void)state;
	assert_true(len > 0);
	hash = memmem(der, (size_t)len, "good.example#evil", 17);
	assert_non_null(hash);
	hash[12] = '\0';
	p = der;
	x509 = d2i_X509(NULL, &p, len);
	assert_non_null(x509);
	cert = cert_from_x509(x509, NULL);
	assert_string_equal(cert_names(cert)[0], "(invalid)");
	assert_false(cert_names_are(cert, NAMES("good.example")));
	cert_free(cert);
	X509_free(x509);
	OPENSSL_free(der);
	testcert_free(made);
}

static void dates_that_are_none_read_as_long_expired(void **state)
{
	struct testcert *made = testcert_leaf(ca, "a.example", NOW, NOW + DAY_S);
	unsigned char *der = NULL, *date;
	const unsigned char *p;
	int len = i2d_X509(made->x509, &der);
	struct err err = { 0 };
	struct cert *cert;
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	X509 *x509;

	(void)state;
	date = memmem(der, (size_t)len, "261122033128Z", 13);
	assert_non_null(date);
	memcpy(date, "269922", 6);
	p = der;
	x509 = d2i_X509(NULL, &p, len);
	cert = cert_from_x509(x509, NULL);
	assert_int_equal(cert_not_after(cert), 0);
	cert_free(cert);

	assert_true(PEM_write_bio_X509(bio, x509));
	len = (int)BIO_get_mem_data(bio, &pem);
	cert = NULL;
	assert_int_equal(cert_parse(pem, (size_t)len, &cert, &err), -1);
	assert_null(cert);
	assert_int_equal(err.kind, ERR_CONFIG);
	BIO_free(bio);
	X509_free(x509);
	OPENSSL_free(der);
	testcert_free(made);
}

static void the_key_is_told_in_the_words_of_the_configuration(void **state)
{
	static const char *const types[] = { "ec-p256", "ec-p384", "rsa-2048",
					     "rsa-3072" };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		struct cert *cert = make(&(struct testcert_spec){
			.names = NAMES("a.example"), .key_type = types[i] });

		assert_string_equal(cert_key_type(cert), types[i]);
		cert_free(cert);
	}
	for (int i = 0; i < 2; i++) {
		EVP_PKEY *key = i ? EVP_EC_gen("secp256k1") : testcert_key("rsa-1024");
		struct cert *cert = make(&(struct testcert_spec){
			.names = NAMES("a.example"), .key = key });

		assert_string_equal(cert_key_type(cert), "other");
		cert_free(cert);
		EVP_PKEY_free(key);
	}
}

static void it_knows_its_key_from_all_others(void **state)
{
	struct testcert *made = testcert_leaf(ca, "a.example", NOW, NOW + DAY_S);
	struct cert *cert = cert_from_x509(made->x509, NULL);
	EVP_PKEY *rsa = testcert_key("rsa-2048");

	(void)state;
	assert_true(cert_matches_key(cert, made->key));
	assert_false(cert_matches_key(cert, ca->key));
	assert_false(cert_matches_key(cert, rsa));
	assert_false(cert_matches_key(cert, NULL));
	EVP_PKEY_free(rsa);
	cert_free(cert);
	testcert_free(made);
}

static void may(const char *eku, bool server, bool client)
{
	struct cert *cert = make(&(struct testcert_spec){
		.issuer = ca, .names = NAMES("a.example"), .eku = eku });

	assert_int_equal(cert_has_server_auth(cert), server);
	assert_int_equal(cert_has_client_auth(cert), client);
	cert_free(cert);
}

static void extended_key_usage_is_read_and_its_absence_allows_all(void **state)
{
	(void)state;
	may("serverAuth", true, false);
	may("clientAuth", false, true);
	may("serverAuth,clientAuth", true, true);
	may("emailProtection", false, false);
	may("anyExtendedKeyUsage", true, true);
	may("", true, true);
}

/* RFC 9773 4.1 and appendix A: this key identifier and this serial give this text. */
static void the_ari_identifier_is_the_one_of_rfc_9773(void **state)
{
	struct cert *cert = make(&(struct testcert_spec){
		.issuer = ca,
		.names = NAMES("example.com"),
		.serial_hex = "87654321",
		.aki_hex = "69885B6B87464041E1B37B847BA0AE2CDE01C8D4" });
	char *id = cert_ari_id(cert);

	(void)state;
	assert_string_equal(id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
	free(id);
	cert_free(cert);
}

static void a_small_serial_has_no_leading_zero_in_the_ari_identifier(void **state)
{
	struct cert *cert = make(&(struct testcert_spec){ .issuer = ca,
							  .names = NAMES("example.com"),
							  .serial_hex = "01",
							  .aki_hex = "00" });
	char *id = cert_ari_id(cert);

	(void)state;
	assert_string_equal(id, "AA.AQ");
	free(id);
	cert_free(cert);
}

static void without_a_key_identifier_there_is_no_ari(void **state)
{
	struct cert *cert = make(&(struct testcert_spec){
		.issuer = ca, .names = NAMES("a.example"), .aki_hex = TESTCERT_NO_AKI });

	(void)state;
	assert_null(cert_ari_id(cert));
	cert_free(cert);
}

static void issuers_are_printed_for_people(void **state)
{
	struct testcert *corp = testcert_new(&(struct testcert_spec){
		.ca = true, .subject = "/DC=local/DC=corp/O=Zürich, AG/CN=Corp\x1b CA" });
	struct cert *cert = make(
		&(struct testcert_spec){ .issuer = corp, .names = NAMES("a.example") });

	(void)state;
	assert_string_equal(cert_issuer_text(cert),
			    "CN=Corp\\1B CA,O=Zürich\\, AG,DC=corp,DC=local");
	cert_free(cert);
	testcert_free(corp);
}

static void the_pem_goes_out_as_it_came_in(void **state)
{
	struct testcert *sub = testcert_new(&(struct testcert_spec){
		.issuer = ca, .ca = true, .common_name = "Sub" });
	struct testcert *made = testcert_leaf(sub, "a.example", NOW, NOW + DAY_S);
	char *leaf_pem = testcert_pem(made), *sub_pem = testcert_pem(sub);
	char *full_pem = testcert_fullchain_pem(made);
	struct cert *cert = parse(full_pem);
	char *full = cert_fullchain_pem(cert), *chain = cert_chain_pem(cert);
	char *leaf = cert_leaf_pem(cert);

	(void)state;
	assert_string_equal(full, full_pem);
	assert_string_equal(chain, sub_pem);
	assert_string_equal(leaf, leaf_pem);
	assert_int_equal(sk_X509_num(cert_chain(cert)), 1);
	free(leaf);
	free(chain);
	free(full);
	cert_free(cert);

	cert = parse(leaf_pem);
	chain = cert_chain_pem(cert);
	assert_string_equal(chain, "");
	assert_int_equal(sk_X509_num(cert_chain(cert)), 0);
	free(chain);
	cert_free(cert);
	free(full_pem);
	free(sub_pem);
	free(leaf_pem);
	testcert_free(made);
	testcert_free(sub);
}

static void text_and_keys_around_the_certificate_are_skipped(void **state)
{
	struct testcert *made = testcert_leaf(ca, "a.example", NOW, NOW + DAY_S);
	char *pem = testcert_pem(made), *key = testcert_key_pem(made);
	char *text = str_printf("subject: a.example\n%s\r\nsome text\n%s\ntail", key,
				pem);
	struct cert *cert = parse(text);

	(void)state;
	assert_string_equal(cert_names(cert)[0], "a.example");
	assert_int_equal(sk_X509_num(cert_chain(cert)), 0);
	cert_free(cert);
	refuses(key, strlen(key), "no PEM certificate");
	free(text);
	free(key);
	free(pem);
	testcert_free(made);
}

static void what_is_no_certificate_is_refused_with_a_reason(void **state)
{
	char *pem = testcert_pem(ca), *cut;
	size_t len = strlen(pem);

	(void)state;
	refuses("", 0, "no PEM certificate");
	refuses("<html>404</html>", 16, "no PEM certificate");
	refuses(pem, len / 2, "certificate 1 in the PEM text is damaged");
	cut = str_printf("%s%.*s", pem, (int)(len / 2), pem);
	refuses(cut, strlen(cut), "certificate 2 in the PEM text is damaged");
	free(cut);
	cut = str_printf(
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	refuses(cut, strlen(cut), "certificate 1 in the PEM text is damaged");
	free(cut);
	free(pem);
}

static void size_and_length_of_a_chain_are_bounded(void **state)
{
	char *pem = testcert_pem(ca), *many = mem_calloc(11, strlen(pem) + 1);
	char *large = mem_calloc(64 * 1024 + 1, 1);
	struct cert *cert;

	(void)state;
	for (int i = 0; i < 10; i++)
		memcpy(many + strlen(many), pem, strlen(pem));
	cert = parse(many);
	assert_int_equal(sk_X509_num(cert_chain(cert)), 9);
	cert_free(cert);
	memcpy(many + strlen(many), pem, strlen(pem));
	refuses(many, strlen(many), "more than 10 certificates");
	refuses(large, 64 * 1024 + 1, "larger than 65536 bytes");
	free(large);
	free(many);
	free(pem);
}

static void what_a_peer_sent_is_wrapped_without_its_leaf_twice(void **state)
{
	struct testcert *made = testcert_leaf(ca, "a.example", NOW, NOW + DAY_S);
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct cert *cert;

	(void)state;
	sk_X509_push(sent, made->x509);
	sk_X509_push(sent, ca->x509);
	cert = cert_from_x509(made->x509, sent);
	sk_X509_free(sent);
	testcert_free(made); /* references were taken */
	assert_string_equal(cert_names(cert)[0], "a.example");
	assert_int_equal(sk_X509_num(cert_chain(cert)), 1);
	assert_int_equal(X509_cmp(sk_X509_value(cert_chain(cert), 0), ca->x509), 0);
	cert_free(cert);
	cert_free(NULL);
}

static void a_file_is_missing_damaged_or_read(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *path = str_printf("%s/certrenewd-test-cert-%ld.pem", tmp ? tmp : "/tmp",
				(long)getpid());
	char *pem = testcert_pem(ca);
	struct err err = { 0 };
	struct cert *cert = NULL;

	(void)state;
	assert_int_equal(cert_load(path, &cert, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	testcert_write(path, "nothing");
	assert_int_equal(cert_load(path, &cert, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, path));
	assert_null(cert);
	testcert_write(path, pem);
	assert_int_equal(cert_load(path, &cert, &err), 0);
	assert_string_equal(cert_common_name(cert), "Test CA");
	cert_free(cert);
	(void)remove(path);
	free(pem);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_it_is),
		cmocka_unit_test(names_match_in_any_order_and_case_but_exactly),
		cmocka_unit_test(a_certificate_without_names_matches_no_host),
		cmocka_unit_test(addresses_stand_behind_the_names),
		cmocka_unit_test(a_name_with_a_nul_matches_nothing),
		cmocka_unit_test(dates_that_are_none_read_as_long_expired),
		cmocka_unit_test(the_key_is_told_in_the_words_of_the_configuration),
		cmocka_unit_test(it_knows_its_key_from_all_others),
		cmocka_unit_test(extended_key_usage_is_read_and_its_absence_allows_all),
		cmocka_unit_test(the_ari_identifier_is_the_one_of_rfc_9773),
		cmocka_unit_test(
			a_small_serial_has_no_leading_zero_in_the_ari_identifier),
		cmocka_unit_test(without_a_key_identifier_there_is_no_ari),
		cmocka_unit_test(issuers_are_printed_for_people),
		cmocka_unit_test(the_pem_goes_out_as_it_came_in),
		cmocka_unit_test(text_and_keys_around_the_certificate_are_skipped),
		cmocka_unit_test(what_is_no_certificate_is_refused_with_a_reason),
		cmocka_unit_test(size_and_length_of_a_chain_are_bounded),
		cmocka_unit_test(what_a_peer_sent_is_wrapped_without_its_leaf_twice),
		cmocka_unit_test(a_file_is_missing_damaged_or_read),
	};
	return cmocka_run_group_tests(tests, make_ca, free_ca);
}

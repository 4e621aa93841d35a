#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/x509v3.h>

#include "acme/key.h"
#include "acme/self_signed.h"
#include "base/cert.h"

#define DAY INT64_C(86400)
#define NOW (INT64_C(20000) * DAY)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct cert *made(const char *type, const char *const *names, bool common_name)
{
	struct self_signed_request request = { .names = names,
					       .common_name = common_name,
					       .lifetime_s = 90 * DAY,
					       .now = NOW };
	struct cert *cert = NULL;
	struct buf pem;
	struct err err;

	buf_init(&pem, 65536);
	assert_int_equal(key_generate(type, &request.key, &err), 0);
	assert_int_equal(self_signed_make(&request, &pem, &err), 0);
	assert_int_equal(cert_parse(buf_str(&pem), pem.len, &cert, &err), 0);
	assert_true(cert_matches_key(cert, request.key));
	assert_int_equal(X509_verify(cert_leaf(cert), request.key), 1);
	EVP_PKEY_free(request.key);
	buf_release(&pem);
	return cert;
}

static void it_is_what_was_asked_for(void **state)
{
	struct cert *cert = made("rsa-2048", NAMES("a.example", "b.example", "192.0.2.1"),
				 true);
	struct err err;

	(void)state;
	assert_true(cert_names_are(cert, NAMES("a.example", "b.example", "192.0.2.1")));
	assert_string_equal(cert_common_name(cert), "a.example");
	assert_string_equal(cert_key_type(cert), "rsa-2048");
	assert_int_equal(cert_not_before(cert), NOW - 300);
	assert_int_equal(cert_not_after(cert), NOW + 90 * DAY);
	assert_true(cert_has_server_auth(cert));
	assert_false(cert_has_client_auth(cert));
	assert_int_equal(X509_check_ca(cert_leaf(cert)), 0);
	assert_int_equal(X509_check_purpose(cert_leaf(cert), X509_PURPOSE_SSL_SERVER, 0),
			 1);
	assert_int_equal(cert_verify_chain(cert, NULL, false, &err), 0);
	assert_int_equal(cert_verify_chain(cert, NULL, true, &err), -1);
	cert_free(cert);
}

static void serial_numbers_are_long_positive_and_never_the_same(void **state)
{
	struct cert *one = made("ec-p256", NAMES("a.example"), true);
	struct cert *two = made("ec-p256", NAMES("a.example"), true);

	(void)state;
	assert_int_equal(strlen(cert_serial(one)), 32);
	assert_int_equal(ASN1_STRING_type(X509_get0_serialNumber(cert_leaf(one))),
			 V_ASN1_INTEGER);
	assert_string_not_equal(cert_serial(one), cert_serial(two));
	cert_free(one);
	cert_free(two);
}

static void without_a_common_name_the_names_are_critical(void **state)
{
	struct cert *cert = made("ec-p384", NAMES("a.example"), false);
	X509 *leaf = cert_leaf(cert);
	int at = X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1);

	(void)state;
	assert_null(cert_common_name(cert));
	assert_true(X509_EXTENSION_get_critical(X509_get_ext(leaf, at)));
	cert_free(cert);
}

static void a_key_that_cannot_sign_is_an_error(void **state)
{
	struct self_signed_request request = { .names = NAMES("a.example"),
					       .lifetime_s = DAY,
					       .now = NOW };
	struct err err = { 0 };
	struct buf pem;

	(void)state;
	buf_init(&pem, 65536);
	request.key = EVP_PKEY_new();
	assert_int_equal(self_signed_make(&request, &pem, &err), -1);
	assert_non_null(
		strstr(err.text, "make a self-signed certificate for 'a.example'"));
	assert_int_equal(pem.len, 0);
	EVP_PKEY_free(request.key);
	buf_release(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_was_asked_for),
		cmocka_unit_test(serial_numbers_are_long_positive_and_never_the_same),
		cmocka_unit_test(without_a_common_name_the_names_are_critical),
		cmocka_unit_test(a_key_that_cannot_sign_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

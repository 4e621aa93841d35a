/* The certificate that answers tls-alpn-01, read back as a CA reads it (RFC 8737 3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "acme/acme.h"
#include "acme/key.h"

#define AUTHORIZATION "token.thumbprint"

static X509 *made(const char *identifier)
{
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	struct err err;

	assert_int_equal(key_generate("ec-p256", &key, &err), 0);
	if (acme_tls_alpn_certificate(identifier, AUTHORIZATION, key, &cert, &err))
		fail_msg("%s", err.text);
	assert_int_equal(X509_verify(cert, key), 1); /* self-signed */
	EVP_PKEY_free(key);
	return cert;
}

static void the_digest_stands_in_the_critical_extension(void **state)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
	X509 *cert = made("a.example");
	unsigned char digest[32];
	X509_EXTENSION *extension;
	const ASN1_OCTET_STRING *value;
	int at = X509_get_ext_by_OBJ(cert, oid, -1);

	(void)state;
	assert_true(at >= 0);
	assert_int_equal(X509_get_ext_by_OBJ(cert, oid, at), -1);
	extension = X509_get_ext(cert, at);
	assert_int_equal(X509_EXTENSION_get_critical(extension), 1);
	assert_true(EVP_Digest(AUTHORIZATION, strlen(AUTHORIZATION), digest, NULL,
			       EVP_sha256(), NULL));
	value = X509_EXTENSION_get_data(extension);
	assert_int_equal(ASN1_STRING_length(value), 34);
	assert_memory_equal(ASN1_STRING_get0_data(value), "\x04\x20", 2);
	assert_memory_equal(ASN1_STRING_get0_data(value) + 2, digest, 32);
	ASN1_OBJECT_free(oid);
	X509_free(cert);
}

static void expect_one_name(const char *identifier, int type, const void *bytes, int len)
{
	X509 *cert = made(identifier);
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const ASN1_STRING *value;
	int got;

	assert_int_equal(sk_GENERAL_NAME_num(names), 1);
	value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &got);
	assert_int_equal(got, type);
	assert_int_equal(ASN1_STRING_length(value), len);
	assert_memory_equal(ASN1_STRING_get0_data(value), bytes, (size_t)len);
	GENERAL_NAMES_free(names);
	X509_free(cert);
}

static void the_identifier_is_its_only_name(void **state)
{
	(void)state;
	expect_one_name("a.example", GEN_DNS, "a.example", 9);
	expect_one_name("192.0.2.7", GEN_IPADD, "\xc0\x00\x02\x07", 4);
	expect_one_name("2001:db8::1", GEN_IPADD,
			"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
}

static void it_is_valid_now_even_for_a_clock_that_is_hours_off(void **state)
{
	X509 *cert = made("a.example");
	time_t now = time(NULL), before = now - 12 * 3600, after = now + 12 * 3600;

	(void)state;
	assert_int_equal(X509_cmp_time(X509_get0_notBefore(cert), &before), -1);
	assert_int_equal(X509_cmp_time(X509_get0_notAfter(cert), &after), 1);
	X509_free(cert);
}

static void a_key_that_cannot_sign_is_told(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	X509 *cert = NULL;
	struct err err;

	(void)state;
	assert_int_equal(
		acme_tls_alpn_certificate("a.example", AUTHORIZATION, key, &cert, &err),
		-1);
	assert_null(cert);
	assert_non_null(strstr(err.text, "make the tls-alpn-01 certificate of "
					 "'a.example'"));
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_stands_in_the_critical_extension),
		cmocka_unit_test(the_identifier_is_its_only_name),
		cmocka_unit_test(it_is_valid_now_even_for_a_clock_that_is_hours_off),
		cmocka_unit_test(a_key_that_cannot_sign_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

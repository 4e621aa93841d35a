#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "acme/csr.h"
#include "acme/key.h"
#include "base/base64url.h"

#define LONG_NAME                                                                        \
	"a-name-that-does-not-fit.sixty-four-characters.because-it-is-too-long.example"

static X509_REQ *made(const char *type, const char *const *names, bool common_name)
{
	const unsigned char *der;
	X509_REQ *req;
	struct buf bytes;
	EVP_PKEY *key;
	struct err err;
	char *csr;

	assert_int_equal(key_generate(type, &key, &err), 0);
	assert_int_equal(csr_make(key, names, common_name, &csr, &err), 0);
	assert_null(strpbrk(csr, "+/="));
	buf_init(&bytes, 8192);
	assert_int_equal(base64_any_decode(csr, &bytes), 0);
	der = bytes.data;
	req = d2i_X509_REQ(NULL, &der, (long)bytes.len);
	assert_non_null(req);
	assert_int_equal(X509_REQ_verify(req, key), 1);
	buf_release(&bytes);
	free(csr);
	EVP_PKEY_free(key);
	return req;
}

static void expect_names(X509_REQ *req, const char *const *names)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
	GENERAL_NAMES *list = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL,
					     NULL);
	int n = 0;

	/* The names, and nothing else: no key usage, no EKU. */
	assert_int_equal(sk_X509_EXTENSION_num(extensions), 1);
	for (; names[n]; n++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(list, n);

		assert_non_null(name);
		assert_int_equal(name->type, GEN_DNS);
		assert_string_equal((const char *)ASN1_STRING_get0_data(name->d.dNSName),
				    names[n]);
	}
	assert_int_equal(sk_GENERAL_NAME_num(list), n);
	GENERAL_NAMES_free(list);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static void expect_common_name(X509_REQ *req, const char *expected)
{
	char name[256] = "";

	X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(req), NID_commonName, name,
				  sizeof(name));
	assert_string_equal(name, expected);
}

static void it_names_exactly_the_orders_names_in_their_order(void **state)
{
	static const char *const names[] = { "www.shop.example", "shop.example",
					     "*.shop.example", NULL };
	X509_REQ *req = made("ec-p256", names, true);

	(void)state;
	expect_names(req, names);
	expect_common_name(req, "www.shop.example");
	X509_REQ_free(req);
}

static void the_common_name_is_the_first_that_fits(void **state)
{
	static const char *const names[] = { LONG_NAME, "short.example", "b.example",
					     NULL };
	X509_REQ *req = made("ec-p256", names, true);

	(void)state;
	expect_names(req, names);
	expect_common_name(req, "short.example");
	X509_REQ_free(req);
}

static void there_is_no_common_name_when_none_fits_or_none_is_wanted(void **state)
{
	static const char *const too_long[] = { LONG_NAME, NULL };
	static const char *const fits[] = { "short.example", NULL };
	X509_REQ *req = made("ec-p256", too_long, true);

	(void)state;
	expect_common_name(req, "");
	expect_names(req, too_long);
	X509_REQ_free(req);
	req = made("ec-p256", fits, false);
	expect_common_name(req, "");
	assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(req)), 0);
	X509_REQ_free(req);
}

static void an_address_is_asked_for_as_one_and_is_never_the_common_name(void **state)
{
	static const char *const names[] = { "192.0.2.7", "2001:db8::1", "a.example",
					     NULL };
	static const char *const addresses[] = { "192.0.2.7", NULL };
	EVP_PKEY *key;
	struct csr_facts facts;
	struct err err;
	char *pem;

	(void)state;
	assert_int_equal(key_generate("ec-p256", &key, &err), 0);
	assert_int_equal(csr_make_pem(key, names, true, &pem, &err), 0);
	assert_int_equal(csr_read(pem, strlen(pem), &facts, &err), 0);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(facts.names.items[i], names[i]);
	assert_string_equal(facts.common_name, "a.example");
	csr_facts_clear(&facts);
	free(pem);
	assert_int_equal(csr_make_pem(key, addresses, true, &pem, &err), 0);
	assert_int_equal(csr_read(pem, strlen(pem), &facts, &err), 0);
	assert_int_equal(facts.names.n, 1);
	assert_null(facts.common_name);
	csr_facts_clear(&facts);
	free(pem);
	EVP_PKEY_free(key);
}

static void every_key_type_signs_with_a_digest_of_its_strength(void **state)
{
	static const char *const names[] = { "a.example", NULL };
	X509_REQ *rsa = made("rsa-2048", names, true),
		 *p384 = made("ec-p384", names, true);

	(void)state;
	assert_int_equal(X509_REQ_get_signature_nid(rsa), NID_sha256WithRSAEncryption);
	assert_int_equal(X509_REQ_get_signature_nid(p384), NID_ecdsa_with_SHA384);
	X509_REQ_free(rsa);
	X509_REQ_free(p384);
}

static void a_key_that_cannot_sign_is_an_error(void **state)
{
	static const char *const names[] = { "a.example", NULL };
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	char *csr = NULL;
	struct err err;

	(void)state;
	assert_int_equal(csr_make(key, names, true, &csr, &err), -1);
	assert_non_null(strstr(err.text, "make a certificate request for 'a.example'"));
	assert_null(csr);
	EVP_PKEY_free(key);
}

static void as_pem_it_is_the_same_request(void **state)
{
	const char *const names[] = { "a.example", NULL };
	EVP_PKEY *key = NULL;
	char *pem = NULL;
	struct err err;
	X509_REQ *req;
	BIO *bio;

	(void)state;
	assert_int_equal(key_generate("ec-p256", &key, &err), 0);
	assert_int_equal(csr_make_pem(key, names, true, &pem, &err), 0);
	assert_ptr_equal(strstr(pem, "-----BEGIN CERTIFICATE REQUEST-----"), pem);
	bio = BIO_new_mem_buf(pem, -1);
	req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	assert_non_null(req);
	assert_int_equal(X509_REQ_verify(req, key), 1);
	expect_names(req, names);
	X509_REQ_free(req);
	BIO_free(bio);
	free(pem);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_names_exactly_the_orders_names_in_their_order),
		cmocka_unit_test(the_common_name_is_the_first_that_fits),
		cmocka_unit_test(
			there_is_no_common_name_when_none_fits_or_none_is_wanted),
		cmocka_unit_test(
			an_address_is_asked_for_as_one_and_is_never_the_common_name),
		cmocka_unit_test(every_key_type_signs_with_a_digest_of_its_strength),
		cmocka_unit_test(as_pem_it_is_the_same_request),
		cmocka_unit_test(a_key_that_cannot_sign_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Requests that an operator made elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "acme/csr.h"
#include "acme/key.h"
#include "base/base64url.h"

static EVP_PKEY *key;

static int make_key(void **state)
{
	struct err err;

	(void)state;
	return key_generate("ec-p256", &key, &err);
}

static int free_key(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

/* Gives a request as PEM with this common name and these extensions in OpenSSL's words
 * (each may be NULL). */
static char *request(const char *common_name, const char *san, const char *eku)
{
	const struct {
		int nid;
		const char *text;
	} wanted[] = { { NID_subject_alt_name, san }, { NID_ext_key_usage, eku } };
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem;
	long len;

	if (common_name)
		assert_true(X509_NAME_add_entry_by_NID(
			X509_REQ_get_subject_name(req), NID_commonName, MBSTRING_UTF8,
			(const unsigned char *)common_name, -1, -1, 0));
	for (size_t i = 0; i < 2; i++) {
		X509_EXTENSION *each;

		if (!wanted[i].text)
			continue;
		each = X509V3_EXT_conf_nid(NULL, NULL, wanted[i].nid, wanted[i].text);
		assert_non_null(each);
		sk_X509_EXTENSION_push(extensions, each);
	}
	if (sk_X509_EXTENSION_num(extensions))
		X509_REQ_add_extensions(req, extensions);
	assert_true(X509_REQ_set_pubkey(req, key));
	assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	assert_true(PEM_write_bio_X509_REQ(bio, req));
	len = BIO_get_mem_data(bio, &data);
	pem = str_ndup(data, (size_t)len);
	BIO_free(bio);
	X509_REQ_free(req);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return pem;
}

static struct csr_facts read_ok(const char *pem)
{
	struct csr_facts facts;
	struct err err;

	if (csr_read(pem, strlen(pem), &facts, &err))
		fail_msg("%s", err.text);
	return facts;
}

static void refuses(char *pem, const char *words)
{
	struct csr_facts facts;
	struct err err;

	assert_int_equal(csr_read(pem, strlen(pem), &facts, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	if (!strstr(err.text, words))
		fail_msg("%s", err.text);
	free(pem);
}

static void names_and_key_are_read(void **state)
{
	char *pem = request("A.example",
			    "DNS:a.example,DNS:*.B.example,IP:192.0.2.7,IP:2001:db8::1",
			    NULL);
	struct csr_facts facts = read_ok(pem);

	(void)state;
	assert_int_equal(facts.names.n, 4);
	assert_string_equal(facts.names.items[0], "a.example");
	assert_string_equal(facts.names.items[1], "*.b.example");
	assert_string_equal(facts.names.items[2], "192.0.2.7");
	assert_string_equal(facts.names.items[3], "2001:db8::1");
	assert_string_equal(facts.common_name, "A.example");
	assert_int_equal(EVP_PKEY_eq(facts.key, key), 1);
	assert_false(facts.asks_client_auth);
	csr_facts_clear(&facts);
	csr_facts_clear(NULL);
	free(pem);
}

/* Gives the DER behind the base64url. */
static struct buf der_of(const struct csr_facts *facts)
{
	struct buf der;

	buf_init(&der, 4096);
	assert_int_equal(base64_any_decode(facts->der, &der), 0);
	return der;
}

static void der_is_read_too_and_comes_back_byte_for_byte(void **state)
{
	char *pem = request(NULL, "DNS:a.example", NULL);
	struct csr_facts first = read_ok(pem), second;
	struct buf der = der_of(&first);
	struct err err;

	(void)state;
	assert_null(first.common_name);
	assert_int_equal(csr_read(der.data, der.len, &second, &err), 0);
	buf_release(&der);
	assert_string_equal(first.der, second.der);
	csr_facts_clear(&first);
	csr_facts_clear(&second);
	free(pem);
}

static void a_common_name_that_stands_nowhere_else_is_a_name(void **state)
{
	char *pem = request("c.example", "DNS:a.example", NULL);
	struct csr_facts facts = read_ok(pem);

	(void)state;
	assert_int_equal(facts.names.n, 2);
	assert_string_equal(facts.names.items[1], "c.example");
	csr_facts_clear(&facts);
	free(pem);
	pem = request("c.example", NULL, NULL);
	facts = read_ok(pem);
	assert_int_equal(facts.names.n, 1);
	csr_facts_clear(&facts);
	free(pem);
}

static void the_wish_to_be_a_client_is_noticed(void **state)
{
	char *pem = request(NULL, "DNS:a.example", "serverAuth,clientAuth");
	struct csr_facts facts = read_ok(pem);

	(void)state;
	assert_true(facts.asks_client_auth);
	csr_facts_clear(&facts);
	free(pem);
	pem = request(NULL, "DNS:a.example", "serverAuth");
	facts = read_ok(pem);
	assert_false(facts.asks_client_auth);
	csr_facts_clear(&facts);
	free(pem);
}

static void what_no_ca_would_certify_is_refused(void **state)
{
	(void)state;
	refuses(request(NULL, NULL, NULL), "the certificate request has no names");
	refuses(request(NULL, "DNS:a.example,email:a@b.example", NULL),
		"neither a DNS name nor an IP address");
	refuses(request("our web server", "DNS:a.example", NULL),
		"a name that no host has");
	refuses(request("t\xc3\xa4st.example", NULL, NULL), "a name that no host has");
}

static void what_is_no_request_is_refused(void **state)
{
	char *pem = request(NULL, "DNS:a.example", NULL), *large;
	struct csr_facts facts = read_ok(pem);
	struct buf der = der_of(&facts);
	struct err err;

	(void)state;
	csr_facts_clear(&facts);
	der.data[der.len - 1] ^= 1; /* the signature's last byte */
	assert_int_equal(csr_read(der.data, der.len, &facts, &err), -1);
	assert_non_null(strstr(err.text, "is not signed by its own key"));
	assert_int_equal(csr_read(der.data, der.len / 2, &facts, &err), -1);
	buf_release(&der);
	assert_int_equal(csr_read("", 0, &facts, &err), -1);
	assert_string_equal(err.text,
			    "not a certificate request: 0 bytes, not 1 to 65536");
	free(pem);
	refuses(str_dup("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
			"-----END CERTIFICATE REQUEST-----\n"),
		"not a certificate request (PKCS#10, PEM or DER)");
	refuses(str_dup("-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4,ENCRYPTED\n"
			"DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n"
			"-----END CERTIFICATE REQUEST-----\n"),
		"not a certificate request");
	large = mem_calloc(1, 70000);
	memset(large, 'x', 69999);
	refuses(large, "69999 bytes, not 1 to 65536");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_key_are_read),
		cmocka_unit_test(der_is_read_too_and_comes_back_byte_for_byte),
		cmocka_unit_test(a_common_name_that_stands_nowhere_else_is_a_name),
		cmocka_unit_test(the_wish_to_be_a_client_is_noticed),
		cmocka_unit_test(what_no_ca_would_certify_is_refused),
		cmocka_unit_test(what_is_no_request_is_refused),
	};
	return cmocka_run_group_tests(tests, make_key, free_key);
}

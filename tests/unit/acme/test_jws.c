/* Signatures, thumbprints and bindings against fixed vectors: the keys of RFC 7515 A.3
 * and RFC 7638 3.1; MACs computed with Python's hmac. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include "acme/jws.h"
#include "acme/key.h"
#include "base/base64url.h"
#include "base/json.h"
#include "base/str.h"

static const char rfc7515_a3[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
	"H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
	"7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
	"-----END PRIVATE KEY-----\n";

#define EC_JWK                                                                           \
	"{\"crv\":\"P-256\",\"kty\":\"EC\","                                             \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                         \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define EC_THUMBPRINT "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"

static const char rfc7638_n[] =
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1"
	"L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4"
	"QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO"
	"pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF"
	"Cur-kEgU8awapJzKnqDKgw";

static EVP_PKEY *ec_key(void)
{
	EVP_PKEY *key;
	struct err err;

	assert_int_equal(key_from_pem(rfc7515_a3, strlen(rfc7515_a3), &key, &err), 0);
	return key;
}

/* The public key of RFC 7638's example. */
static EVP_PKEY *rsa_public_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;
	struct buf bytes;
	BIGNUM *n;

	buf_init(&bytes, 1024);
	assert_int_equal(base64_any_decode(rfc7638_n, &bytes), 0);
	n = BN_bin2bn(bytes.data, (int)bytes.len, NULL);
	assert_true(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n));
	assert_true(OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E, 65537));
	params = OSSL_PARAM_BLD_to_param(builder);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	buf_release(&bytes);
	return key;
}

static void expect_text(char *text, const char *expected)
{
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void the_jwk_is_canonical(void **state)
{
	EVP_PKEY *ec = ec_key(), *rsa = rsa_public_key();
	char *expected = str_printf("{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"%s\"}",
				    rfc7638_n);

	(void)state;
	expect_text(jws_jwk(ec), EC_JWK);
	expect_text(jws_jwk(rsa), expected);
	free(expected);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
}

static void the_thumbprint_is_that_of_rfc_7638(void **state)
{
	EVP_PKEY *ec = ec_key(), *rsa = rsa_public_key();

	(void)state;
	expect_text(jws_thumbprint(rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	expect_text(jws_thumbprint(ec), EC_THUMBPRINT);
	expect_text(jws_key_authorization(ec, "tok-en_1"), "tok-en_1." EC_THUMBPRINT);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
}

static void keys_that_cannot_be_an_accounts_are_refused(void **state)
{
	const struct jws_header header = { NULL, "n", "https://ca.example/x" };
	EVP_PKEY *p384, *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	char *body = NULL;
	struct err err;

	(void)state;
	assert_int_equal(key_generate("ec-p384", &p384, &err), 0);
	assert_false(jws_fits_account(p384)); /* but a certificate's, for revocation */
	assert_string_equal(jws_algorithm(p384), "ES384");
	assert_null(jws_algorithm(small));
	assert_null(jws_algorithm(NULL));
	assert_null(jws_jwk(small));
	assert_null(jws_thumbprint(small));
	assert_null(jws_key_authorization(small, "t"));
	assert_int_equal(jws_sign(small, &header, "", &body, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "EC P-256 or RSA"));
	EVP_PKEY_free(p384);
	EVP_PKEY_free(small);
}

static void decode(const cJSON *json, const char *name, struct buf *out)
{
	buf_init(out, 4096);
	assert_int_equal(base64_any_decode(json_string(json, name), out), 0);
}

/* ES256: r and s, 32 bytes each, to the DER that OpenSSL verifies. */
static size_t der_of(const struct buf *raw, unsigned char **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int len;

	assert_int_equal(raw->len, 64);
	assert_true(ECDSA_SIG_set0(sig, BN_bin2bn(raw->data, 32, NULL),
				   BN_bin2bn(raw->data + 32, 32, NULL)));
	len = i2d_ECDSA_SIG(sig, der);
	assert_true(len > 0);
	ECDSA_SIG_free(sig);
	return (size_t)len;
}

/* Signs, verifies with OpenSSL, and gives the protected header. */
static cJSON *signed_header(EVP_PKEY *key, const struct jws_header *header,
			    const char *payload)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	cJSON *json, *protected;
	unsigned char *der = NULL;
	struct buf text, signature;
	char *body, *input;
	struct err err;
	size_t len;

	assert_int_equal(jws_sign(key, header, payload, &body, &err), 0);
	assert_int_equal(json_parse(body, strlen(body), &json, &err), 0);
	input = str_printf("%s.%s", json_string(json, "protected"),
			   json_string(json, "payload"));
	decode(json, "signature", &signature);
	if (EVP_PKEY_is_a(key, "EC")) {
		len = der_of(&signature, &der);
	} else {
		der = OPENSSL_memdup(signature.data, signature.len);
		len = signature.len;
	}
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(
		EVP_DigestVerify(ctx, der, len, (unsigned char *)input, strlen(input)),
		1);
	OPENSSL_free(der);
	buf_release(&signature);
	EVP_MD_CTX_free(ctx);

	decode(json, "payload", &text);
	assert_string_equal(buf_str(&text), payload);
	buf_release(&text);
	decode(json, "protected", &text);
	assert_int_equal(json_parse(text.data, text.len, &protected, &err), 0);
	buf_release(&text);
	cJSON_Delete(json);
	free(input);
	free(body);
	return protected;
}

static void es256_signs_r_and_s_at_full_width(void **state)
{
	const struct jws_header header = { NULL, "nonce-1", "https://ca.example/new" };
	EVP_PKEY *key = ec_key();

	(void)state;
	/* One number in 256 starts with a zero byte. */
	for (int i = 0; i < 2000; i++) {
		cJSON *protected = signed_header(key, &header, "{\"a\":1}");

		assert_string_equal(json_string(protected, "alg"), "ES256");
		cJSON_Delete(protected);
	}
	EVP_PKEY_free(key);
}

static void rs256_signs(void **state)
{
	const struct jws_header header = { "https://ca.example/acct/1", "n",
					   "https://c/u" };
	cJSON *protected;
	EVP_PKEY *key;
	struct err err;

	(void)state;
	assert_int_equal(key_generate("rsa-2048", &key, &err), 0);
	protected = signed_header(key, &header, "");
	assert_string_equal(json_string(protected, "alg"), "RS256");
	cJSON_Delete(protected);
	EVP_PKEY_free(key);
}

static void the_header_has_kid_or_jwk_and_never_both(void **state)
{
	struct jws_header header = { NULL, "nonce-1", "https://ca.example/new?a=\"b\"" };
	EVP_PKEY *key = ec_key();
	cJSON *protected = signed_header(key, &header, "{}");
	char *jwk = json_print(cJSON_GetObjectItem(protected, "jwk"));

	(void)state;
	expect_text(jwk, EC_JWK);
	assert_null(cJSON_GetObjectItem(protected, "kid"));
	assert_string_equal(json_string(protected, "nonce"), "nonce-1");
	assert_string_equal(json_string(protected, "url"), header.url);
	cJSON_Delete(protected);

	header.kid = "https://ca.example/acct/1";
	protected = signed_header(key, &header, "{}");
	assert_null(cJSON_GetObjectItem(protected, "jwk"));
	assert_string_equal(json_string(protected, "kid"), header.kid);
	cJSON_Delete(protected);
	EVP_PKEY_free(key);
}

struct binding {
	enum acme_eab_algorithm algorithm;
	const char *name, *signature;
};

static const struct binding bindings[] = {
	{ ACME_EAB_HS256, "HS256", "pvBVsH7StYzh7SCPy8Cb5YnVELdzuThbQjgz0sJNf28" },
	{ ACME_EAB_HS384, "HS384",
	  "rA5Tb3n0ElHd-BS0Kbfv0BPHcxG4zNLAzAChCe5DO90PIOuSdAZA54exgSuuo7NE" },
	{ ACME_EAB_HS512, "HS512",
	  "q4D3VDuKjc1ZQ5vHRKaUq7H_r9cMYer83-c_"
	  "h0OlOcWL7gUbAhBi1E9qyK7LtIrFpe1RaDU5XI13SuKe"
	  "2L9Iww" },
};

static void a_binding_is_the_same_from_both_forms_of_the_key(void **state)
{
	static const char *const forms[] = {
		"+/+/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw=",
		"-_-_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw",
		"-_-_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw=",
	};
	EVP_PKEY *key = ec_key();

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(bindings) / sizeof(*bindings); i++) {
		const struct binding *expected = &bindings[i / 3];
		struct acme_issuer issuer = { .eab_key_id = "kid-1",
					      .eab_hmac_key = forms[i % 3],
					      .eab_algorithm = expected->algorithm };
		struct buf text;
		cJSON *json;
		struct err err;
		char *body;

		assert_int_equal(jws_bind_external_account(
					 key, &issuer, "https://ca.example/new-account",
					 &body, &err),
				 0);
		assert_int_equal(json_parse(body, strlen(body), &json, &err), 0);
		assert_string_equal(json_string(json, "signature"), expected->signature);
		decode(json, "payload", &text);
		assert_string_equal(buf_str(&text), EC_JWK);
		buf_release(&text);
		cJSON_Delete(json);
		free(body);
	}
	EVP_PKEY_free(key);
}

static void a_binding_key_that_is_neither_form_is_refused(void **state)
{
	static const char *const bad[] = { "white space", "", "a!b", NULL };
	EVP_PKEY *key = ec_key();

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct acme_issuer issuer = { .eab_key_id = "k", .eab_hmac_key = bad[i] };
		char *body = NULL;
		struct err err;

		assert_int_equal(jws_bind_external_account(key, &issuer, "https://c/n",
							   &body, &err),
				 -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_null(body);
	}
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_jwk_is_canonical),
		cmocka_unit_test(the_thumbprint_is_that_of_rfc_7638),
		cmocka_unit_test(keys_that_cannot_be_an_accounts_are_refused),
		cmocka_unit_test(es256_signs_r_and_s_at_full_width),
		cmocka_unit_test(rs256_signs),
		cmocka_unit_test(the_header_has_kid_or_jwk_and_never_both),
		cmocka_unit_test(a_binding_is_the_same_from_both_forms_of_the_key),
		cmocka_unit_test(a_binding_key_that_is_neither_form_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

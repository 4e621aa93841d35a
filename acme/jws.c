#include "acme/jws.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "acme/key.h"
#include "base/base64url.h"
#include "base/json.h"
#include "base/str.h"

#define CURVE_BYTES_MAX 48

struct algorithm { /* RFC 7518 3.1 */
	const char *name, *key_type;
	const char *curve; /* NULL: RSA */
	int bytes;         /* of a coordinate */
	const EVP_MD *(*digest)(void);
};

static const struct algorithm rs256 = { "RS256", "rsa", NULL, 0, EVP_sha256 };
static const struct algorithm curves[] = {
	{ "ES256", "ec-p256", "P-256", 32, EVP_sha256 },
	{ "ES384", "ec-p384", "P-384", 48, EVP_sha384 },
};

static const struct algorithm *algorithm_of(const EVP_PKEY *key)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++)
		if (str_equal(key_type_name(key), curves[i].key_type))
			return &curves[i];
	if (key && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= 2048)
		return &rs256;
	return NULL;
}

const char *jws_algorithm(const EVP_PKEY *key)
{
	const struct algorithm *algorithm = algorithm_of(key);

	return algorithm ? algorithm->name : NULL;
}

bool jws_fits_account(const EVP_PKEY *key)
{
	return str_equal(jws_algorithm(key), "ES256") ||
	       str_equal(jws_algorithm(key), "RS256");
}

/* A public number of the key, big-endian, padded to `width` bytes (0: as short as it is),
 * base64url. Gives; NULL without it. */
static char *public_number(const EVP_PKEY *key, const char *name, int width)
{
	unsigned char bytes[2048];
	BIGNUM *number = NULL;
	char *text = NULL;
	int len;

	if (!EVP_PKEY_get_bn_param(key, name, &number))
		return NULL;
	len = width ? width : BN_num_bytes(number);
	if (len <= (int)sizeof(bytes) && BN_bn2binpad(number, bytes, len) == len)
		text = base64url_encode(bytes, (size_t)len);
	BN_free(number);
	return text;
}

char *jws_jwk(const EVP_PKEY *key)
{
	const struct algorithm *algorithm = algorithm_of(key);
	char *first, *second, *jwk = NULL;

	if (!algorithm)
		return NULL;
	if (algorithm->curve) {
		first = public_number(key, OSSL_PKEY_PARAM_EC_PUB_X, algorithm->bytes);
		second = public_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, algorithm->bytes);
		if (first && second)
			jwk = str_printf("{\"crv\":\"%s\",\"kty\":\"EC\","
					 "\"x\":\"%s\",\"y\":\"%s\"}",
					 algorithm->curve, first, second);
	} else {
		first = public_number(key, OSSL_PKEY_PARAM_RSA_E, 0);
		second = public_number(key, OSSL_PKEY_PARAM_RSA_N, 0);
		if (first && second)
			jwk = str_printf("{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}",
					 first, second);
	}
	free(first);
	free(second);
	return jwk;
}

char *jws_thumbprint(const EVP_PKEY *key)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char *text = NULL, *jwk = jws_jwk(key);

	if (jwk && EVP_Digest(jwk, strlen(jwk), digest, NULL, EVP_sha256(), NULL))
		text = base64url_encode(digest, sizeof(digest));
	free(jwk);
	return text;
}

char *jws_key_authorization(const EVP_PKEY *key, const char *token)
{
	char *thumbprint = jws_thumbprint(key);
	char *text = thumbprint ? str_printf("%s.%s", token, thumbprint) : NULL;

	free(thumbprint);
	return text;
}

char *jws_dns_value(const char *key_authorization)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (!EVP_Digest(key_authorization, strlen(key_authorization), digest, &len,
			EVP_sha256(), NULL))
		return NULL;
	return base64url_encode(digest, len);
}

/* {"protected": ..., "payload": ..., "signature": ...}. Borrows; gives. */
static char *flattened(const char *protected, const char *payload, const char *signature)
{
	return str_printf(
		"{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}",
		protected, payload, signature);
}

/* JWS wants r and s at full width behind each other, OpenSSL gives them as DER. */
static char *ecdsa_raw(const unsigned char *der, size_t len, int bytes)
{
	unsigned char raw[2 * CURVE_BYTES_MAX];
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	char *text = NULL;

	if (sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, bytes) > 0 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + bytes, bytes) > 0)
		text = base64url_encode(raw, 2 * (size_t)bytes);
	ECDSA_SIG_free(sig);
	return text;
}

/* Signs "protected.payload". Gives *ret, base64url. */
static int sign_input(EVP_PKEY *key, const char *input, char **ret, struct err *err)
{
	unsigned char signature[1024]; /* RSA up to 8192 bits */
	const struct algorithm *algorithm = algorithm_of(key);
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char *text = NULL;

	if (ctx && EVP_PKEY_get_size(key) <= (int)sizeof(signature) &&
	    EVP_DigestSignInit(ctx, NULL, algorithm->digest(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, signature, &len, (const unsigned char *)input,
			   strlen(input)) == 1)
		text = algorithm->curve ? ecdsa_raw(signature, len, algorithm->bytes)
					: base64url_encode(signature, len);
	EVP_MD_CTX_free(ctx);
	if (!text)
		return err_openssl(err, "sign with the account key");
	*ret = text;
	return 0;
}

static char *protected_header(const EVP_PKEY *key, const struct jws_header *header)
{
	cJSON *json = cJSON_CreateObject();
	char *text, *encoded, *jwk = NULL;

	json_set_string(json, "alg", jws_algorithm(key));
	if (header->kid) {
		json_set_string(json, "kid", header->kid);
	} else {
		jwk = jws_jwk(key);
		cJSON_AddRawToObject(json, "jwk", jwk ? jwk : "null");
	}
	if (header->nonce)
		json_set_string(json, "nonce", header->nonce);
	json_set_string(json, "url", header->url);
	text = json_print(json);
	encoded = base64url_encode(text, strlen(text));
	free(text);
	free(jwk);
	cJSON_Delete(json);
	return encoded;
}

int jws_sign(EVP_PKEY *key, const struct jws_header *header, const char *payload,
	     char **ret_body, struct err *err)
{
	char *protected, *encoded, *input, *signature = NULL;
	int rc;

	if (!jws_algorithm(key))
		return err_set(err, ERR_CONFIG,
			       "an account key is EC P-256 or RSA of at least 2048 bits, "
			       "this one is '%s'",
			       key_type_name(key));
	protected = protected_header(key, header);
	encoded = base64url_encode(payload, strlen(payload));
	input = str_printf("%s.%s", protected, encoded);

	rc = sign_input(key, input, &signature, err);
	if (rc == 0)
		*ret_body = flattened(protected, encoded, signature);
	free(protected);
	free(encoded);
	free(input);
	free(signature);
	return rc;
}

struct mac {
	const char *name;
	const EVP_MD *(*digest)(void);
};

static const struct mac macs[] = {
	[ACME_EAB_HS256] = { "HS256", EVP_sha256 },
	[ACME_EAB_HS384] = { "HS384", EVP_sha384 },
	[ACME_EAB_HS512] = { "HS512", EVP_sha512 },
};

int jws_bind_external_account(const EVP_PKEY *key, const struct acme_issuer *issuer,
			      const char *new_account_url, char **ret_json,
			      struct err *err)
{
	const struct mac *mac = &macs[issuer->eab_algorithm];
	char *jwk = jws_jwk(key), *text = NULL, *protected = NULL, *payload = NULL;
	char *input = NULL, *signature = NULL;
	unsigned char digest[EVP_MAX_MD_SIZE];
	cJSON *header = cJSON_CreateObject();
	unsigned len = 0;
	struct buf secret;
	int rc = -1;

	buf_init_secret(&secret, 1024);
	if (!jwk || !issuer->eab_hmac_key ||
	    base64_any_decode(issuer->eab_hmac_key, &secret) || secret.len == 0) {
		err_set(err, ERR_CONFIG,
			"'eab.hmac_key' is neither base64url nor base64: copy it as the "
			"CA "
			"shows it");
		goto out;
	}
	json_set_string(header, "alg", mac->name);
	json_set_string(header, "kid", issuer->eab_key_id);
	json_set_string(header, "url", new_account_url);
	text = json_print(header);
	protected = base64url_encode(text, strlen(text));
	payload = base64url_encode(jwk, strlen(jwk));
	input = str_printf("%s.%s", protected, payload);
	if (!HMAC(mac->digest(), secret.data, (int)secret.len, (unsigned char *)input,
		  strlen(input), digest, &len)) {
		err_openssl(err, "compute the external account binding");
		goto out;
	}
	signature = base64url_encode(digest, len);
	*ret_json = flattened(protected, payload, signature);
	rc = 0;
out:
	buf_release(&secret);
	cJSON_Delete(header);
	free(jwk);
	free(text);
	free(protected);
	free(payload);
	free(input);
	free(signature);
	return rc;
}

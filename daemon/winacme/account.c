/* account.c - the ACME account of an endpoint: win-acme keeps the key as it exports it
 * (AccountSigner.cs): JSON of big integers for ES*, .NET's RSAKeyValue XML for RS256. */
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "base/base64url.h"
#include "base/files.h"
#include "base/json.h"
#include "daemon/winacme/winacme.h"

#define SIGNER_MAX_BYTES (64 * 1024)
#define COORDINATE 32 /* bytes, P-256 */

/* cJSON frees what it parsed as it is: a secret among it is wiped by hand. */
static void wipe(const cJSON *object, const char *name)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsString(item))
		OPENSSL_cleanse(item->valuestring, strlen(item->valuestring));
}

/* Gives the big integer, or NULL. */
static BIGNUM *number(const char *base64)
{
	BIGNUM *value = NULL;
	struct buf bytes;

	if (!base64)
		return NULL;
	buf_init_secret(&bytes, 4096);
	if (!base64_any_decode(base64, &bytes) && bytes.len)
		value = BN_bin2bn(bytes.data, (int)bytes.len, NULL);
	buf_release(&bytes);
	return value;
}

static EVP_PKEY *build(const char *type, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

/* Does the public half belong to the private one? */
static bool fits(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool well = ctx && EVP_PKEY_pairwise_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return well;
}

/* ---- ES256 --------------------------------------------------------------- */

static EVP_PKEY *ec_key(const cJSON *json)
{
	unsigned char point[1 + 2 * COORDINATE] = { POINT_CONVERSION_UNCOMPRESSED };
	BIGNUM *d = number(json_string(json, "D")), *x = number(json_string(json, "X")),
	       *y = number(json_string(json, "Y"));
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (builder && d && x && y && BN_bn2binpad(x, point + 1, COORDINATE) > 0 &&
	    BN_bn2binpad(y, point + 1 + COORDINATE, COORDINATE) > 0 &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
					    "prime256v1", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
					     sizeof(point)) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, d))
		key = build("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	BN_clear_free(d);
	BN_free(x);
	BN_free(y);
	return key;
}

static int import_ec(const char *text, EVP_PKEY **ret_key, struct err *err)
{
	cJSON *json = NULL;
	int64_t size;

	if (json_parse(text, strlen(text), &json, err))
		return -1;
	size = json_int(json, "HashSize", 0);
	if (size == 256)
		*ret_key = ec_key(json);
	wipe(json, "D");
	cJSON_Delete(json);
	if (size != 256)
		return err_set(err, ERR_CONFIG,
			       "the account's key is of %lld bits, and certrenewd signs "
			       "with ES256 or RS256",
			       (long long)size);
	return 0;
}

/* ---- RS256 --------------------------------------------------------------- */

/* Gives what stands between <name> and </name>; NULL when it is not there. */
static char *element(const char *xml, const char *name)
{
	char *open = str_printf("<%s>", name), *close = str_printf("</%s>", name);
	const char *begin = strstr(xml, open), *end = begin ? strstr(begin, close) : NULL;
	char *text = NULL;

	if (end) {
		begin += strlen(open);
		text = str_ndup(begin, (size_t)(end - begin));
	}
	free(open);
	free(close);
	return text;
}

static const struct {
	const char *element, *param;
} rsa_parts[] = {
	{ "Modulus", OSSL_PKEY_PARAM_RSA_N },
	{ "Exponent", OSSL_PKEY_PARAM_RSA_E },
	{ "D", OSSL_PKEY_PARAM_RSA_D },
	{ "P", OSSL_PKEY_PARAM_RSA_FACTOR1 },
	{ "Q", OSSL_PKEY_PARAM_RSA_FACTOR2 },
	{ "DP", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
	{ "DQ", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
	{ "InverseQ", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
};
#define RSA_PARTS (sizeof(rsa_parts) / sizeof(*rsa_parts))

static EVP_PKEY *rsa_key(const char *xml)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *numbers[RSA_PARTS] = { NULL };
	EVP_PKEY *key = NULL;
	bool whole = builder != NULL;

	for (size_t i = 0; i < RSA_PARTS; i++) {
		char *text = element(xml, rsa_parts[i].element);

		numbers[i] = number(text);
		whole = whole && numbers[i] &&
			OSSL_PARAM_BLD_push_BN(builder, rsa_parts[i].param, numbers[i]);
		str_free_secret(text);
	}
	if (whole)
		key = build("RSA", builder);
	for (size_t i = 0; i < RSA_PARTS; i++)
		BN_clear_free(numbers[i]);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

/* ---- the files ----------------------------------------------------------- */

static int import_signer(const char *signer, EVP_PKEY **ret_key, struct err *err)
{
	cJSON *json = NULL;
	const char *type, *text;
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (json_parse(signer, strlen(signer), &json, err))
		goto out;
	type = json_string(json, "KeyType");
	text = json_string(json, "KeyExport");
	if (!type || !text) {
		err_set(err, ERR_CONFIG, "it holds no account key");
		goto out;
	}
	if (str_starts(type, "ES")) {
		if (import_ec(text, &key, err))
			goto out;
	} else if (str_starts(type, "RS")) {
		key = rsa_key(text);
	}
	if (!fits(key)) {
		err_set(err, ERR_CONFIG, "its %s key is damaged or not of a known kind",
			type);
		goto out;
	}
	*ret_key = key;
	key = NULL;
	rc = 0;
out:
	EVP_PKEY_free(key);
	wipe(json, "KeyExport");
	cJSON_Delete(json);
	return rc;
}

/* The file holds the protected string, bare or as a JSON string. */
static int read_signer(const char *path, EVP_PKEY **ret_key, struct err *err)
{
	struct buf text, signer;
	char *bare = NULL;
	size_t n;
	int rc = -1;

	buf_init_secret(&text, SIGNER_MAX_BYTES);
	buf_init_secret(&signer, SIGNER_MAX_BYTES);
	if (file_read(path, &text, err))
		goto out;
	bare = str_dup(buf_str(&text));
	n = strlen(bare);
	while (n && strchr("\r\n \"", bare[n - 1]))
		bare[--n] = '\0';
	if (winacme_secret(bare + strspn(bare, "\xEF\xBB\xBF \""), &signer, err) ||
	    import_signer(buf_str(&signer), ret_key, err)) {
		err_wrap(err, "'%s'", path);
		goto out;
	}
	rc = 0;
out:
	str_free_secret(bare);
	buf_release(&signer);
	buf_release(&text);
	return rc;
}

static char *file_of(const char *folder, const char *name, const char *file)
{
	char *named = str_printf("%s%s%s", name ? name : "", name ? "." : "", file);
	char *path = path_join(folder, named);

	free(named);
	return path;
}

int winacme_account(const char *folder, const char *name, EVP_PKEY **ret_key,
		    char **ret_url, struct err *err)
{
	char *signer = file_of(folder, name, "Signer_v2");
	char *registration = file_of(folder, name, "Registration_v2");
	struct err ignored;
	cJSON *json = NULL;
	int rc = read_signer(signer, ret_key, err);

	*ret_url = NULL;
	if (!rc && !winacme_json(registration, &json, &ignored))
		*ret_url = str_dup(json_string(json, "Kid"));
	cJSON_Delete(json);
	free(registration);
	free(signer);
	return rc;
}

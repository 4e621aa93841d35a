/* sigv4.c - canonical request, string to sign, derived key, signature. */
#include "hooks/dns/sigv4.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/clock.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define HASH_BYTES 32
#define HASH_TEXT (2 * HASH_BYTES + 1)
#define DATE_LEN 8 /* of "20150830T123600Z" */
#define CANONICAL_MAX ((size_t)64 * 1024)

struct scope {
	char date[CLOCK_TEXT_MAX]; /* "20150830T123600Z" */
	char text[256];            /* "20150830/us-east-1/route53/aws4_request" */
	const char *signed_headers;
};

static int hash(const void *data, size_t len, char out[HASH_TEXT], struct err *err)
{
	unsigned char digest[HASH_BYTES];

	if (!EVP_Q_digest(NULL, "SHA256", NULL, data, len, digest, NULL))
		return err_openssl(err, "SHA-256");
	hex_encode(digest, sizeof(digest), false, out);
	return 0;
}

static int mac(const void *key, size_t key_len, const char *text,
	       unsigned char out[HASH_BYTES], struct err *err)
{
	size_t len;

	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_len,
		       (const unsigned char *)text, strlen(text), out, HASH_BYTES, &len))
		return err_openssl(err, "HMAC-SHA-256");
	return 0;
}

/* "yyyyMMddTHHmmss.000Z" without its fraction. */
static void format_date(int64_t at, char out[CLOCK_TEXT_MAX])
{
	clock_format_basic(at, out);
	str_copy(strchr(out, '.'), sizeof("Z"), "Z");
}

static void scope_init(struct scope *scope, const struct sigv4_key *key, int64_t at)
{
	char *text;

	format_date(at, scope->date);
	text = str_printf("%.*s/%s/%s/aws4_request", DATE_LEN, scope->date, key->region,
			  key->service);
	str_copy(scope->text, sizeof(scope->text), text);
	free(text);
	scope->signed_headers = key->session_token
					? "host;x-amz-date;x-amz-security-token"
					: "host;x-amz-date";
}

/* The path is escaped once more, byte by byte, as every service but S3 wants it. */
static void add_path(struct buf *out, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr("/-._~", c);

		if (plain)
			buf_append(out, &c, 1);
		else
			buf_printf(out, "%%%02X", c);
	}
}

/* Hashes the canonical request. */
static int hash_request(const struct sigv4_key *key, const struct sigv4_request *request,
			const struct scope *scope, char out[HASH_TEXT], struct err *err)
{
	char body[HASH_TEXT];
	struct buf text;
	int rc = -1;

	buf_init_secret(&text, CANONICAL_MAX); /* of the session token */
	if (hash(request->body ? request->body : "", request->body_len, body, err))
		goto out;
	buf_printf(&text, "%s\n", request->method);
	add_path(&text, request->path);
	buf_printf(&text, "\n%s\nhost:%s\nx-amz-date:%s\n", request->query, request->host,
		   scope->date);
	if (key->session_token)
		buf_printf(&text, "x-amz-security-token:%s\n", key->session_token);
	buf_printf(&text, "\n%s\n%s", scope->signed_headers, body);
	if (!buf_ok(&text)) {
		err_set(err, ERR_CONFIG, "the request is too long to be signed");
		goto out;
	}
	rc = hash(text.data, text.len, out, err);
out:
	buf_release(&text);
	return rc;
}

/* Key after key: date, region, service, and what it is for. */
static int sign_text(const struct sigv4_key *key, const struct scope *scope,
		     const char *text, char out[HASH_TEXT], struct err *err)
{
	unsigned char step[HASH_BYTES], next[HASH_BYTES];
	char *first = str_printf("AWS4%s", key->secret), date[DATE_LEN + 1];
	const char *const parts[] = { key->region, key->service, "aws4_request", text };
	int rc;

	str_copy(date, sizeof(date), scope->date);
	rc = mac(first, strlen(first), date, step, err);
	for (size_t i = 0; !rc && i < sizeof(parts) / sizeof(*parts); i++) {
		rc = mac(step, sizeof(step), parts[i], next, err);
		memcpy(step, next, sizeof(step));
	}
	if (!rc)
		hex_encode(step, sizeof(step), false, out);
	OPENSSL_cleanse(step, sizeof(step));
	OPENSSL_cleanse(next, sizeof(next));
	str_free_secret(first);
	return rc;
}

/* Appends and frees. */
static void add(struct strlist *headers, char *line)
{
	strlist_add(headers, line);
	str_free_secret(line);
}

int sigv4_sign(const struct sigv4_key *key, const struct sigv4_request *request,
	       struct strlist *headers, struct err *err)
{
	char canonical[HASH_TEXT], signature[HASH_TEXT], *text;
	struct scope scope;
	int rc;

	scope_init(&scope, key, request->at);
	if (hash_request(key, request, &scope, canonical, err))
		return -1;
	text = str_printf(ALGORITHM "\n%s\n%s\n%s", scope.date, scope.text, canonical);
	rc = sign_text(key, &scope, text, signature, err);
	free(text);
	if (rc)
		return -1;
	add(headers, str_printf("X-Amz-Date: %s", scope.date));
	if (key->session_token)
		add(headers, str_printf("X-Amz-Security-Token: %s", key->session_token));
	add(headers,
	    str_printf("Authorization: " ALGORITHM " Credential=%s/%s, "
		       "SignedHeaders=%s, Signature=%s",
		       key->access_key_id, scope.text, scope.signed_headers, signature));
	return 0;
}

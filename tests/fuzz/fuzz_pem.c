/* PEM chains, and everything that is asked of a certificate. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "acme/key.h"
#include "base/cert.h"
#include "base/str.h"

static void ask(const struct cert *cert)
{
	static const char *const names[] = { "a.example", "192.0.2.7", NULL };
	struct cert *again = NULL;
	struct err err;
	char *pem = cert_fullchain_pem(cert), *id = cert_ari_id(cert);

	PROMISED(strlen(cert_sha1(cert)) == CERT_SHA1_HEX - 1);
	(void)cert_lifetime_s(cert);
	cert_names_cover(cert, names);
	cert_names_are(cert, names);
	(void)cert_has_client_auth(cert);
	(void)cert_key_type(cert);
	PROMISED(!strpbrk(cert_issuer_text(cert), "\n\r\033"));
	(void)cert_verify_chain(cert, NULL, false, &err);
	PROMISED(!cert_parse(pem, strlen(pem), &again, &err));
	PROMISED(!strcmp(cert_sha256(again), cert_sha256(cert)));
	cert_free(again);
	free(pem);
	free(id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cert *cert = NULL;
	EVP_PKEY *key = NULL;
	struct err err;

	if (!cert_parse((const char *)data, size, &cert, &err))
		ask(cert);
	cert_free(cert);
	if (!key_from_pem(data, size, &key, &err))
		(void)key_type_name(key);
	EVP_PKEY_free(key);
	return 0;
}

#include "daemon/revoked.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/str.h"

/* Digests of one list are of one length, so none is part of another. */
bool revoked_has(const char *list, const char *digest)
{
	return digest[0] && strstr(list, digest);
}

void revoked_add(char *list, size_t size, const char *digest)
{
	char *longer, *last;

	if (revoked_has(list, digest))
		return;
	longer = str_printf("%s%s%s", digest, list[0] ? " " : "", list);
	while (strlen(longer) >= size && (last = strrchr(longer, ' ')))
		*last = '\0';
	str_copy(list, size, longer);
	free(longer);
}

int key_digest(const EVP_PKEY *key, char out[KEY_DIGEST_SIZE])
{
	unsigned char digest[32], *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	int rc = -1;

	if (len > 0 &&
	    EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1) {
		hex_encode(digest, sizeof(digest), false, out);
		rc = 0;
	}
	OPENSSL_free(der);
	return rc;
}

/* Certificate requests of the operator's: as they are, and signed anew, so that names and
 * extensions that were tampered with come past the signature. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <openssl/x509.h>

#include "acme/csr.h"
#include "base/base64url.h"

static bool same(const struct strlist *a, const struct strlist *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (!str_equal(a->items[i], b->items[i]))
			return false;
	return a->n == b->n;
}

static void check_names(const struct csr_facts *facts)
{
	PROMISED(facts->names.n >= 1 && facts->names.n <= 200);
	for (size_t i = 0; i < facts->names.n; i++)
		for (const char *c = facts->names.items[i]; *c; c++)
			PROMISED(*c > ' ' && *c < 0x7f && (*c < 'A' || *c > 'Z'));
}

static void read_request(const void *data, size_t size)
{
	struct csr_facts facts, second;
	struct err err = { 0 };
	struct buf der;

	if (csr_read(data, size, &facts, &err)) {
		PROMISED(err.kind == ERR_CONFIG && err.text[0]);
		PROMISED(!strpbrk(err.text, "\n\r\033"));
		return;
	}
	PROMISED(facts.key);
	check_names(&facts);
	buf_init(&der, 1 << 20);
	PROMISED(!base64_any_decode(facts.der, &der));
	if (der.len <= 65536) { /* what goes to the CA says the same */
		PROMISED(!csr_read(der.data, der.len, &second, &err));
		PROMISED(same(&facts.names, &second.names));
		PROMISED(facts.asks_client_auth == second.asks_client_auth);
		csr_facts_clear(&second);
	}
	buf_release(&der);
	csr_facts_clear(&facts);
}

static void signed_anew(const uint8_t *data, size_t size)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	X509_REQ *request = d2i_X509_REQ(NULL, &data, (long)size);
	unsigned char *der = NULL;
	int len;

	if (request && X509_REQ_set_pubkey(request, key) &&
	    X509_REQ_sign(request, key, NULL)) {
		len = i2d_X509_REQ(request, &der);
		if (len > 0)
			read_request(der, (size_t)len);
		OPENSSL_free(der);
	}
	X509_REQ_free(request);
	EVP_PKEY_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_request(data, size);
	signed_anew(data, size);
	return 0;
}

/* prove_tls_alpn.c - tls-alpn-01 (RFC 8737): our own TLS listener shows a certificate
 * that carries the answer. Its key is made for the moment and kept nowhere. */
#include "daemon/prove.h"

#include <openssl/x509.h>

#include "acme/acme.h"
#include "acme/key.h"
#include "base/identifier.h"
#include "daemon/responders.h"
#include "hooks/tls_alpn01.h"

static struct tls_alpn01 *listener(const struct prover *prover)
{
	return prover->all->pass->in->responders->tls_alpn01;
}

/* What the CA says as server name (RFC 8737 3, RFC 8738 6). */
static void server_name(const char *identifier, char out[IDENTIFIER_TEXT_MAX])
{
	if (identifier_ip_reverse(identifier, out))
		str_copy(out, IDENTIFIER_TEXT_MAX, identifier);
}

static int check(struct prover *prover, const char *identifier, struct err *err)
{
	(void)identifier;
	return tls_alpn01_check(listener(prover), prover->challenge->listen, err);
}

static struct challenge_entry entry_of(const struct prover *prover,
				       const struct acme_challenge *challenge)
{
	return (struct challenge_entry){
		.type = (char *)prover->type->name,
		.domain = (char *)challenge->identifier,
		.token = (char *)challenge->token,
	};
}

static int present(struct prover *prover, const struct acme_challenge *challenge,
		   struct err *err)
{
	const struct challenge_entry entry = entry_of(prover, challenge);
	char name[IDENTIFIER_TEXT_MAX];
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int rc = -1;

	server_name(challenge->identifier, name);
	if (key_generate("ec-p256", &key, err) ||
	    acme_tls_alpn_certificate(challenge->identifier, challenge->key_authorization,
				      key, &cert, err))
		goto out;
	rc = tls_alpn01_serve(listener(prover), prover->challenge->listen, name, cert,
			      key, err);
	if (!rc)
		challenge_record_add(&prover->shown, &entry);
out:
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

/* The listener knows answers by their name: what we could not show there is another
 * order's. */
static void cleanup(struct prover *prover, const struct acme_challenge *challenge)
{
	const struct challenge_entry entry = entry_of(prover, challenge);
	size_t before = prover->shown.n;
	char name[IDENTIFIER_TEXT_MAX];

	challenge_record_remove(&prover->shown, &entry);
	if (prover->shown.n == before)
		return;
	server_name(challenge->identifier, name);
	tls_alpn01_withdraw(listener(prover), prover->challenge->listen, name);
}

const struct prover_type prove_tls_alpn = {
	.name = "tls-alpn-01",
	.addresses = true,
	.check = check,
	.present = present,
	.cleanup = cleanup,
};

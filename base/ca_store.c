#include "base/ca_store.h"

#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "base/ca_system.h"

/* Is there a trusted issuer of this one that has not expired itself? */
static bool issuer_known(X509_STORE_CTX *ctx, X509 *cert)
{
	X509 *issuer = NULL;
	bool known;

	if (!cert || X509_STORE_CTX_get1_issuer(&issuer, ctx, cert) != 1)
		return false;
	known = X509_cmp_current_time(X509_get0_notAfter(issuer)) > 0;
	X509_free(issuer);
	return known;
}

static bool anchored(X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);
	bool found;

	ERR_set_mark();
	found = issuer_known(ctx, X509_STORE_CTX_get0_cert(ctx));
	for (int i = 0; !found && i < sk_X509_num(sent); i++)
		found = issuer_known(ctx, sk_X509_value(sent, i));
	ERR_pop_to_mark();
	return found;
}

int ca_store_verify(X509_STORE_CTX *ctx, const char *file)
{
	if (!anchored(ctx))
		ca_system_seek(ctx, file);
	if (X509_verify_cert(ctx) != 1)
		return 0;
	if (!ca_system_distrusts(ctx))
		return 1;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REJECTED);
	return 0;
}

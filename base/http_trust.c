/* http_trust.c - whom the HTTP client believes: the system's trust and the operator's own
 * CA beside it. curl's CAINFO would replace the one by the other. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/ca_store.h"
#include "base/files.h"
#include "base/http_parts.h"

#define BUNDLE_MAX_BYTES (2 * 1024 * 1024)

/* Reads one certificate after the other until the text ends. -1: one of them is damaged.
 */
static int read_certificates(BIO *pem, STACK_OF(X509) * into)
{
	unsigned long reason;
	X509 *cert;

	while ((cert = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL) {
		if (!sk_X509_push(into, cert)) {
			X509_free(cert);
			return -1;
		}
	}
	reason = ERR_peek_last_error();
	if (ERR_GET_LIB(reason) != ERR_LIB_PEM ||
	    ERR_GET_REASON(reason) != PEM_R_NO_START_LINE)
		return -1;
	ERR_clear_error();
	return 0;
}

static int parse_bundle(const struct buf *text, STACK_OF(X509) * into, const char *path,
			struct err *err)
{
	BIO *pem = BIO_new_mem_buf(text->len ? (const void *)text->data : "",
				   (int)text->len);
	int rc = 0;

	ERR_clear_error();
	if (!pem || read_certificates(pem, into)) {
		err_openssl(err, "ca_bundle '%s': certificate %d is damaged", path,
			    sk_X509_num(into) + 1);
		err->kind = ERR_CONFIG;
		rc = -1;
	} else if (sk_X509_num(into) == 0) {
		rc = err_set(err, ERR_CONFIG,
			     "ca_bundle '%s' holds no certificate (PEM is expected)",
			     path);
	}
	BIO_free(pem);
	return rc;
}

int http_bundle_load(const char *path, STACK_OF(X509) * *ret, struct err *err)
{
	STACK_OF(X509) *bundle = sk_X509_new_null();
	struct buf text;
	int rc = -1;

	buf_init(&text, BUNDLE_MAX_BYTES);
	if (!bundle) {
		err_openssl(err, "ca_bundle '%s'", path);
		goto out;
	}
	if (file_read(path, &text, err)) {
		err_wrap(err, "ca_bundle");
		err->kind = ERR_CONFIG;
		goto out;
	}
	if (parse_bundle(&text, bundle, path, err))
		goto out;
	*ret = bundle;
	bundle = NULL;
	rc = 0;
out:
	sk_X509_pop_free(bundle, X509_free);
	buf_release(&text);
	return rc;
}

static int verify(X509_STORE_CTX *ctx, void *arg)
{
	const struct http_trust *trust = arg;

	return ca_store_verify(ctx, trust->file);
}

CURLcode http_trust(CURL *easy, void *ssl_ctx, void *arg)
{
	struct http_trust *trust = arg;
	X509_STORE *store = SSL_CTX_get_cert_store(ssl_ctx);
	int i;

	(void)easy;
	for (i = 0; i < sk_X509_num(trust->bundle); i++)
		if (!store ||
		    !X509_STORE_add_cert(store, sk_X509_value(trust->bundle, i)))
			return CURLE_SSL_CERTPROBLEM;
	SSL_CTX_set_cert_verify_callback(ssl_ctx, verify, trust);
	return CURLE_OK;
}

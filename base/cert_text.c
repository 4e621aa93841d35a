/* cert_text.c - a certificate as text for others: PEM, and ARI's identifier. */
#include "base/cert.h"

#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/base64url.h"
#include "base/str.h"

/* Writing to memory fails only when there is none left. */
static void write_pem(BIO *bio, const X509 *x509)
{
	if (!PEM_write_bio_X509(bio, x509))
		abort();
}

static char *pem_of(const struct cert *cert, bool leaf, bool chain)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long len;

	if (!bio)
		abort();
	if (leaf)
		write_pem(bio, cert_leaf(cert));
	for (int i = 0; chain && i < sk_X509_num(cert_chain(cert)); i++)
		write_pem(bio, sk_X509_value(cert_chain(cert), i));
	len = BIO_get_mem_data(bio, &bytes);
	text = len > 0 ? str_ndup(bytes, (size_t)len) : str_dup("");
	BIO_free(bio);
	return text;
}

char *cert_fullchain_pem(const struct cert *cert)
{
	return pem_of(cert, true, true);
}

char *cert_chain_pem(const struct cert *cert)
{
	return pem_of(cert, false, true);
}

char *cert_leaf_pem(const struct cert *cert)
{
	return pem_of(cert, true, false);
}

/* base64url of the serial's DER content bytes: a leading 00 belongs to them. */
static char *serial_part(const X509 *x509)
{
	unsigned char *der = NULL;
	const unsigned char *content;
	int tag, class, len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &der);
	long content_len;
	char *text = NULL;

	if (len <= 0)
		return NULL;
	content = der;
	if (!(ASN1_get_object(&content, &content_len, &tag, &class, len) & 0x80))
		text = base64url_encode(content, (size_t)content_len);
	OPENSSL_free(der);
	return text;
}

char *cert_ari_id(const struct cert *cert)
{
	const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(cert_leaf(cert));
	char *key_part = NULL, *serial = NULL, *id = NULL;

	if (!aki || ASN1_STRING_length(aki) == 0)
		return NULL;
	key_part = base64url_encode(ASN1_STRING_get0_data(aki),
				    (size_t)ASN1_STRING_length(aki));
	serial = serial_part(cert_leaf(cert));
	if (serial)
		id = str_printf("%s.%s", key_part, serial);
	free(serial);
	free(key_part);
	return id;
}

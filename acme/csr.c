#include "acme/csr.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "acme/key.h"
#include "base/base64url.h"
#include "base/identifier.h"
#include "base/str.h"

#define COMMON_NAME_MAX 64 /* ub-common-name, RFC 5280 A.1 */

static int set_common_name(X509_REQ *req, const char *const *names)
{
	X509_NAME *subject = X509_REQ_get_subject_name(req);

	for (; *names; names++) {
		if (strlen(*names) > COMMON_NAME_MAX || identifier_is_ip(*names))
			continue;
		return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
						  (const unsigned char *)*names, -1, -1,
						  0)
			       ? 0
			       : -1;
	}
	return 0; /* none fits: then there is none */
}

static int add_name(GENERAL_NAMES *list, const char *text)
{
	unsigned char ip[IDENTIFIER_IP_MAX];
	size_t ip_len = identifier_ip_bytes(text, ip);
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value = ASN1_STRING_type_new(ip_len ? V_ASN1_OCTET_STRING
							 : V_ASN1_IA5STRING);

	if (!name || !value ||
	    !(ip_len ? ASN1_STRING_set(value, ip, (int)ip_len)
		     : ASN1_STRING_set(value, text, -1))) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(value);
		return -1;
	}
	GENERAL_NAME_set0_value(name, ip_len ? GEN_IPADD : GEN_DNS, value);
	if (sk_GENERAL_NAME_push(list, name) > 0)
		return 0;
	GENERAL_NAME_free(name);
	return -1;
}

static int set_alternative_names(X509_REQ *req, const char *const *names)
{
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
	int rc = -1;

	for (; list && *names; names++) {
		if (add_name(list, *names))
			goto out;
	}
	if (!list || !X509V3_add1_i2d(&extensions, NID_subject_alt_name, list, 0, 0) ||
	    !X509_REQ_add_extensions(req, extensions))
		goto out;
	rc = 0;
out:
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	GENERAL_NAMES_free(list);
	return rc;
}

static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	return str_equal(key_type_name(key), "ec-p384") ? EVP_sha384() : EVP_sha256();
}

/* Gives; NULL with the reason. */
static X509_REQ *make(EVP_PKEY *key, const char *const *names, bool common_name,
		      struct err *err)
{
	X509_REQ *req = X509_REQ_new();

	if (req && X509_REQ_set_version(req, X509_REQ_VERSION_1) &&
	    !(common_name && set_common_name(req, names)) &&
	    !set_alternative_names(req, names) && X509_REQ_set_pubkey(req, key) &&
	    X509_REQ_sign(req, key, digest_for(key)) > 0)
		return req;
	err_openssl(err, "make a certificate request for '%s'", names[0]);
	X509_REQ_free(req);
	return NULL;
}

int csr_make(EVP_PKEY *key, const char *const *names, bool common_name, char **ret_csr,
	     struct err *err)
{
	X509_REQ *req = make(key, names, common_name, err);
	unsigned char *der = NULL;
	int len;

	if (!req)
		return -1;
	len = i2d_X509_REQ(req, &der);
	X509_REQ_free(req);
	if (len <= 0)
		return err_openssl(err, "encode a certificate request for '%s'",
				   names[0]);
	*ret_csr = base64url_encode(der, (size_t)len);
	OPENSSL_free(der);
	return 0;
}

int csr_make_pem(EVP_PKEY *key, const char *const *names, bool common_name,
		 char **ret_pem, struct err *err)
{
	X509_REQ *req = make(key, names, common_name, err);
	BIO *bio = req ? BIO_new(BIO_s_mem()) : NULL;
	char *text;
	long len;
	int rc = -1;

	if (!req)
		return -1;
	if (!bio || !PEM_write_bio_X509_REQ(bio, req)) {
		err_openssl(err, "encode a certificate request for '%s'", names[0]);
		goto out;
	}
	len = BIO_get_mem_data(bio, &text);
	*ret_pem = str_ndup(text, (size_t)len);
	rc = 0;
out:
	BIO_free(bio);
	X509_REQ_free(req);
	return rc;
}

/* tls_alpn.c - the certificate that answers tls-alpn-01 (RFC 8737 3). */
#include "acme/acme.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/identifier.h"

#define ACME_IDENTIFIER "1.3.6.1.5.5.7.1.31"
#define LIFETIME_S (7 * 24 * 3600L)
#define BACKDATED_S (24 * 3600L) /* the CA's clock is not ours */

/* Critical; an OCTET STRING of the digest inside the extension's own. */
static int add_digest(X509 *cert, const char *key_authorization)
{
	unsigned char value[2 + 32] = { V_ASN1_OCTET_STRING, 32 };
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *oid = OBJ_txt2obj(ACME_IDENTIFIER, 1);
	X509_EXTENSION *extension = NULL;
	unsigned len;
	int rc = -1;

	if (!octets || !oid ||
	    !EVP_Digest(key_authorization, strlen(key_authorization), value + 2, &len,
			EVP_sha256(), NULL) ||
	    !ASN1_OCTET_STRING_set(octets, value, (int)sizeof(value)))
		goto out;
	extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, octets);
	if (extension && X509_add_ext(cert, extension, -1))
		rc = 0;
out:
	X509_EXTENSION_free(extension);
	ASN1_OBJECT_free(oid);
	ASN1_OCTET_STRING_free(octets);
	return rc;
}

static int add_name(X509 *cert, const char *identifier)
{
	unsigned char ip[IDENTIFIER_IP_MAX];
	size_t ip_len = identifier_ip_bytes(identifier, ip);
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value = ASN1_STRING_type_new(ip_len ? V_ASN1_OCTET_STRING
							 : V_ASN1_IA5STRING);
	int rc = -1;

	if (!names || !name || !value ||
	    !(ip_len ? ASN1_STRING_set(value, ip, (int)ip_len)
		     : ASN1_STRING_set(value, identifier, -1)))
		goto out;
	GENERAL_NAME_set0_value(name, ip_len ? GEN_IPADD : GEN_DNS, value);
	value = NULL;
	if (sk_GENERAL_NAME_push(names, name) <= 0)
		goto out;
	name = NULL;
	if (X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0))
		rc = 0;
out:
	ASN1_STRING_free(value);
	GENERAL_NAME_free(name);
	GENERAL_NAMES_free(names);
	return rc;
}

static int set_serial(X509 *cert)
{
	unsigned char bytes[16];
	BIGNUM *number;
	int rc = -1;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return -1;
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	if (number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)))
		rc = 0;
	BN_free(number);
	return rc;
}

int acme_tls_alpn_certificate(const char *identifier, const char *key_authorization,
			      EVP_PKEY *key, X509 **ret_cert, struct err *err)
{
	X509 *cert = X509_new();
	X509_NAME *name;

	if (!cert || !X509_set_version(cert, X509_VERSION_3) || set_serial(cert) ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATED_S) ||
	    !X509_gmtime_adj(X509_getm_notAfter(cert), LIFETIME_S) ||
	    !X509_set_pubkey(cert, key))
		goto fail;
	name = X509_get_subject_name(cert);
	if (!X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
					(const unsigned char *)"ACME challenge", -1, -1,
					0) ||
	    !X509_set_issuer_name(cert, name) || add_name(cert, identifier) ||
	    add_digest(cert, key_authorization) || !X509_sign(cert, key, EVP_sha256()))
		goto fail;
	*ret_cert = cert;
	return 0;
fail:
	X509_free(cert);
	return err_openssl(err, "make the tls-alpn-01 certificate of '%s'", identifier);
}

#include "acme/self_signed.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "acme/key.h"
#include "base/random.h"
#include "base/str.h"

#define COMMON_NAME_MAX 64 /* ub-common-name, RFC 5280 A.1 */
#define SERIAL_BYTES 16

/* Positive, and never zero (RFC 5280 4.1.2.2). */
static int set_serial(X509 *x509)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number;
	int rc;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	rc = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) ? 0 : -1;
	BN_free(number);
	return rc;
}

static int set_subject(X509 *x509, const struct self_signed_request *request)
{
	X509_NAME *subject = X509_get_subject_name(x509);
	const char *const *names = request->names;

	while (request->common_name && *names && strlen(*names) > COMMON_NAME_MAX)
		names++;
	if (request->common_name && *names &&
	    !X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
					(const unsigned char *)*names, -1, -1, 0))
		return -1;
	return X509_set_issuer_name(x509, subject) ? 0 : -1;
}

static int set_dates(X509 *x509, const struct self_signed_request *request)
{
	int64_t end_at = request->now + request->lifetime_s;

	return ASN1_TIME_set(X509_getm_notBefore(x509),
			     request->now - SELF_SIGNED_BACKDATED_S) &&
			       ASN1_TIME_set(X509_getm_notAfter(x509), end_at)
		       ? 0
		       : -1;
}

static int add_name(GENERAL_NAMES *list, const char *text)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
	ASN1_IA5STRING *host = address ? NULL : ASN1_IA5STRING_new();
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (!name || (!address && (!host || !ASN1_STRING_set(host, text, -1)))) {
		ASN1_OCTET_STRING_free(address);
		ASN1_IA5STRING_free(host);
		GENERAL_NAME_free(name);
		return -1;
	}
	if (address)
		GENERAL_NAME_set0_value(name, GEN_IPADD, address);
	else
		GENERAL_NAME_set0_value(name, GEN_DNS, host);
	if (sk_GENERAL_NAME_push(list, name) > 0)
		return 0;
	GENERAL_NAME_free(name);
	return -1;
}

/* An empty subject makes the names critical (RFC 5280 4.2.1.6). */
static int add_names(X509 *x509, const char *const *names)
{
	GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
	int critical = X509_NAME_entry_count(X509_get_subject_name(x509)) == 0;
	int rc = list ? 0 : -1;

	for (; !rc && *names; names++)
		rc = add_name(list, *names);
	if (!rc && X509_add1_ext_i2d(x509, NID_subject_alt_name, list, critical, 0) != 1)
		rc = -1;
	GENERAL_NAMES_free(list);
	return rc;
}

static int add_uses(X509 *x509)
{
	static const struct {
		int nid;
		const char *value;
	} extensions[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature,keyEncipherment" },
		{ NID_ext_key_usage, "serverAuth" },
		{ NID_subject_key_identifier, "hash" },
	};
	X509V3_CTX ctx;
	int rc = 0;

	X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions) && !rc; i++) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(
			NULL, &ctx, extensions[i].nid, extensions[i].value);

		rc = extension && X509_add_ext(x509, extension, -1) ? 0 : -1;
		X509_EXTENSION_free(extension);
	}
	return rc;
}

static int append_pem(X509 *x509, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;
	int rc = -1;

	if (bio && PEM_write_bio_X509(bio, x509)) {
		len = BIO_get_mem_data(bio, &text);
		rc = len > 0 ? buf_append(ret, text, (size_t)len) : -1;
	}
	BIO_free(bio);
	return rc;
}

int self_signed_make(const struct self_signed_request *request, struct buf *ret,
		     struct err *err)
{
	const EVP_MD *digest = str_equal(key_type_name(request->key), "ec-p384")
				       ? EVP_sha384()
				       : EVP_sha256();
	X509 *x509 = X509_new();
	int rc = -1;

	if (!x509 || !X509_set_version(x509, X509_VERSION_3) || set_serial(x509) ||
	    set_subject(x509, request) || set_dates(x509, request) ||
	    !X509_set_pubkey(x509, request->key) || add_names(x509, request->names) ||
	    add_uses(x509) || X509_sign(x509, request->key, digest) <= 0 ||
	    append_pem(x509, ret)) {
		err_openssl(err, "make a self-signed certificate for '%s'",
			    request->names[0]);
		goto out;
	}
	rc = 0;
out:
	X509_free(x509);
	return rc;
}

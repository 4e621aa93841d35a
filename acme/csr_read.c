/* csr_read.c - a request that somebody else made: what it asks for (RFC 2986). Pure. */
#include "acme/csr.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/base64url.h"
#include "base/identifier.h"

#define CSR_MAX 65536
#define NAMES_MAX 200
#define NAME_LEN_MAX 253

static int no_password(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)ctx;
	return -1;
}

static bool looks_like_pem(const char *data, size_t len)
{
	static const char mark[] = "-----BEGIN ";

	for (size_t i = 0; i + sizeof(mark) <= len; i++) {
		if (!memcmp(data + i, mark, sizeof(mark) - 1))
			return true;
	}
	return false;
}

static X509_REQ *parse(const char *data, size_t len, struct err *err)
{
	const unsigned char *at = (const unsigned char *)data;
	X509_REQ *req;
	BIO *bio;

	if (len == 0 || len > CSR_MAX) {
		err_set(err, ERR_CONFIG,
			"not a certificate request: %zu bytes, not 1 to %d", len,
			CSR_MAX);
		return NULL;
	}
	if (looks_like_pem(data, len)) {
		bio = BIO_new_mem_buf(data, (int)len);
		req = bio ? PEM_read_bio_X509_REQ(bio, NULL, no_password, NULL) : NULL;
		BIO_free(bio);
	} else {
		req = d2i_X509_REQ(NULL, &at, (long)len);
	}
	if (!req) {
		err_openssl(err, "not a certificate request (PKCS#10, PEM or DER)");
		err->kind = ERR_CONFIG;
	}
	return req;
}

/* Does it hold what host names and addresses are made of, and nothing else? */
static bool is_plain(const char *text, int len)
{
	if (len < 1 || len > NAME_LEN_MAX)
		return false;
	for (int i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return true;
}

static int add_name(struct strlist *names, const char *text, int len, struct err *err)
{
	char *name;

	if (!is_plain(text, len))
		return err_set(err, ERR_CONFIG,
			       "the certificate request has a name that no host has");
	if (names->n == NAMES_MAX)
		return err_set(err, ERR_CONFIG,
			       "the certificate request has more than %d names",
			       NAMES_MAX);
	name = str_ndup(text, (size_t)len);
	for (char *c = name; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
	if (!strlist_has(names, name))
		strlist_add(names, name);
	free(name);
	return 0;
}

static int add_alternative(struct strlist *names, const GENERAL_NAME *each,
			   struct err *err)
{
	char ip[IDENTIFIER_TEXT_MAX];
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(each, &type);

	if (type == GEN_DNS)
		return add_name(names, (const char *)ASN1_STRING_get0_data(value),
				ASN1_STRING_length(value), err);
	if (type == GEN_IPADD &&
	    !identifier_ip_from_bytes(ASN1_STRING_get0_data(value),
				      (size_t)ASN1_STRING_length(value), ip))
		return add_name(names, ip, (int)strlen(ip), err);
	return err_set(err, ERR_CONFIG,
		       "the certificate request has a subjectAltName that is neither "
		       "a DNS name nor an IP address: CAs refuse it");
}

/* subjectAltName, and behind it the common name where it is not among them: what the CA
 * takes for the names asked for (RFC 8555 7.4). */
static int read_names(const STACK_OF(X509_EXTENSION) * extensions, struct csr_facts *ret,
		      struct err *err)
{
	GENERAL_NAMES *list = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL,
					     NULL);
	int rc = 0;

	for (int i = 0; !rc && i < sk_GENERAL_NAME_num(list); i++)
		rc = add_alternative(&ret->names, sk_GENERAL_NAME_value(list, i), err);
	GENERAL_NAMES_free(list);
	if (!rc && ret->common_name)
		rc = add_name(&ret->names, ret->common_name,
			      (int)strlen(ret->common_name), err);
	if (!rc && !ret->names.n)
		rc = err_set(err, ERR_CONFIG, "the certificate request has no names");
	return rc;
}

static int read_common_name(X509_REQ *req, char **ret_name, struct err *err)
{
	const X509_NAME *subject = X509_REQ_get_subject_name(req);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *utf8 = NULL;
	int len;

	if (at < 0)
		return 0;
	len = ASN1_STRING_to_UTF8(
		&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (len < 1 || strlen((const char *)utf8) != (size_t)len) {
		OPENSSL_free(utf8);
		return err_set(err, ERR_CONFIG,
			       "the certificate request has a common name that is none");
	}
	*ret_name = str_ndup((const char *)utf8, (size_t)len);
	OPENSSL_free(utf8);
	return 0;
}

static bool asks_client_auth(const STACK_OF(X509_EXTENSION) * extensions)
{
	EXTENDED_KEY_USAGE *usages = X509V3_get_d2i(extensions, NID_ext_key_usage, NULL,
						    NULL);
	bool asks = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
		asks = asks ||
		       OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i)) == NID_client_auth;
	EXTENDED_KEY_USAGE_free(usages);
	return asks;
}

static int encode(X509_REQ *req, char **ret_der, struct err *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509_REQ(req, &der);

	if (len <= 0)
		return err_openssl(err, "encode the certificate request");
	*ret_der = base64url_encode(der, (size_t)len);
	OPENSSL_free(der);
	return 0;
}

int csr_read(const void *data, size_t len, struct csr_facts *ret, struct err *err)
{
	X509_REQ *req = parse(data, len, err);
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	struct csr_facts facts = { 0 };
	int rc = -1;

	if (!req)
		return -1;
	facts.key = X509_REQ_get_pubkey(req);
	if (!facts.key || X509_REQ_verify(req, facts.key) != 1) {
		err_openssl(err, "the certificate request is not signed by its own key");
		err->kind = ERR_CONFIG;
		goto out;
	}
	extensions = X509_REQ_get_extensions(req);
	if (read_common_name(req, &facts.common_name, err) ||
	    read_names(extensions, &facts, err) || encode(req, &facts.der, err))
		goto out;
	facts.asks_client_auth = asks_client_auth(extensions);
	*ret = facts;
	facts = (struct csr_facts){ 0 };
	rc = 0;
out:
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	csr_facts_clear(&facts);
	X509_REQ_free(req);
	return rc;
}

void csr_facts_clear(struct csr_facts *facts)
{
	if (!facts)
		return;
	strlist_clear(&facts->names);
	free(facts->common_name);
	free(facts->der);
	EVP_PKEY_free(facts->key);
	*facts = (struct csr_facts){ 0 };
}

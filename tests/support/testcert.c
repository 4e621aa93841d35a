#include "tests/support/testcert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/str.h"

#define DAY_S INT64_C(86400)

/* assert() would vanish with NDEBUG, and with it the certificate. */
#define MUST(condition) must((condition) ? 1 : 0, #condition, __LINE__)

static void must(int ok, const char *what, int line)
{
	if (ok)
		return;
	fprintf(stderr, "testcert.c:%d: %s failed\n", line, what);
	ERR_print_errors_fp(stderr);
	abort();
}

EVP_PKEY *testcert_key(const char *key_type)
{
	EVP_PKEY *key = NULL;

	if (!key_type || str_equal(key_type, "ec-p256"))
		key = EVP_EC_gen("P-256");
	else if (str_equal(key_type, "ec-p384"))
		key = EVP_EC_gen("P-384");
	else if (str_starts(key_type, "rsa-"))
		key = EVP_RSA_gen((unsigned)strtoul(key_type + 4, NULL, 10));
	MUST(key);
	return key;
}

static void set_time(ASN1_TIME *time, int64_t at)
{
	char text[CLOCK_TEXT_MAX], asn1[24];

	/* "2026-11-21T03:31:28Z" without its marks is ASN.1's form. */
	clock_format_rfc3339(at, text);
	snprintf(asn1, sizeof(asn1), "%.4s%.2s%.2s%.2s%.2s%.2sZ", text, text + 5,
		 text + 8, text + 11, text + 14, text + 17);
	MUST(ASN1_TIME_set_string_X509(time, asn1));
}

static void set_dates(X509 *x509, const struct testcert_spec *spec)
{
	int64_t from = spec->not_before_at ? spec->not_before_at : clock_wall() - 3600;
	int64_t to = spec->not_after_at ? spec->not_after_at : from + 90 * DAY_S;

	set_time(X509_getm_notBefore(x509), from);
	set_time(X509_getm_notAfter(x509), to);
}

static void set_serial(X509 *x509, const char *hex)
{
	unsigned char bytes[20];
	BIGNUM *number = NULL;

	if (hex) {
		MUST(BN_hex2bn(&number, hex) == (int)strlen(hex));
	} else {
		MUST(RAND_bytes(bytes, sizeof(bytes)) == 1);
		bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
		MUST((number = BN_bin2bn(bytes, sizeof(bytes), NULL)));
	}
	MUST(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)));
	BN_free(number);
}

static void add_part(X509_NAME *name, const char *field, const char *value)
{
	MUST(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
					(const unsigned char *)value, -1, -1, 0));
}

/* "/CN=a/O=b \/ c": parts in DER order. */
static void set_subject_text(X509_NAME *name, const char *subject)
{
	char part[512];
	size_t n;

	MUST(*subject == '/');
	while (*subject == '/') {
		for (n = 0, subject++; *subject && *subject != '/'; n++) {
			MUST(n + 1 < sizeof(part));
			subject += *subject == '\\' && subject[1];
			part[n] = *subject++;
		}
		part[n] = '\0';
		MUST(strchr(part, '='));
		*strchr(part, '=') = '\0';
		add_part(name, part, part + strlen(part) + 1);
	}
}

static void set_subject(X509 *x509, const struct testcert_spec *spec)
{
	X509_NAME *name = X509_get_subject_name(x509);
	const char *cn = spec->common_name;

	if (spec->subject) {
		set_subject_text(name, spec->subject);
		return;
	}
	if (!cn && spec->names)
		cn = spec->names[0];
	if (cn && *cn)
		add_part(name, "CN", cn);
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	MUST(extension);
	MUST(X509_add_ext(x509, extension, -1));
	X509_EXTENSION_free(extension);
}

static void add_names(X509 *x509, const struct testcert_spec *spec)
{
	const char *const none[] = { NULL };
	const char *const *names = spec->names ? spec->names : none;
	const char *const *ips = spec->ips ? spec->ips : none;
	GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();

	for (; *names; names++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *text = ASN1_IA5STRING_new();

		MUST(name && text && ASN1_STRING_set(text, *names, -1));
		GENERAL_NAME_set0_value(name, GEN_DNS, text);
		sk_GENERAL_NAME_push(list, name);
	}
	for (; *ips; ips++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_OCTET_STRING *ip = a2i_IPADDRESS(*ips);

		MUST(name && ip);
		GENERAL_NAME_set0_value(name, GEN_IPADD, ip);
		sk_GENERAL_NAME_push(list, name);
	}
	if (sk_GENERAL_NAME_num(list) > 0)
		MUST(X509_add1_ext_i2d(x509, NID_subject_alt_name, list, 0, 0) == 1);
	GENERAL_NAMES_free(list);
}

static void add_aki(X509 *x509, X509 *issuer, const char *hex)
{
	AUTHORITY_KEYID *aki;
	unsigned char bytes[64];
	size_t len;

	if (!hex) {
		/* X509_get0_subject_key_id() would freeze a half-built x509. */
		if (X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0)
			add_extension(x509, issuer, NID_authority_key_identifier,
				      "keyid");
		return;
	}
	len = strlen(hex) / 2;
	if (len == 0)
		return;
	MUST(len <= sizeof(bytes) && hex_decode(hex, bytes, len) == 0);
	aki = AUTHORITY_KEYID_new();
	MUST(aki && (aki->keyid = ASN1_OCTET_STRING_new()));
	MUST(ASN1_OCTET_STRING_set(aki->keyid, bytes, (int)len));
	MUST(X509_add1_ext_i2d(x509, NID_authority_key_identifier, aki, 0, 0) == 1);
	AUTHORITY_KEYID_free(aki);
}

static void add_extensions(X509 *x509, X509 *issuer, const struct testcert_spec *spec)
{
	const char *usage = spec->ca ? "critical,keyCertSign,cRLSign"
				     : "critical,digitalSignature";
	const char *eku = spec->ca ? "" : "serverAuth";

	if (spec->key_usage)
		usage = spec->key_usage;
	if (spec->eku)
		eku = spec->eku;
	add_extension(x509, issuer, NID_basic_constraints,
		      spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (*usage)
		add_extension(x509, issuer, NID_key_usage, usage);
	if (*eku)
		add_extension(x509, issuer, NID_ext_key_usage, eku);
	add_extension(x509, issuer, NID_subject_key_identifier, "hash");
	add_aki(x509, issuer, spec->aki_hex);
	add_names(x509, spec);
}

/* The issuer itself and what stands above it; a self-signed one is a root. */
static void collect_above(struct testcert *cert, const struct testcert *issuer)
{
	MUST((cert->above = sk_X509_new_null()));
	if (!issuer || X509_self_signed(issuer->x509, 0) == 1)
		return;
	X509_up_ref(issuer->x509);
	sk_X509_push(cert->above, issuer->x509);
	for (int i = 0; i < sk_X509_num(issuer->above); i++) {
		X509_up_ref(sk_X509_value(issuer->above, i));
		sk_X509_push(cert->above, sk_X509_value(issuer->above, i));
	}
}

struct testcert *testcert_new(const struct testcert_spec *spec)
{
	struct testcert *cert = mem_calloc(1, sizeof(*cert));
	EVP_PKEY *signer;
	X509 *issuer;

	if (spec->key) {
		EVP_PKEY_up_ref(spec->key);
		cert->key = spec->key;
	} else {
		cert->key = testcert_key(spec->key_type);
	}
	MUST((cert->x509 = X509_new()));
	issuer = spec->issuer ? spec->issuer->x509 : cert->x509;
	signer = spec->issuer ? spec->issuer->key : cert->key;
	if (spec->sign_with)
		signer = spec->sign_with;

	MUST(X509_set_version(cert->x509, X509_VERSION_3));
	set_serial(cert->x509, spec->serial_hex);
	set_dates(cert->x509, spec);
	set_subject(cert->x509, spec);
	MUST(X509_set_issuer_name(cert->x509, X509_get_subject_name(issuer)));
	MUST(X509_set_pubkey(cert->x509, cert->key));
	add_extensions(cert->x509, issuer, spec);
	MUST(X509_sign(cert->x509, signer, EVP_sha256()) > 0);
	collect_above(cert, spec->issuer);
	return cert;
}

struct testcert *testcert_ca(const char *common_name)
{
	int64_t now = clock_wall();

	return testcert_new(&(struct testcert_spec){
		.ca = true,
		.common_name = common_name,
		.not_before_at = now - DAY_S * 365 * 5,
		.not_after_at = now + DAY_S * 365 * 5,
	});
}

struct testcert *testcert_leaf(const struct testcert *issuer, const char *host,
			       int64_t not_before_at, int64_t not_after_at)
{
	const char *const names[] = { host, NULL };

	return testcert_new(&(struct testcert_spec){
		.issuer = issuer,
		.names = names,
		.not_before_at = not_before_at,
		.not_after_at = not_after_at,
	});
}

void testcert_free(struct testcert *cert)
{
	if (!cert)
		return;
	sk_X509_pop_free(cert->above, X509_free);
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	free(cert);
}

/* Takes `bio`. */
static char *text_of(BIO *bio)
{
	char *bytes, *text;
	long len = BIO_get_mem_data(bio, &bytes);

	MUST(len > 0);
	text = str_ndup(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

char *testcert_pem(const struct testcert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(bio && PEM_write_bio_X509(bio, cert->x509));
	return text_of(bio);
}

char *testcert_fullchain_pem(const struct testcert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(bio && PEM_write_bio_X509(bio, cert->x509));
	for (int i = 0; i < sk_X509_num(cert->above); i++)
		MUST(PEM_write_bio_X509(bio, sk_X509_value(cert->above, i)));
	return text_of(bio);
}

char *testcert_pem_of_key(const EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	return text_of(bio);
}

char *testcert_key_pem(const struct testcert *cert)
{
	return testcert_pem_of_key(cert->key);
}

char *testcert_thumbprint(const struct testcert *cert)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char *text = mem_calloc(2 * sizeof(digest) + 1, 1);
	unsigned len;

	MUST(X509_digest(cert->x509, EVP_sha1(), digest, &len));
	hex_encode(digest, len, true, text);
	return text;
}

/* The DNS names that a request asks for. */
static void read_requested_names(X509_REQ *csr, struct strlist *ret)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);
	GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL,
					      NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			strlist_add(ret,
				    (const char *)ASN1_STRING_get0_data(name->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

struct testcert *testcert_from_csr(const struct testcert *issuer, const void *csr_der,
				   size_t len, int64_t not_before_at,
				   int64_t not_after_at)
{
	const unsigned char *p = csr_der;
	X509_REQ *csr = d2i_X509_REQ(NULL, &p, (long)len);
	struct strlist names = { 0 };
	struct testcert *cert;

	MUST(csr && X509_REQ_verify(csr, X509_REQ_get0_pubkey(csr)) == 1);
	read_requested_names(csr, &names);
	cert = testcert_new(&(struct testcert_spec){
		.issuer = issuer,
		.key = X509_REQ_get0_pubkey(csr),
		.names = (const char *const *)names.items,
		.not_before_at = not_before_at,
		.not_after_at = not_after_at,
	});
	strlist_clear(&names);
	X509_REQ_free(csr);
	return cert;
}

void testcert_write(const char *path, const char *text)
{
	FILE *file;

	(void)remove(path);
	MUST((file = fopen(path, "wbx")));
	MUST(fwrite(text, 1, strlen(text), file) == strlen(text));
	MUST(fclose(file) == 0);
}

#include "base/cert_facts.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/x509v3.h>

#include "base/buf.h"

static void lower(char *text)
{
	for (; *text; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

/* A NUL or a blank inside a name makes two readers see two names. */
static void add_dns(const ASN1_STRING *dns, struct strlist *ret)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(dns);
	size_t len = (size_t)ASN1_STRING_length(dns);
	bool valid = len > 0;
	char *name;

	for (size_t i = 0; i < len; i++)
		valid = valid && bytes[i] > ' ' && bytes[i] < 0x7f;
	name = valid ? str_ndup((const char *)bytes, len) : str_dup("(invalid)");
	lower(name);
	strlist_add(ret, name);
	free(name);
}

/* RFC 5952: the longest run of two or more zero groups is written "::". */
static void format_ipv6(const unsigned char *ip, struct buf *out)
{
	unsigned group[8];
	int best = -1, best_len = 1;

	for (size_t i = 0; i < 8; i++)
		group[i] = (unsigned)(ip[2 * i] << 8 | ip[2 * i + 1]);
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && group[i + n] == 0)
			n++;
		if (n > best_len) {
			best = i;
			best_len = n;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			buf_puts(out, "::");
			i += best_len - 1;
			continue;
		}
		if (i > 0 && i != best + best_len)
			buf_puts(out, ":");
		buf_printf(out, "%x", group[i]);
	}
}

static void add_ip(const ASN1_OCTET_STRING *address, struct strlist *ret)
{
	const unsigned char *ip = ASN1_STRING_get0_data(address);
	int len = ASN1_STRING_length(address);
	struct buf text;

	buf_init(&text, 64);
	if (len == 4)
		buf_printf(&text, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
	else if (len == 16)
		format_ipv6(ip, &text);
	else
		buf_puts(&text, "(invalid)");
	strlist_add(ret, buf_str(&text));
	buf_release(&text);
}

void cert_read_names(const X509 *x509, struct strlist *ret)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			add_dns(name->d.dNSName, ret);
	}
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_IPADD)
			add_ip(name->d.iPAddress, ret);
	}
	GENERAL_NAMES_free(names);
}

char *cert_read_common_name(const X509 *x509)
{
	const X509_NAME *subject = X509_get_subject_name(x509);
	const ASN1_STRING *value;
	unsigned char *utf8 = NULL;
	int last = -1, next, len;
	char *name = NULL;

	while ((next = X509_NAME_get_index_by_NID(subject, NID_commonName, last)) >= 0)
		last = next;
	if (last < 0)
		return NULL;
	value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
	len = ASN1_STRING_to_UTF8(&utf8, value);
	if (len >= 0) {
		name = memchr(utf8, '\0', (size_t)len)
			       ? str_dup("(invalid)")
			       : str_ndup((const char *)utf8, (size_t)len);
		str_make_printable(name);
	}
	OPENSSL_free(utf8);
	return name;
}

char *cert_read_serial(const X509 *x509)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
	char *hex = number ? BN_bn2hex(number) : NULL;
	char *serial = str_dup(hex ? hex : "");

	lower(serial);
	OPENSSL_free(hex);
	BN_free(number);
	return serial;
}

char *cert_name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *bytes = NULL;
	long len = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0,
				      XN_FLAG_RFC2253 &
					      ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
		len = BIO_get_mem_data(bio, &bytes);
	text = len > 0 ? str_ndup(bytes, (size_t)len) : str_dup("");
	str_make_printable(text);
	BIO_free(bio);
	return text;
}

const char *cert_read_key_type(const X509 *x509)
{
	static const struct {
		const char *algorithm;
		int bits;
		const char *group, *words;
	} types[] = {
		{ "RSA", 2048, NULL, "rsa-2048" },
		{ "RSA", 3072, NULL, "rsa-3072" },
		{ "RSA", 4096, NULL, "rsa-4096" },
		{ "EC", 256, "prime256v1", "ec-p256" },
		{ "EC", 384, "secp384r1", "ec-p384" },
	};
	const EVP_PKEY *key = X509_get0_pubkey(x509);
	char group[64] = "";

	if (!key)
		return "other";
	EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (EVP_PKEY_is_a(key, types[i].algorithm) &&
		    EVP_PKEY_get_bits(key) == types[i].bits &&
		    (!types[i].group || str_equal(types[i].group, group)))
			return types[i].words;
	}
	return "other";
}

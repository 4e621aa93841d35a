/* dotnet_name.c - the rules of dotnet/runtime's X500NameEncoder and Windows'
 * CertNameToStr, by hand: OpenSSL prints names differently in order, keys, quoting, and
 * reads T61String and BMPString differently. */
#include "hooks/dotnet_name.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "base/str.h"

#define VALUE_MAX_BYTES ((size_t)16 * 1024)
#define OID_MAX_BYTES 128

static const struct key {
	const char *oid, *name;
} keys[] = {
	{ "2.5.4.3", "CN" },
	{ "2.5.4.4", "SN" },
	{ "2.5.4.5", "SERIALNUMBER" },
	{ "2.5.4.6", "C" },
	{ "2.5.4.7", "L" },
	{ "2.5.4.8", "S" },
	{ "2.5.4.9", "STREET" },
	{ "2.5.4.10", "O" },
	{ "2.5.4.11", "OU" },
	{ "2.5.4.12", "T" },
	{ "2.5.4.13", "Description" },
	{ "2.5.4.17", "PostalCode" },
	{ "2.5.4.18", "POBox" },
	{ "2.5.4.20", "Phone" },
	{ "2.5.4.24", "X21Address" },
	{ "2.5.4.42", "G" },
	{ "2.5.4.43", "I" },
	{ "2.5.4.46", "dnQualifier" },
	{ "1.2.840.113549.1.9.1", "E" },
	{ "0.9.2342.19200300.100.1.25", "DC" },
	{ "2.23.133.2.1", "TPMManufacturer" },
	{ "2.23.133.2.2", "TPMModel" },
	{ "2.23.133.2.3", "TPMVersion" },
};

static void append_key(const ASN1_OBJECT *object, struct buf *out)
{
	char oid[OID_MAX_BYTES];

	OBJ_obj2txt(oid, sizeof(oid), object, 1);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (str_equal(keys[i].oid, oid)) {
			buf_puts(out, keys[i].name);
			return;
		}
	}
	buf_printf(out, "OID.%s", oid);
}

/* ---- values -------------------------------------------------------------- */

/* OpenSSL's own decoder: UTF-8 by itself, `type` as MBSTRING_* says. -1: not decodable.
 */
static int append_as(const ASN1_STRING *value, int type, struct buf *out)
{
	ASN1_STRING *utf8 = NULL;
	int rc = -1;

	if (ASN1_mbstring_copy(&utf8, ASN1_STRING_get0_data(value),
			       ASN1_STRING_length(value), type, B_ASN1_UTF8STRING) > 0) {
		buf_append(out, ASN1_STRING_get0_data(utf8),
			   (size_t)ASN1_STRING_length(utf8));
		rc = 0;
	}
	ASN1_STRING_free(utf8);
	ERR_clear_error();
	return rc;
}

/* Decodes a string value to UTF-8. -1: it is none, or cannot be decoded. */
static int decode_text(const ASN1_STRING *value, struct buf *out)
{
	if (!ASN1_STRING_length(value))
		return 0;
	switch (ASN1_STRING_type(value)) {
	case V_ASN1_BMPSTRING:
		return append_as(value, MBSTRING_BMP, out);
	case V_ASN1_UNIVERSALSTRING:
		return append_as(value, MBSTRING_UNIV, out);
	case V_ASN1_T61STRING: /* what CAs put there: UTF-8, else Latin-1 */
		return append_as(value, MBSTRING_UTF8, out)
			       ? append_as(value, MBSTRING_ASC, out)
			       : 0;
	case V_ASN1_UTF8STRING:
		return append_as(value, MBSTRING_UTF8, out);
	default:
		return append_as(value, MBSTRING_ASC, out);
	}
}

static bool is_text(const ASN1_STRING *value)
{
	switch (ASN1_STRING_type(value)) {
	case V_ASN1_BMPSTRING:
	case V_ASN1_UNIVERSALSTRING:
	case V_ASN1_T61STRING:
	case V_ASN1_UTF8STRING:
	case V_ASN1_PRINTABLESTRING:
	case V_ASN1_IA5STRING:
	case V_ASN1_NUMERICSTRING:
	case V_ASN1_VISIBLESTRING:
		return true;
	default:
		return false;
	}
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool needs_quotes(const char *text, size_t len)
{
	if (!len || is_blank(text[0]) || is_blank(text[len - 1]))
		return true;
	for (size_t i = 0; i < len; i++) {
		if (text[i] && strchr(",+=\"\n<>#;", text[i]))
			return true;
	}
	return false;
}

static void append_quoted(const char *text, size_t len, struct buf *out)
{
	if (!needs_quotes(text, len)) {
		buf_append(out, text, len);
		return;
	}
	buf_puts(out, "\"");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			buf_puts(out, "\"");
		buf_append(out, &text[i], 1);
	}
	buf_puts(out, "\"");
}

/* '#' and the DER of a value that is no string. */
static int append_der(const ASN1_STRING *value, struct buf *out)
{
	unsigned char *der = NULL;
	char hex[3];
	int len = i2d_ASN1_PRINTABLE(value, &der);

	if (len < 0)
		return -1;
	buf_puts(out, "#");
	for (int i = 0; i < len; i++) {
		hex_encode(&der[i], 1, true, hex);
		buf_puts(out, hex);
	}
	OPENSSL_free(der);
	return 0;
}

static int append_value(const ASN1_STRING *value, struct buf *out)
{
	struct buf text;
	int rc;

	if (!is_text(value))
		return append_der(value, out);
	buf_init(&text, VALUE_MAX_BYTES);
	rc = decode_text(value, &text);
	if (!rc && buf_ok(&text))
		append_quoted(buf_str(&text), text.len, out);
	buf_release(&text);
	return rc;
}

/* ---- names --------------------------------------------------------------- */

/* One RDN, whose attributes begin at `first`: always in encoded order. */
static int append_rdn(const X509_NAME *name, int first, struct buf *out)
{
	int set = X509_NAME_ENTRY_set(X509_NAME_get_entry(name, first));

	for (int i = first; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

		if (X509_NAME_ENTRY_set(entry) != set)
			break;
		if (i > first)
			buf_puts(out, " + ");
		append_key(X509_NAME_ENTRY_get_object(entry), out);
		buf_puts(out, "=");
		if (append_value(X509_NAME_ENTRY_get_data(entry), out))
			return -1;
	}
	return 0;
}

static bool starts_rdn(const X509_NAME *name, int i)
{
	return i == 0 || X509_NAME_ENTRY_set(X509_NAME_get_entry(name, i)) !=
				 X509_NAME_ENTRY_set(X509_NAME_get_entry(name, i - 1));
}

static int append_rdns(const X509_NAME *name, bool reversed, struct buf *out)
{
	int n = X509_NAME_entry_count(name);

	for (int k = 0; k < n; k++) {
		int i = reversed ? n - 1 - k : k;

		if (!starts_rdn(name, i))
			continue;
		if (out->len)
			buf_puts(out, ", ");
		if (append_rdn(name, i, out))
			return -1;
	}
	return 0;
}

int dotnet_name(const X509_NAME *name, bool reversed, struct buf *out, struct err *err)
{
	struct buf text;
	int rc = -1;

	buf_init(&text, out->max);
	if (append_rdns(name, reversed, &text))
		buf_clear(&text); /* undecodable: .NET says nothing */
	if (!buf_ok(&text) || buf_append(out, buf_str(&text), text.len)) {
		err_set(err, ERR_CONFIG, "the issuer's name is longer than %zu bytes",
			out->max);
		goto out;
	}
	rc = 0;
out:
	buf_release(&text);
	return rc;
}

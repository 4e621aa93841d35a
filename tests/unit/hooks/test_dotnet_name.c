#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "hooks/dotnet_name.h"

#define MAX_BYTES 4096

/* Prints the name that is this DER; gives the text. */
static char *print_der(const unsigned char *der, size_t len, bool reversed)
{
	const unsigned char *at = der;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)len);
	struct err err;
	struct buf out;
	char *text;

	assert_non_null(name);
	buf_init(&out, MAX_BYTES);
	assert_int_equal(dotnet_name(name, reversed, &out, &err), 0);
	text = str_dup(buf_str(&out));
	buf_release(&out);
	X509_NAME_free(name);
	return text;
}

/* One attribute, CN, of an ASN.1 type and value. */
static char *print_value(int tag, const void *value, size_t len)
{
	unsigned char der[300] = { 0x30, 0, 0x31, 0, 0x30, 0, 0x06, 3, 0x55, 4, 3 };

	assert_true(len < 110);
	der[11] = (unsigned char)tag;
	der[12] = (unsigned char)len;
	memcpy(der + 13, value, len);
	der[5] = (unsigned char)(len + 7);
	der[3] = (unsigned char)(len + 9);
	der[1] = (unsigned char)(len + 11);
	return print_der(der, len + 13, true);
}

#define ASSERT_VALUE(tag, bytes, expected)                                               \
	do {                                                                             \
		char *text_ = print_value(tag, bytes, sizeof(bytes) - 1);                \
		assert_string_equal(text_, expected);                                    \
		free(text_);                                                             \
	} while (0)

static void check_vector(const cJSON *vector)
{
	const char *hex = json_string(vector, "der");
	const char *expected = json_string(vector, "expected");
	bool both = json_bool(vector, "both_orders", false);
	bool reversed = json_bool(vector, "reversed", false);
	unsigned char der[1024];
	size_t len = strlen(hex) / 2;

	assert_true(len <= sizeof(der));
	assert_int_equal(hex_decode(hex, der, len), 0);
	for (int order = 0; order < 2; order++) {
		char *text;

		if (!both && (order == 1) != reversed)
			continue;
		text = print_der(der, len, order == 1);
		assert_string_equal(text, expected);
		free(text);
	}
}

static void names_are_printed_as_dotnet_prints_its_own_test_vectors(void **state)
{
	const cJSON *vector;
	cJSON *vectors = NULL;
	struct err err;
	struct buf bytes;
	int n = 0;

	(void)state;
	buf_init(&bytes, 1 << 20);
	assert_int_equal(file_read(TEST_DATA "/dn-vectors.json", &bytes, &err), 0);
	assert_int_equal(json_parse(bytes.data, bytes.len, &vectors, &err), 0);
	cJSON_ArrayForEach (vector, vectors) {
		check_vector(vector);
		n++;
	}
	assert_int_equal(n, 18);
	cJSON_Delete(vectors);
	buf_release(&bytes);
}

static void every_key_of_windows_has_its_name(void **state)
{
	static const struct {
		const char *oid, *text;
	} rows[] = {
		{ "2.5.4.4", "SN=v" },
		{ "2.5.4.8", "S=v" },
		{ "2.5.4.9", "STREET=v" },
		{ "2.5.4.12", "T=v" },
		{ "2.5.4.13", "Description=v" },
		{ "2.5.4.17", "PostalCode=v" },
		{ "2.5.4.18", "POBox=v" },
		{ "2.5.4.20", "Phone=v" },
		{ "2.5.4.24", "X21Address=v" },
		{ "2.5.4.42", "G=v" },
		{ "2.5.4.43", "I=v" },
		{ "2.5.4.46", "dnQualifier=v" },
		{ "1.2.840.113549.1.9.1", "E=v" },
		{ "0.9.2342.19200300.100.1.25", "DC=v" },
		{ "2.23.133.2.1", "TPMManufacturer=v" },
		{ "2.23.133.2.2", "TPMModel=v" },
		{ "2.23.133.2.3", "TPMVersion=v" },
		{ "2.5.4.15", "OID.2.5.4.15=v" },
		{ "2.5.4.97", "OID.2.5.4.97=v" },
		{ "0.9.2342.19200300.100.1.1", "OID.0.9.2342.19200300.100.1.1=v" },
		{ "1.3.6.1.4.1.311.60.2.1.3", "OID.1.3.6.1.4.1.311.60.2.1.3=v" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		X509_NAME *name = X509_NAME_new();
		ASN1_OBJECT *oid = OBJ_txt2obj(rows[i].oid, 1);
		struct err err;
		struct buf out;

		buf_init(&out, MAX_BYTES);
		assert_int_equal(X509_NAME_add_entry_by_OBJ(name, oid, V_ASN1_UTF8STRING,
							    (const unsigned char *)"v", 1,
							    -1, 0),
				 1);
		assert_int_equal(dotnet_name(name, true, &out, &err), 0);
		assert_string_equal(buf_str(&out), rows[i].text);
		buf_release(&out);
		ASN1_OBJECT_free(oid);
		X509_NAME_free(name);
	}
}

static void quotes_come_where_dotnet_puts_them_and_nowhere_else(void **state)
{
	(void)state;
	ASSERT_VALUE(12, "a\"b", "CN=\"a\"\"b\"");
	ASSERT_VALUE(12, "a;b", "CN=\"a;b\"");
	ASSERT_VALUE(12, "a>b", "CN=\"a>b\"");
	ASSERT_VALUE(12, "#00", "CN=\"#00\"");
	ASSERT_VALUE(12, "a\t", "CN=\"a\t\"");
	ASSERT_VALUE(12, "\ra", "CN=\"\ra\"");
	ASSERT_VALUE(12, "a\rb", "CN=a\rb");
	ASSERT_VALUE(12, "Let's (a/b\\c:*)", "CN=Let's (a/b\\c:*)");
	ASSERT_VALUE(12, "", "CN=\"\"");
}

static void each_string_type_is_decoded_by_its_own_rule(void **state)
{
	(void)state;
	ASSERT_VALUE(12, "M\xC3\xBCller", "CN=M\xC3\xBCller");
	ASSERT_VALUE(19, "plain", "CN=plain");
	ASSERT_VALUE(22, "ia5@x", "CN=ia5@x");
	ASSERT_VALUE(18, "42", "CN=42");
	ASSERT_VALUE(20, "M\xC3\xBCller", "CN=M\xC3\xBCller");
	ASSERT_VALUE(20, "M\xFCller", "CN=M\xC3\xBCller");
	ASSERT_VALUE(30, "\x00M\x00\xFC", "CN=M\xC3\xBC");
	ASSERT_VALUE(30, "\x20\xAC", "CN=\xE2\x82\xAC");
	ASSERT_VALUE(28, "\x00\x01\xF6\x00", "CN=\xF0\x9F\x98\x80");
}

static void a_value_that_is_no_string_is_printed_as_der(void **state)
{
	(void)state;
	ASSERT_VALUE(3, "\x00\xAB\xCD", "CN=#030300ABCD");
	ASSERT_VALUE(0x30, "\x02\x01\x05", "CN=#3003020105");
}

static void a_name_that_cannot_be_decoded_prints_nothing(void **state)
{
	X509_NAME *name = X509_NAME_new();
	struct err err;
	struct buf out;

	(void)state;
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"o",
				   -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING,
				   (const unsigned char *)"\xFF\xFE", 2, -1, 0);
	buf_init(&out, MAX_BYTES);
	buf_puts(&out, "before");
	assert_int_equal(dotnet_name(name, false, &out, &err), 0);
	assert_string_equal(buf_str(&out), "before");
	buf_release(&out);
	X509_NAME_free(name);
}

static void reversing_turns_the_rdns_and_not_what_is_inside_them(void **state)
{
	X509_NAME *name = X509_NAME_new();
	struct err err;
	struct buf out;

	(void)state;
	X509_NAME_add_entry_by_txt(name, "DC", MBSTRING_UTF8,
				   (const unsigned char *)"local", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"u",
				   -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"c",
				   -1, -1, -1);
	buf_init(&out, MAX_BYTES);
	assert_int_equal(dotnet_name(name, true, &out, &err), 0);
	assert_string_equal(buf_str(&out), "OU=u + CN=c, DC=local");
	buf_clear(&out);
	assert_int_equal(dotnet_name(name, false, &out, &err), 0);
	assert_string_equal(buf_str(&out), "DC=local, OU=u + CN=c");
	buf_release(&out);

	buf_init(&out, 5);
	assert_int_equal(dotnet_name(name, true, &out, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "longer than 5 bytes"));
	buf_release(&out);
	X509_NAME_free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_printed_as_dotnet_prints_its_own_test_vectors),
		cmocka_unit_test(every_key_of_windows_has_its_name),
		cmocka_unit_test(quotes_come_where_dotnet_puts_them_and_nowhere_else),
		cmocka_unit_test(each_string_type_is_decoded_by_its_own_rule),
		cmocka_unit_test(a_value_that_is_no_string_is_printed_as_der),
		cmocka_unit_test(a_name_that_cannot_be_decoded_prints_nothing),
		cmocka_unit_test(reversing_turns_the_rdns_and_not_what_is_inside_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

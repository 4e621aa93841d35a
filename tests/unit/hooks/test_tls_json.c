#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/str.h"
#include "hooks/tls_json.h"
#include "tests/support/testcert.h"
#include "tests/unit/base/tempdir.h"

#define SAMPLE TEST_DATA "/tls-xtract-core.json"
#define BOM "\xEF\xBB\xBF"

static const struct tls_json_values new_values = {
	.tls_enabled = true,
	.subject_alt_name = "xc.example",
	.issuer = "CN=R11, O=Let's Encrypt, C=US",
	.not_after = "20270219T033128.000Z",
	.thumbprint = "77AF00000000000000000000000000000000BEEF",
};

/* The values of the vendor's sample. */
static const struct tls_json_values sample_values = {
	.tls_enabled = true,
	.subject_alt_name = "BOB.theobald.local",
	.issuer = "CN=Theobald CA, DC=theobald, DC=local",
	.not_after = "20250717T152041.000Z",
	.thumbprint = "0C32EEE1053DA57E88E6AE22832DFB13775250F9",
};

static char *render(const char *text, const struct tls_json_values *values)
{
	struct err err;
	struct buf out;

	buf_init(&out, TLS_JSON_MAX_BYTES);
	if (tls_json_render(text, text ? strlen(text) : 0, values, &out, &err))
		fail_msg("%s", err.text);
	return buf_steal(&out);
}

static void assert_renders(const char *text, const struct tls_json_values *values,
			   const char *expected)
{
	char *found = render(text, values);

	assert_string_equal(found, expected);
	free(found);
}

static void assert_refused(const char *text, const char *sentence)
{
	struct tls_json_values values;
	struct err err = { 0 };
	struct buf out;

	buf_init(&out, TLS_JSON_MAX_BYTES);
	assert_int_equal(tls_json_read(text, strlen(text), &values, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, sentence);
	assert_int_equal(tls_json_render(text, strlen(text), &new_values, &out, &err),
			 -1);
	assert_string_equal(err.text, sentence);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* ---- reading ------------------------------------------------------------- */

static void the_vendors_sample_is_read(void **state)
{
	char *text = get(SAMPLE);
	struct tls_json_values values;
	struct err err;

	(void)state;
	assert_int_equal(tls_json_read(text, strlen(text), &values, &err), 0);
	assert_memory_equal(&values, &sample_values, sizeof(values));
	free(text);
}

static void missing_members_and_other_types_read_as_nothing(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"certificate\": null, \"tlsEnabled\": \"true\"}",
		"{\"certificate\": {\"thumbprint\": 5, \"issuer\": null}}",
		"{\"tlsEnabled\": false, \"certificate\": {}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct tls_json_values values, none = { 0 };
		struct err err;

		assert_int_equal(tls_json_read(texts[i], strlen(texts[i]), &values, &err),
				 0);
		assert_memory_equal(&values, &none, sizeof(none));
	}
}

static void a_lower_case_thumbprint_is_read_as_it_stands(void **state)
{
	const char *text = "{\"certificate\":{\"thumbprint\":\"0c32eee1\"}}";
	struct tls_json_values values;
	struct err err;

	(void)state;
	assert_int_equal(tls_json_read(text, strlen(text), &values, &err), 0);
	assert_string_equal(values.thumbprint, "0c32eee1");
	assert_false(values.tls_enabled);
}

static void escapes_in_names_and_values_are_understood(void **state)
{
	const char *text = "{\"certificate\":{\"thumb\\u0070rint\":\"A\\u0042\\/\","
			   "\"issuer\":\"O=M\\u00FCller \\uD83D\\uDE00 \\uD83D \\n\"}}";
	struct tls_json_values values;
	struct err err;

	(void)state;
	assert_int_equal(tls_json_read(text, strlen(text), &values, &err), 0);
	assert_string_equal(values.thumbprint, "AB/");
	assert_string_equal(values.issuer,
			    "O=M\xC3\xBCller \xF0\x9F\x98\x80 \xEF\xBF\xBD  ");
}

static void a_value_that_is_far_too_long_is_refused(void **state)
{
	struct tls_json_values values;
	struct err err;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), "{\"certificate\":{\"thumbprint\":\"%0100d\"}}", 7);
	assert_int_equal(tls_json_read(text, strlen(text), &values, &err), -1);
	assert_string_equal(err.text, "'thumbprint' is longer than 47 bytes");
}

/* ---- refusing ------------------------------------------------------------ */

static void what_is_not_a_json_object_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *sentence;
	} rows[] = {
		{ "", "is empty" },
		{ " \r\n\t", "is empty" },
		{ BOM, "is empty" },
		{ "\xFF\xFE{\1}", "is UTF-16, not UTF-8: save it as UTF-8" },
		{ "[]", "is an array, not an object" },
		{ "\"x\"", "is a string, not an object" },
		{ "12", "is a number, not an object" },
		{ "null", "is null, not an object" },
		{ "{\"certificate\": []}", "'certificate' is an array, not an object" },
		{ "hello", "not JSON: line 1, column 1: expected a value" },
		{ "{\n\t\"a\": 1,\n\t\"b\" 2\n}",
		  "not JSON: line 3, column 6: expected ':'" },
		{ "{\r\n\"a\": 1\r\n\"b\": 2}",
		  "not JSON: line 3, column 1: expected ',' or '}'" },
		{ BOM "{\"\xC3\xBC\": 1,}",
		  "not JSON: line 1, column 9: expected a name in quotes" },
		{ "{} x",
		  "not JSON: line 1, column 4: something stands behind the document" },
		{ "{\"a\": \"b", "not JSON: line 1, column 7: the string does not end" },
		{ "{\"a\": \"b\\",
		  "not JSON: line 1, column 10: the string does not end" },
		{ "{\"a\": \"\n\"}",
		  "not JSON: line 1, column 8: a control character in a string" },
		{ "{\"a\": \"\\x\"}", "not JSON: line 1, column 9: unknown escape" },
		{ "{\"a\": \"\\u12G4\"}",
		  "not JSON: line 1, column 12: expected four hex digits after \\u" },
		{ "{\"a\": -}", "not JSON: line 1, column 8: expected a digit" },
		{ "{\"a\": 1.}", "not JSON: line 1, column 9: expected a digit" },
		{ "{\"a\": 1e+}", "not JSON: line 1, column 10: expected a digit" },
		{ "{\"a\": 01}", "not JSON: line 1, column 8: expected ',' or '}'" },
		{ "{\"a\": [1 2]}", "not JSON: line 1, column 10: expected ',' or ']'" },
		{ "{\"a\": [1,]}", "not JSON: line 1, column 10: expected a value" },
		{ "{\"a\": tru}", "not JSON: line 1, column 7: expected a value" },
		{ "{\"a\":", "not JSON: line 1, column 6: expected a value" },
		{ "// note\n{}", "not JSON: line 1, column 1: expected a value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_refused(rows[i].text, rows[i].sentence);
}

static void members_that_we_would_write_may_not_be_there_twice(void **state)
{
	(void)state;
	assert_refused("{\"tlsEnabled\":true,\n \"tlsEnabled\":false}",
		       "'tlsEnabled' is there twice: line 1, column 2 and line 2, "
		       "column 2");
	assert_refused("{\"certificate\":{\"thumbprint\":\"a\","
		       "\"thumb\\u0070rint\":\"b\"}}",
		       "'thumbprint' is there twice: line 1, column 17 and line 1, "
		       "column 34");
	assert_refused("{\"certificate\":{},\"certificate\":{}}",
		       "'certificate' is there twice: line 1, column 2 and line 1, "
		       "column 19");
}

static void nesting_has_an_end(void **state)
{
	char text[200] = "{\"a\":";
	struct tls_json_values values;
	struct err err;

	(void)state;
	memset(text + 5, '[', 31);
	memset(text + 36, ']', 31);
	strncat(text, "}", 2);
	assert_int_equal(tls_json_read(text, strlen(text), &values, &err), 0);
	memset(text + 5, '[', 32);
	memset(text + 37, ']', 32);
	text[69] = '}';
	assert_int_equal(tls_json_read(text, 70, &values, &err), -1);
	assert_says(&err, "column 37: nested too deep");
}

static void a_document_of_unreasonable_size_is_refused(void **state)
{
	struct buf big;
	struct err err;
	struct tls_json_values values;

	(void)state;
	buf_init(&big, 2 * TLS_JSON_MAX_BYTES);
	buf_printf(&big, "{\"a\": \"%*s\"}", (int)TLS_JSON_MAX_BYTES, "x");
	assert_int_equal(tls_json_read(big.data, big.len, &values, &err), -1);
	assert_string_equal(err.text, "is larger than 262144 bytes");
	buf_release(&big);
}

/* ---- rendering ----------------------------------------------------------- */

static void a_new_document_is_the_vendors_sample(void **state)
{
	char *sample = get(SAMPLE);

	(void)state;
	assert_renders(NULL, &sample_values, sample);
	free(sample);
}

static void rendering_the_same_values_changes_no_byte(void **state)
{
	char *sample = get(SAMPLE);

	(void)state;
	assert_renders(sample, &sample_values, sample);
	free(sample);
}

static void only_the_values_of_the_sample_change(void **state)
{
	char *sample = get(SAMPLE);

	(void)state;
	assert_renders(sample, &new_values,
		       "{\n"
		       "    \"tlsEnabled\": true,\n"
		       "    \"certificate\": {\n"
		       "    \"subjectAltName\": \"xc.example\",\n"
		       "    \"issuer\": \"CN=R11, O=Let's Encrypt, C=US\",\n"
		       "    \"notAfter\": \"20270219T033128.000Z\",\n"
		       "    \"thumbprint\": "
		       "\"77AF00000000000000000000000000000000BEEF\"\n"
		       "    }\n"
		       "}\n");
	free(sample);
}

static void bom_crlf_tabs_order_unknown_members_and_long_numbers_stay(void **state)
{
	static const char head[] = BOM "\r\n{\t\"big\" :12345678901234567890,\r\n"
				       "\t\"dup\": 1, \"dup\": 1.50e+05 ,\r\n"
				       "\t\"certificate\"\t:\t{\r\n\t\t\"thumbprint\" : ";
	static const char middle[] = ",\r\n\t\t\"\\u0078\": [ -0.0 , {} ,\"\\/\\u00e4\"],"
				     "\"notAfter\":";
	static const char end[] = "\r\n\t},\r\n\r\n\t\"tlsEnabled\": ";
	char *before = str_printf("%s\"0c32\"%s\"\",\"issuer\":\"x\",\"subjectAltName\":"
				  "null%sfalse}\r\n\r\n",
				  head, middle, end);
	char *after = str_printf("%s\"%s\"%s\"%s\",\"issuer\":\"%s\",\"subjectAltName\":"
				 "\"%s\"%strue}\r\n\r\n",
				 head, new_values.thumbprint, middle,
				 new_values.not_after, new_values.issuer,
				 new_values.subject_alt_name, end);

	(void)state;
	assert_renders(before, &new_values, after);
	free(before);
	free(after);
}

static void a_lower_case_thumbprint_becomes_upper_case(void **state)
{
	char *sample = get(SAMPLE), *lower = get(SAMPLE);

	(void)state;
	memcpy(strstr(lower, "0C32EEE1"), "0c32eee1", 8);
	assert_renders(lower, &sample_values, sample);
	free(sample);
	free(lower);
}

static void bytes_of_another_code_page_stay(void **state)
{
	(void)state;
	assert_renders(
		"{\"note\":\"M\xFCller\",\"tlsEnabled\":false,\"certificate\":{"
		"\"subjectAltName\":\"\",\"issuer\":\"M\xFCller\",\"notAfter\":\"\","
		"\"thumbprint\":\"\"}}",
		&(struct tls_json_values){ .issuer = "O=M\xC3\xBCller \"\\\t\x7F "
						     "\xF0\x9F\x98\x80\xFF" },
		"{\"note\":\"M\xFCller\",\"tlsEnabled\":false,\"certificate\":{"
		"\"subjectAltName\":\"\",\"issuer\":\"O=M\\u00FCller "
		"\\\"\\\\\\u0009\\u007F \\uD83D\\uDE00\\uFFFD\",\"notAfter\":\"\","
		"\"thumbprint\":\"\"}}");
}

static void missing_members_are_added_in_the_documents_own_style(void **state)
{
	static const struct tls_json_values values = {
		.tls_enabled = true,
		.subject_alt_name = "s",
		.issuer = "i",
		.not_after = "n",
		.thumbprint = "T",
	};

	(void)state;
	assert_renders("{\r\n\t\"certificate\" : {\r\n\t\t\"issuer\" : \"i\"\r\n\t}\r\n}",
		       &values,
		       "{\r\n\t\"certificate\" : {\r\n\t\t\"issuer\" : \"i\",\r\n\t\t"
		       "\"subjectAltName\" : \"s\",\r\n\t\t\"notAfter\" : \"n\",\r\n\t\t"
		       "\"thumbprint\" : \"T\"\r\n\t},\r\n\t\"tlsEnabled\" : true\r\n}");
	assert_renders("{\n  \"tlsEnabled\": true\n}\n", &values,
		       "{\n  \"tlsEnabled\": true,\n  \"certificate\": {\n    "
		       "\"subjectAltName\": \"s\",\n    \"issuer\": \"i\",\n    "
		       "\"notAfter\": \"n\",\n    \"thumbprint\": \"T\"\n  }\n}\n");
	assert_renders("{\"certificate\":null,\"x\":[]}", &values,
		       "{\"certificate\":{\"subjectAltName\":\"s\",\"issuer\":\"i\","
		       "\"notAfter\":\"n\",\"thumbprint\":\"T\"},\"x\":[],"
		       "\"tlsEnabled\":true}");
	assert_renders("{ \"tlsEnabled\": true, \"certificate\": { } }", &values,
		       "{ \"tlsEnabled\": true, \"certificate\": { \"subjectAltName\": "
		       "\"s\", \"issuer\": \"i\", \"notAfter\": \"n\", \"thumbprint\": "
		       "\"T\" } }");
	assert_renders(BOM "{ }\r\n", &values,
		       BOM "{\n    \"tlsEnabled\": true,\n    \"certificate\": {\n"
			   "    \"subjectAltName\": \"s\",\n    \"issuer\": \"i\",\n"
			   "    \"notAfter\": \"n\",\n    \"thumbprint\": \"T\"\n"
			   "    }\n}\r\n");
}

static void the_values_come_from_the_certificate(void **state)
{
	struct testcert *ca = testcert_new(&(struct testcert_spec){
		.ca = true, .subject = "/DC=local/DC=theobald/CN=Theobald CA" });
	struct testcert *leaf = testcert_leaf(ca, "xc.example", 1700000000, 1752765641);
	struct cert *cert = cert_from_x509(leaf->x509, NULL);
	char *thumbprint = testcert_thumbprint(leaf), too_long[400];
	struct tls_json_values values;
	struct err err;

	(void)state;
	assert_int_equal(tls_json_values_of(cert, "XC.example", &values, &err), 0);
	assert_true(values.tls_enabled);
	assert_string_equal(values.subject_alt_name, "XC.example");
	assert_string_equal(values.issuer, "CN=Theobald CA, DC=theobald, DC=local");
	assert_string_equal(values.not_after, "20250717T152041.000Z");
	assert_string_equal(values.thumbprint, thumbprint);

	memset(too_long, 'a', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	assert_int_equal(tls_json_values_of(cert, too_long, &values, &err), -1);
	assert_says(&err, "'subjectAltName' is longer than 255 bytes");
	free(thumbprint);
	cert_free(cert);
	testcert_free(leaf);
	testcert_free(ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vendors_sample_is_read),
		cmocka_unit_test(missing_members_and_other_types_read_as_nothing),
		cmocka_unit_test(a_lower_case_thumbprint_is_read_as_it_stands),
		cmocka_unit_test(escapes_in_names_and_values_are_understood),
		cmocka_unit_test(a_value_that_is_far_too_long_is_refused),
		cmocka_unit_test(what_is_not_a_json_object_is_refused_with_its_place),
		cmocka_unit_test(members_that_we_would_write_may_not_be_there_twice),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(a_document_of_unreasonable_size_is_refused),
		cmocka_unit_test(a_new_document_is_the_vendors_sample),
		cmocka_unit_test(rendering_the_same_values_changes_no_byte),
		cmocka_unit_test(only_the_values_of_the_sample_change),
		cmocka_unit_test(
			bom_crlf_tabs_order_unknown_members_and_long_numbers_stay),
		cmocka_unit_test(a_lower_case_thumbprint_becomes_upper_case),
		cmocka_unit_test(bytes_of_another_code_page_stay),
		cmocka_unit_test(missing_members_are_added_in_the_documents_own_style),
		cmocka_unit_test(the_values_come_from_the_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

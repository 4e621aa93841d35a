#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hooks/dns/route53_xml.h"
#include "hooks/dns/sigv4.h"
#include "hooks/dns/txt.h"
#include "hooks/dns/xml.h"
#include "tests/unit/base/tempdir.h"

/* ---- signatures: AWS's own test suite and documentation ------------------ */

#define VECTOR_AT 1440938160 /* 2015-08-30T12:36:00Z */

static const struct sigv4_key suite_key = {
	.access_key_id = "AKIDEXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "service",
};

static void assert_signed(const struct sigv4_key *key, const char *method,
			  const char *path, const char *query, const char *signature)
{
	const struct sigv4_request request = { .method = method,
					       .host = "example.amazonaws.com",
					       .path = path,
					       .query = query,
					       .at = VECTOR_AT };
	struct strlist headers = { 0 };
	struct err err;

	if (sigv4_sign(key, &request, &headers, &err))
		fail_msg("%s", err.text);
	assert_string_equal(headers.items[0], "X-Amz-Date: 20150830T123600Z");
	if (!str_ends(headers.items[headers.n - 1], signature))
		fail_msg("%s %s?%s: %s", method, path, query,
			 headers.items[headers.n - 1]);
	strlist_clear(&headers);
}

static void requests_are_signed_as_the_published_vectors_say(void **state)
{
	(void)state;
	assert_signed(&suite_key, "GET", "/", "", /* get-vanilla */
		      "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/"
		      "us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, "
		      "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d"
		      "763fbf31");
	assert_signed(&suite_key, "POST", "/", "", /* post-vanilla */
		      "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92"
		      "efbe5d6b");
	assert_signed(&suite_key, "GET", "/", /* get-vanilla-query-order-key-case */
		      "Param1=value1&Param2=value2",
		      "Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec9"
		      "4cdf2500");
	assert_signed(&suite_key, "POST", "/", "Param1=value1", /* post-vanilla-query */
		      "Signature=28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d1"
		      "38af7f11");
	assert_signed(&suite_key, "GET", "/\xE1\x88\xB4", "", /* get-utf8 */
		      "Signature=8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd031"
		      "41be5d85");
	assert_signed(
		&suite_key, "GET", /* get-unreserved */
		"/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "",
		"Signature=07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65"
		"bbf5f24f");
}

static void a_session_token_is_signed_with_the_rest(void **state)
{
	struct sigv4_key key = suite_key;

	(void)state;
	key.session_token = /* post-sts-header-before */
		"AQoDYXdzEPT//////////"
		"wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfp"
		"SPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8"
		"phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY"
		"9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9F"
		"X9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
	assert_signed(&key, "POST", "/", "",
		      "SignedHeaders=host;x-amz-date;x-amz-security-token, "
		      "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a8"
		      "2be05ead");
}

/* ---- XML ----------------------------------------------------------------- */

static int collect(void *ctx, const char *path, const char *text, struct err *err)
{
	(void)err;
	buf_printf(ctx, "%s=%s;", path, text);
	return 0;
}

static void elements_are_told_at_their_end_with_path_and_text(void **state)
{
	const char *text = "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n"
			   "<a x='1' y:z=\"&gt;2\">\n <b>1 &lt;&amp;&#65;&#xe4;</b >"
			   "<c/><d><e>2</e></d>\n</a>\n";
	struct err err = { 0 };
	struct buf seen;

	(void)state;
	buf_init(&seen, 1000);
	if (xml_walk(text, strlen(text), collect, &seen, &err))
		fail_msg("%s", err.text);
	assert_string_equal(buf_str(&seen),
			    "/a/b=1 <&A\xC3\xA4;/a/c=;/a/d/e=2;/a/d=;/a=\n;");
	buf_release(&seen);
}

static void assert_no_xml(const char *text, size_t len, const char *part)
{
	struct err err = { 0 };
	struct buf seen;

	buf_init(&seen, 1 << 20);
	assert_int_equal(xml_walk(text, len, collect, &seen, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_says(&err, "not XML that we read: ");
	assert_says(&err, part);
	buf_release(&seen);
}

static void what_is_not_plain_xml_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{ "", "its end at byte 0" },
		{ "<a>", "its end" },
		{ "<a></b>", "the end of another element at byte 3" },
		{ "<a></a><a></a>", "a second document" },
		{ "</a>", "an end without a beginning" },
		{ "x<a></a>", "text outside of the document" },
		{ "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "a declaration" },
		{ "<a><!-- no --></a>", "a declaration, a comment" },
		{ "<a>&x;</a>", "an unknown entity" },
		{ "<a>&#0;</a>", "an unknown entity" },
		{ "<a>&#xD800;</a>", "an unknown entity" },
		{ "<a>&#9999999;</a>", "an unknown entity" },
		{ "<a>&amp</a>", "an entity without an end" },
		{ "<a b></a>", "a bad attribute" },
		{ "<a b=c></a>", "an attribute without quotes" },
		{ "<a b='c></a>", "an attribute without an end" },
		{ "<a b='c'd='e'></a>", "a bad attribute" },
		{ "<a /b></a>", "a tag without an end" },
		{ "<?xml <a></a>", "a prolog without an end" },
		{ "<a></a", "a tag without an end" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_no_xml(bad[i].text, strlen(bad[i].text), bad[i].part);
	assert_no_xml("<a>\0</a>", 8, "a NUL byte");
}

static void xml_is_bounded(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	for (int i = 0; i < 17; i++)
		buf_puts(&text, "<a>");
	assert_no_xml(buf_str(&text), text.len, "too many elements");
	buf_clear(&text);
	buf_puts(&text, "<a>");
	for (int i = 0; i < 20000; i++)
		buf_puts(&text, "<b/>");
	assert_no_xml(buf_str(&text), text.len, "too many elements");
	buf_clear(&text);
	buf_printf(&text, "<a>%9000d</a>", 1);
	assert_no_xml(buf_str(&text), text.len, "too much text");
	buf_clear(&text);
	buf_puts(&text, "<a");
	for (int i = 0; i < 600; i++)
		buf_puts(&text, "a");
	buf_puts(&text, ">");
	assert_no_xml(buf_str(&text), text.len, "too long a name");
	buf_release(&text);
}

/* ---- Route 53's documents ------------------------------------------------ */

#define XMLNS " xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\""

static void public_zones_of_the_very_name_are_taken(void **state)
{
	const char *text =
		"<?xml version=\"1.0\"?><ListHostedZonesByNameResponse" XMLNS
		"><HostedZones>"
		"<HostedZone><Id>/hostedzone/Z1</Id><Name>Example.com.</Name>"
		"<Config><PrivateZone>false</PrivateZone></Config></HostedZone>"
		"<HostedZone><Id>/hostedzone/Z2</Id><Name>example.com.</Name>"
		"<Config><PrivateZone>true</PrivateZone></Config></HostedZone>"
		"<HostedZone><Id>/hostedzone/../Z3</Id><Name>a.example.com.</Name>"
		"</HostedZone></HostedZones></ListHostedZonesByNameResponse>";
	struct strlist ids = { 0 };
	struct err err = { 0 };

	(void)state;
	if (route53_read_zones(text, strlen(text), "example.com", &ids, &err))
		fail_msg("%s", err.text);
	assert_int_equal(ids.n, 1);
	assert_string_equal(ids.items[0], "Z1");
	strlist_clear(&ids);
	assert_int_equal(route53_read_zones("<a/>", 4, "example.com", &ids, &err), -1);
	assert_says(&err, "this is no list of zones");
}

#define SET_OF(name, more)                                                               \
	"<ListResourceRecordSetsResponse" XMLNS "><ResourceRecordSets>"                  \
	"<ResourceRecordSet><Name>" name ".</Name><Type>TXT</Type><TTL>30</TTL>" more    \
	"<ResourceRecords><ResourceRecord><Value>\"a\"</Value></ResourceRecord>"         \
	"<ResourceRecord><Value>\"b \\\"\"</Value></ResourceRecord></ResourceRecords>"   \
	"</ResourceRecordSet></ResourceRecordSets></ListResourceRecordSetsResponse>"

static void the_set_at_the_very_name_is_taken_and_another_is_not(void **state)
{
	const char *here = SET_OF("_acme-challenge.\\052.x", "");
	const char *routed = SET_OF("a.x", "<SetIdentifier>1</SetIdentifier>");
	struct route53_set set = { 0 };
	struct err err = { 0 };

	(void)state;
	if (route53_read_set(here, strlen(here), "_acme-challenge.*.x", &set, &err))
		fail_msg("%s", err.text);
	assert_int_equal(set.ttl_s, 30);
	assert_int_equal(set.values.n, 2);
	assert_string_equal(set.values.items[1], "\"b \\\"\"");
	assert_false(set.special);
	route53_set_clear(&set);
	assert_int_equal(route53_read_set(here, strlen(here), "b.x", &set, &err), 0);
	assert_int_equal(set.values.n, 0);
	assert_int_equal(set.ttl_s, 0);
	assert_int_equal(route53_read_set(routed, strlen(routed), "A.x", &set, &err), 0);
	assert_true(set.special);
	route53_set_clear(&set);
	assert_int_equal(route53_read_set("<a/>", 4, "b.x", &set, &err), -1);
	assert_says(&err, "this is no list of records");
}

static void a_change_is_written_and_its_answer_read(void **state)
{
	const char *answer =
		"<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1"
		"</Id><Status>PENDING</Status></ChangeInfo>"
		"</ChangeResourceRecordSetsResponse>";
	struct route53_set set = { .ttl_s = 60 };
	struct route53_change change;
	struct err err = { 0 };
	struct buf text;

	(void)state;
	strlist_add(&set.values, "\"a<&>b\"");
	buf_init(&text, 4096);
	route53_write_change("a.example", false, &set, &text);
	assert_non_null(strstr(
		buf_str(&text),
		"<ChangeBatch><Changes><Change><Action>DELETE</Action><ResourceRecordSet>"
		"<Name>a.example.</Name><Type>TXT</Type><TTL>60</TTL><ResourceRecords>"
		"<ResourceRecord><Value>\"a&lt;&amp;&gt;b\"</Value></ResourceRecord>"));
	assert_int_equal(route53_read_change(answer, strlen(answer), &change, &err), 0);
	assert_string_equal(change.id, "C1");
	assert_false(change.in_sync);
	assert_int_equal(route53_read_change("<a/>", 4, &change, &err), -1);
	buf_release(&text);
	route53_set_clear(&set);
}

/* ---- TXT ----------------------------------------------------------------- */

static void assert_quoted(const char *value, enum txt_escapes escapes, const char *text)
{
	struct buf out;

	buf_init(&out, 4096);
	txt_quote(value, escapes, &out);
	assert_string_equal(buf_str(&out), text);
	assert_true(txt_means(text, escapes, value));
	buf_release(&out);
}

static void texts_are_quoted_and_escaped(void **state)
{
	char value[301], text[400];

	(void)state;
	assert_quoted("abc-_", TXT_DECIMAL, "\"abc-_\"");
	assert_quoted("a\"b\\c", TXT_OCTAL, "\"a\\\"b\\\\c\"");
	assert_quoted("\xC3\x9C\t", TXT_DECIMAL, "\"\\195\\156\\009\"");
	assert_quoted("\xC3\x9C\t", TXT_OCTAL, "\"\\303\\234\\011\"");
	memset(value, 'x', 300);
	value[300] = '\0';
	snprintf(text, sizeof(text), "\"%.255s\" \"%.45s\"", value, value);
	assert_quoted(value, TXT_DECIMAL, text);
}

static void texts_are_compared_by_what_they_mean(void **state)
{
	(void)state;
	assert_true(txt_means("abc", TXT_DECIMAL, "abc"));
	assert_true(txt_means("\"a\" \"bc\"", TXT_DECIMAL, "abc"));
	assert_true(txt_means("\"\\097bc\"", TXT_DECIMAL, "abc"));
	assert_true(txt_means("\"\\141bc\"", TXT_OCTAL, "abc"));
	assert_false(txt_means("\"abc", TXT_DECIMAL, "abc"));
	assert_false(txt_means("\"abc\"d", TXT_DECIMAL, "abc"));
	assert_false(txt_means("\"abcd\"", TXT_DECIMAL, "abc"));
	assert_false(txt_means("\"ab\"", TXT_DECIMAL, "abc"));
	assert_false(txt_means("\"abc\\", TXT_DECIMAL, "abc"));
	assert_false(txt_means("\"\\000\"", TXT_DECIMAL, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_signed_as_the_published_vectors_say),
		cmocka_unit_test(a_session_token_is_signed_with_the_rest),
		cmocka_unit_test(elements_are_told_at_their_end_with_path_and_text),
		cmocka_unit_test(what_is_not_plain_xml_is_refused_with_its_place),
		cmocka_unit_test(xml_is_bounded),
		cmocka_unit_test(public_zones_of_the_very_name_are_taken),
		cmocka_unit_test(the_set_at_the_very_name_is_taken_and_another_is_not),
		cmocka_unit_test(a_change_is_written_and_its_answer_read),
		cmocka_unit_test(texts_are_quoted_and_escaped),
		cmocka_unit_test(texts_are_compared_by_what_they_mean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

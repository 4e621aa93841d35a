#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hooks/dns/message.h"

#define HEADER "\x12\x34\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00"
#define QUESTION                                                                         \
	"\x01"                                                                           \
	"a\x07"                                                                          \
	"example\x00\x00\x10\x00\x01"
#define OWNER "\xc0\x0c" /* the question's name */
#define AT_RECORD (12 + 11 + 4)

/* Bytes of a literal, without its NUL. */
#define BYTES(literal) (const unsigned char *)(literal), sizeof(literal) - 1

static struct buf joined(const unsigned char *head, size_t head_len,
			 const unsigned char *tail, size_t tail_len)
{
	struct buf out;

	buf_init(&out, DNS_MESSAGE_MAX);
	buf_append(&out, head, head_len);
	buf_append(&out, tail, tail_len);
	return out;
}

static void read_well(const void *data, size_t len, struct dns_message *ret)
{
	struct err err;

	if (dns_message_read(data, len, ret, &err))
		fail_msg("%s", err.text);
}

/* An answer with one record, `record` being all of it behind the owner's name. */
static void read_record(const unsigned char *record, size_t len, struct dns_message *ret)
{
	struct buf bytes = joined(BYTES(HEADER QUESTION OWNER), record, len);

	read_well(bytes.data, bytes.len, ret);
	buf_release(&bytes);
}

static void assert_malformed(const unsigned char *data, size_t len, const char *says)
{
	struct dns_message message;
	struct err err = { 0 };

	if (!dns_message_read(data, len, &message, &err))
		fail_msg("read, though: %s", says);
	assert_int_equal(err.kind, ERR_REFUSED);
	if (!str_starts(err.text, "malformed DNS message: ") || !strstr(err.text, says))
		fail_msg("'%s' is not in: %s", says, err.text);
}

static void assert_record_malformed(const unsigned char *record, size_t len,
				    const char *says)
{
	struct buf bytes = joined(BYTES(HEADER QUESTION OWNER), record, len);

	assert_malformed(bytes.data, bytes.len, says);
	buf_release(&bytes);
}

/* ---- building ------------------------------------------------------------ */

static void a_query_reads_back_as_it_was_built(void **state)
{
	struct dns_message message;
	struct buf query;
	struct err err;

	(void)state;
	buf_init(&query, DNS_MESSAGE_MAX);
	assert_int_equal(
		dns_query_build(0xabcd, "A.example.", DNS_TYPE_CAA, true, &query, &err),
		0);
	assert_memory_equal(query.data,
			    "\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01", 12);
	read_well(query.data, query.len, &message);
	assert_int_equal(message.id, 0xabcd);
	assert_false(message.response);
	assert_string_equal(message.question, "A.example");
	assert_int_equal(message.question_type, DNS_TYPE_CAA);
	assert_int_equal(message.n, 0); /* EDNS is none of the records */
	dns_message_release(&message);
	buf_release(&query);
}

static void an_update_reads_back_as_it_was_built(void **state)
{
	const struct dns_txt_change add = { "x.a.example", "value", 60, false };
	const struct dns_txt_change away = { "x.a.example", "value", 60, true };
	struct dns_message message;
	struct buf update;
	struct err err;

	(void)state;
	buf_init(&update, DNS_MESSAGE_MAX);
	assert_int_equal(dns_update_build(7, "a.example", &update, &err), 0);
	assert_int_equal(dns_update_txt(&update, &add, &err), 0);
	assert_int_equal(dns_update_txt(&update, &away, &err), 0);
	read_well(update.data, update.len, &message);
	assert_int_equal(message.opcode, 5);
	assert_string_equal(message.question, "a.example");
	assert_int_equal(message.question_type, DNS_TYPE_SOA);
	assert_int_equal(message.n, 2);
	assert_int_equal(message.records[0].section, DNS_AUTHORITY);
	assert_int_equal(message.records[0].ttl_s, 60);
	assert_string_equal(message.records[0].text, "value");
	assert_int_equal(message.records[1].class, DNS_CLASS_NONE);
	assert_int_equal(message.records[1].ttl_s, 0);
	dns_message_release(&message);
	buf_release(&update);
}

static void a_text_is_split_into_strings_of_255_bytes(void **state)
{
	static const size_t lengths[] = { 0, 1, 255, 256, 510, 511, 4000 };
	char value[4002];
	struct dns_txt_change change = { "x.a.example", value, 60, false };
	struct dns_message message;
	struct buf update;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		memset(value, 'v', lengths[i]);
		value[lengths[i]] = '\0';
		buf_init(&update, DNS_MESSAGE_MAX);
		assert_int_equal(dns_update_build(7, "a.example", &update, &err), 0);
		assert_int_equal(dns_update_txt(&update, &change, &err), 0);
		read_well(update.data, update.len, &message);
		assert_string_equal(message.records[0].text, value);
		dns_message_release(&message);
		buf_release(&update);
	}
	memset(value, 'v', 4001);
	value[4001] = '\0';
	buf_init(&update, DNS_MESSAGE_MAX);
	assert_int_equal(dns_update_build(7, "a.example", &update, &err), 0);
	assert_int_equal(dns_update_txt(&update, &change, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	buf_release(&update);
}

/* ---- reading ------------------------------------------------------------- */

static void records_say_what_they_hold(void **state)
{
	static const struct {
		const unsigned char *data;
		size_t len;
		const char *text, *tag;
	} records[] = {
		{ BYTES("\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x07\x03one\x02tw"), "onetw",
		  0 },
		{ BYTES("\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x04\x03o\x00"
			"e"),
		  "o?e", 0 },
		{ BYTES("\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x00"), "", 0 },
		{ BYTES("\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01x\xc0\x0c"),
		  "x.a.example", 0 },
		{ BYTES("\x00\x02\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0e"), "example",
		  0 },
		{ BYTES("\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"),
		  "192.0.2.7", 0 },
		{ BYTES("\x00\x1c\x00\x01\x00\x00\x00\x3c\x00\x10\x20\x01\x0d\xb8\0\0\0\0"
			"\0"
			"\0\0\0\0\0\0\x01"),
		  "2001:db8::1", 0 },
		{ BYTES("\x01\x01\x00\x01\x00\x00\x00\x3c\x00\x0b\x80\x05issueca.x"),
		  "ca.x", "issue" },
		{ BYTES("\xff\x01\x00\x01\x00\x00\x00\x3c\x00\x03\xff\xff\xff"), NULL,
		  0 },
		{ BYTES("\x00\x01\x00\x03\x00\x00\x00\x3c\x00\x03\xff\xff\xff"), NULL,
		  0 },
	};
	struct dns_message message;

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		read_record(records[i].data, records[i].len, &message);
		assert_true(message.response && message.authoritative);
		assert_int_equal(message.n, 1);
		assert_string_equal(message.records[0].name, "a.example");
		assert_int_equal(message.records[0].ttl_s, 60);
		assert_true(str_equal(message.records[0].text, records[i].text));
		assert_true(str_equal(message.records[0].tag, records[i].tag));
		assert_int_equal(message.records[0].critical, records[i].tag != NULL);
		dns_message_release(&message);
	}
}

static void hostile_records_are_malformed(void **state)
{
	(void)state;
	assert_record_malformed(BYTES("\x00\x10\x00\x01\x00\x00\x00\x3c\x00"),
				"a broken record");
	assert_record_malformed(BYTES("\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x09\x03one"),
				"a record over the end");
	assert_record_malformed(BYTES("\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x04\x04one"),
				"a TXT string over its record's end");
	assert_record_malformed(
		BYTES("\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x03\x01\x02\x03"),
		"an address of the wrong length");
	assert_record_malformed(
		BYTES("\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x03\x01x\x00\x00"),
		"something behind the last record");
	assert_record_malformed(
		BYTES("\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01x\x00\x00"),
		"a broken name inside a record");
	assert_record_malformed(BYTES("\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x27"),
				"a broken name inside a record");
	assert_record_malformed(BYTES("\x01\x01\x00\x01\x00\x00\x00\x3c\x00\x02\x00\x00"),
				"a CAA record without a tag");
	assert_record_malformed(
		BYTES("\x01\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x00\x05is"),
		"a CAA record without a tag");
}

static void hostile_headers_are_malformed(void **state)
{
	unsigned char header[12] = { 0, 0, 0x80 };
	unsigned char huge[DNS_MESSAGE_MAX + 1] = { 0 };

	(void)state;
	assert_malformed(header, 11, "11 bytes");
	assert_malformed(huge, sizeof(huge), "65536 bytes");
	for (size_t i = 5; i < 12; i += 2) {
		memset(header + 4, 0, 8);
		header[i] = 1;
		assert_malformed(header, sizeof(header),
				 i == 5 ? "a broken question" : "a broken record");
	}
}

static void more_records_than_anybody_sends_are_refused(void **state)
{
	static const unsigned char record[] = { 0, 0xff, 0xf0, 0, 1, 0, 0, 0, 0, 0, 0 };
	unsigned char header[12] = { 0, 0, 0x80, 0, 0, 0, 2, 1 };
	struct dns_message message;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, DNS_MESSAGE_MAX);
	buf_append(&bytes, header, sizeof(header));
	for (int i = 0; i < DNS_RECORDS_MAX + 1; i++)
		buf_append(&bytes, record, sizeof(record));
	assert_malformed(bytes.data, bytes.len, "too many records");
	bytes.data[7] = 0;
	read_well(bytes.data, bytes.len - sizeof(record), &message);
	assert_int_equal(message.n, DNS_RECORDS_MAX);
	dns_message_release(&message);
	buf_release(&bytes);
}

static void every_beginning_of_a_message_and_every_flipped_byte_is_survived(void **state)
{
	static const unsigned char whole[] = HEADER QUESTION OWNER
		"\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01x\xc0\x0c";
	unsigned char copy[sizeof(whole) - 1];
	struct dns_message message;
	struct err err;

	(void)state;
	for (size_t len = 0; len < sizeof(copy); len++) {
		unsigned char *cut = mem_calloc(1, len + 1); /* ASan sees its end */

		memcpy(cut, whole, len);
		assert_int_equal(dns_message_read(cut, len, &message, &err), -1);
		free(cut);
	}
	for (size_t i = 0; i < sizeof(copy) * 256; i++) {
		memcpy(copy, whole, sizeof(copy));
		copy[i / 256] = (unsigned char)i;
		if (!dns_message_read(copy, sizeof(copy), &message, &err))
			dns_message_release(&message);
	}
}

/* RFC 6891 6.1.3: what looks like NOERROR may be BADVERS. */
static void edns_carries_more_of_the_rcode(void **state)
{
	static const unsigned char bytes[] = "\x12\x34\x80\x01\x00\x00\x00\x00\x00\x00"
					     "\x00\x01\x00\x00\x29\x04\xd0\x01\x00"
					     "\x00\x00\x00\x00";
	struct dns_message message;
	char spare[16];

	(void)state;
	read_well(bytes, sizeof(bytes) - 1, &message);
	assert_int_equal(message.rcode, 17);
	assert_string_equal(dns_rcode_name(23, spare), "rcode 23");
	assert_string_equal(dns_rcode_name(DNS_NXDOMAIN, spare), "NXDOMAIN");
	dns_message_release(&message);
}

static void nothing_may_stand_behind_a_signature(void **state)
{
	static const unsigned char signed_bytes[] =
		"\x12\x34\x80\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01k\x00\x00\xfa\x00"
		"\xff\x00"
		"\x00\x00\x00\x00\x13\x01h\x00\x00\x00\x00\x00\x00\x07\x01\x2c\x00\x00"
		"\x12\x34"
		"\x00\x11\x00\x00";
	unsigned char two[sizeof(signed_bytes) - 1 + 11] = { 0 };
	struct dns_message message;

	(void)state;
	read_well(signed_bytes, sizeof(signed_bytes) - 1, &message);
	assert_true(message.tsig.present);
	assert_int_equal(message.tsig.at, 12);
	assert_string_equal(message.tsig.key, "k");
	assert_string_equal(message.tsig.algorithm, "h");
	assert_int_equal(message.tsig.signed_at, 7);
	assert_int_equal(message.tsig.error, DNS_BADKEY);
	dns_message_release(&message);

	memcpy(two, signed_bytes, sizeof(signed_bytes) - 1);
	two[11] = 2;
	assert_malformed(two, sizeof(two), "a record behind its signature");
	for (size_t i = 0; i < 0x13;
	     i++) { /* the record's length, too short and too long */
		memcpy(two, signed_bytes, sizeof(signed_bytes) - 1);
		two[24] = (unsigned char)i;
		assert_malformed(two, sizeof(signed_bytes) - 1, "");
	}
}

/* ---- answers ------------------------------------------------------------- */

static void an_answer_must_be_the_one_to_the_question(void **state)
{
	struct dns_message asked, answer;
	struct err err;

	(void)state;
	read_well(BYTES("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" QUESTION),
		  &asked);
	read_well(BYTES("\x12\x34\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00\x01"
			"A\x07"
			"exAmple\x00\x00\x10\x00\x01"),
		  &answer);
	assert_int_equal(dns_message_answers(&answer, &asked, &err), 0);
	assert_int_equal(dns_message_answers(&asked, &asked, &err), -1);
	answer.id++;
	assert_int_equal(dns_message_answers(&answer, &asked, &err), -1);
	answer.id--;
	answer.question_type = DNS_TYPE_A;
	assert_int_equal(dns_message_answers(&answer, &asked, &err), -1);
	assert_string_equal(err.text, "what the server sent answers another question");
	answer.question = NULL; /* as errors come */
	assert_int_equal(dns_message_answers(&answer, &asked, &err), -1);
	answer.rcode = DNS_FORMERR;
	assert_int_equal(dns_message_answers(&answer, &asked, &err), 0);
	dns_message_release(&asked);
	dns_message_release(&answer);
}

static void cnames_in_an_answer_are_followed_and_circles_end(void **state)
{
	struct dns_message message;

	(void)state;
	read_record(BYTES("\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01x\xc0\x0c"),
		    &message);
	assert_string_equal(dns_message_owner(&message, "A.EXAMPLE"), "x.a.example");
	assert_string_equal(dns_message_owner(&message, "b.example"), "b.example");
	dns_message_release(&message);
	read_record(BYTES("\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c"), &message);
	assert_string_equal(dns_message_owner(&message, "a.example"), "a.example");
	dns_message_release(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_reads_back_as_it_was_built),
		cmocka_unit_test(an_update_reads_back_as_it_was_built),
		cmocka_unit_test(a_text_is_split_into_strings_of_255_bytes),
		cmocka_unit_test(records_say_what_they_hold),
		cmocka_unit_test(hostile_records_are_malformed),
		cmocka_unit_test(hostile_headers_are_malformed),
		cmocka_unit_test(more_records_than_anybody_sends_are_refused),
		cmocka_unit_test(
			every_beginning_of_a_message_and_every_flipped_byte_is_survived),
		cmocka_unit_test(edns_carries_more_of_the_rcode),
		cmocka_unit_test(nothing_may_stand_behind_a_signature),
		cmocka_unit_test(an_answer_must_be_the_one_to_the_question),
		cmocka_unit_test(cnames_in_an_answer_are_followed_and_circles_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

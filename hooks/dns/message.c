/* message.c - reading what a server answered. */
#include "hooks/dns/message.h"

#include <stdio.h>
#include <string.h>

#include <uv.h> /* inet_ntop() of every system */

#include "base/arena.h"
#include "base/str.h"

#define HEADER_BYTES 12
#define RECORD_FIXED_BYTES 10 /* type, class, ttl, length */
#define CHAIN_MAX 16
#define CAA_CRITICAL 0x80U
#define TSIG_FIXED_BYTES 10 /* time, fudge, MAC's length */
#define TSIG_TAIL_BYTES 6   /* original id, error, length of other */

struct reader {
	const unsigned char *data;
	size_t len, at;
	struct dns_message *message;
	struct err *err;
};

static unsigned get16(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static uint32_t get32(const unsigned char *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static int malformed(const struct reader *reader, const char *what)
{
	return err_set(reader->err, ERR_REFUSED, "malformed DNS message: %s at byte %zu",
		       what, reader->at);
}

static char *keep(const struct reader *reader, const char *text)
{
	return arena_strdup(reader->message->arena, text);
}

/* ---- what a record says -------------------------------------------------- */

static char *keep_bytes(const struct reader *reader, const unsigned char *bytes,
			size_t len)
{
	char *text = arena_calloc(reader->message->arena, len + 1, 1);

	for (size_t i = 0; i < len; i++)
		text[i] = bytes[i] ? (char)bytes[i] : '?';
	return text;
}

/* A name that has to fill the data, or to begin it. */
static int read_target(const struct reader *reader, size_t end, bool fills,
		       struct dns_record *record)
{
	char name[DNS_NAME_TEXT_MAX];
	size_t at = reader->at;

	if (dns_name_read(reader->data, end, &at, name) || (fills && at != end))
		return malformed(reader, "a broken name inside a record");
	record->text = keep(reader, name);
	return 0;
}

static int read_txt(const struct reader *reader, size_t end, struct dns_record *record)
{
	unsigned char *joined;
	size_t n = 0;

	joined = arena_calloc(reader->message->arena, end - reader->at + 1, 1);
	for (size_t at = reader->at; at < end;) {
		size_t len = reader->data[at++];

		if (len > end - at)
			return malformed(reader, "a TXT string over its record's end");
		memcpy(joined + n, reader->data + at, len);
		n += len;
		at += len;
	}
	record->text = keep_bytes(reader, joined, n);
	return 0;
}

static int read_address(const struct reader *reader, size_t end,
			struct dns_record *record)
{
	bool v4 = record->type == DNS_TYPE_A;
	char text[INET6_ADDRSTRLEN];

	if (end - reader->at != (v4 ? 4U : 16U) ||
	    uv_inet_ntop(v4 ? AF_INET : AF_INET6, reader->data + reader->at, text,
			 sizeof(text)))
		return malformed(reader, "an address of the wrong length");
	record->text = keep(reader, text);
	return 0;
}

static int read_caa(const struct reader *reader, size_t end, struct dns_record *record)
{
	const unsigned char *data = reader->data + reader->at;
	size_t len = end - reader->at;

	if (len < 2 || !data[1] || data[1] > len - 2)
		return malformed(reader, "a CAA record without a tag");
	record->critical = data[0] & CAA_CRITICAL;
	record->tag = keep_bytes(reader, data + 2, data[1]);
	record->text = keep_bytes(reader, data + 2 + data[1], len - 2 - data[1]);
	return 0;
}

static int read_data(const struct reader *reader, size_t end, struct dns_record *record)
{
	if (record->class != DNS_CLASS_IN)
		return 0;
	switch (record->type) {
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
		return read_target(reader, end, true, record);
	case DNS_TYPE_SOA:
		return read_target(reader, end, false, record);
	case DNS_TYPE_TXT:
		return read_txt(reader, end, record);
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		return read_address(reader, end, record);
	case DNS_TYPE_CAA:
		return read_caa(reader, end, record);
	default:
		return 0;
	}
}

/* ---- TSIG ---------------------------------------------------------------- */

/* Where the length at `at` says that its data ends, with `more` bytes behind; 0: over the
 * end. */
static size_t end_of(const struct reader *reader, size_t at, size_t more, size_t end)
{
	size_t len = get16(reader->data + at);

	return end - at - 2 >= len && end - at - 2 - len >= more ? at + 2 + len : 0;
}

static int read_tsig(const struct reader *reader, size_t end, struct dns_tsig *ret)
{
	char algorithm[DNS_NAME_TEXT_MAX];
	const unsigned char *data = reader->data;
	size_t at = reader->at, tail;

	if (dns_name_read(data, end, &at, algorithm) || end - at < TSIG_FIXED_BYTES)
		return malformed(reader, "a broken TSIG record");
	ret->signed_at = (uint64_t)get16(data + at) << 32 | get32(data + at + 2);
	ret->fudge_s = (uint16_t)get16(data + at + 6);
	ret->mac_at = at + TSIG_FIXED_BYTES;
	tail = end_of(reader, at + 8, TSIG_TAIL_BYTES, end);
	if (!tail || end_of(reader, tail + 4, 0, end) != end)
		return malformed(reader, "a broken TSIG record");
	ret->mac_len = tail - ret->mac_at;
	ret->original_id = (uint16_t)get16(data + tail);
	ret->error = (uint16_t)get16(data + tail + 2);
	ret->other_at = tail + TSIG_TAIL_BYTES;
	ret->other_len = end - ret->other_at;
	ret->algorithm = keep(reader, algorithm);
	ret->present = true;
	return 0;
}

/* ---- sections ------------------------------------------------------------ */

static int read_question(struct reader *reader)
{
	char name[DNS_NAME_TEXT_MAX];

	if (dns_name_read(reader->data, reader->len, &reader->at, name) ||
	    reader->len - reader->at < 4)
		return malformed(reader, "a broken question");
	if (!reader->message->question) {
		reader->message->question = keep(reader, name);
		reader->message->question_type = (uint16_t)get16(reader->data +
								 reader->at);
	}
	reader->at += 4;
	return 0;
}

static int read_record(struct reader *reader, enum dns_section section)
{
	struct dns_message *message = reader->message;
	struct dns_record record = { .section = section };
	char name[DNS_NAME_TEXT_MAX];
	size_t start = reader->at, end;

	if (message->tsig.present)
		return malformed(reader, "a record behind its signature");
	if (dns_name_read(reader->data, reader->len, &reader->at, name) ||
	    reader->len - reader->at < RECORD_FIXED_BYTES)
		return malformed(reader, "a broken record");
	record.type = (uint16_t)get16(reader->data + reader->at);
	record.class = (uint16_t)get16(reader->data + reader->at + 2);
	record.ttl_s = get32(reader->data + reader->at + 4);
	end = end_of(reader, reader->at + 8, 0, reader->len);
	if (!end)
		return malformed(reader, "a record over the end");
	reader->at += RECORD_FIXED_BYTES;
	if (record.type == DNS_TYPE_TSIG && section == DNS_ADDITIONAL) {
		message->tsig.at = start;
		message->tsig.key = keep(reader, name);
		if (read_tsig(reader, end, &message->tsig))
			return -1;
	} else if (record.type == DNS_TYPE_OPT) { /* RFC 6891 6.1.3: more of the rcode */
		message->rcode |= record.ttl_s >> 24 << 4;
	} else {
		if (message->n == DNS_RECORDS_MAX)
			return malformed(reader, "too many records");
		record.name = keep(reader, name);
		if (read_data(reader, end, &record))
			return -1;
		message->records[message->n++] = record;
	}
	reader->at = end;
	return 0;
}

static int read_sections(struct reader *reader)
{
	for (unsigned left = get16(reader->data + 4); left; left--)
		if (read_question(reader))
			return -1;
	for (size_t section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++)
		for (unsigned left = get16(reader->data + 4 + 2 * section); left; left--)
			if (read_record(reader, (enum dns_section)section))
				return -1;
	if (reader->at != reader->len)
		return malformed(reader, "something behind the last record");
	return 0;
}

int dns_message_read(const void *data, size_t len, struct dns_message *ret,
		     struct err *err)
{
	struct dns_message message = { 0 };
	struct reader reader = { data, len, HEADER_BYTES, &message, err };
	unsigned flags;

	if (len < HEADER_BYTES || len > DNS_MESSAGE_MAX)
		return err_set(err, ERR_REFUSED, "malformed DNS message: %zu bytes", len);
	flags = get16(reader.data + 2);
	message.id = (uint16_t)get16(data);
	message.response = flags & 0x8000U;
	message.opcode = (uint8_t)(flags >> 11 & 15U);
	message.authoritative = flags & 0x0400U;
	message.truncated = flags & 0x0200U;
	message.rcode = flags & 15U;
	message.arena = arena_new();
	message.records = arena_calloc(message.arena, DNS_RECORDS_MAX,
				       sizeof(*message.records));
	if (read_sections(&reader)) {
		arena_free(message.arena);
		return -1;
	}
	*ret = message;
	return 0;
}

void dns_message_release(struct dns_message *message)
{
	arena_free(message->arena);
	*message = (struct dns_message){ 0 };
}

/* ---- looking ------------------------------------------------------------- */

int dns_message_answers(const struct dns_message *message,
			const struct dns_message *asked, struct err *err)
{
	const char *why = NULL;

	if (!message->response)
		why = "is no answer";
	else if (message->id != asked->id || message->opcode != asked->opcode)
		why = "answers something else";
	else if (!message->question && message->rcode == DNS_NOERROR &&
		 asked->opcode == 0)
		why = "does not say what it answers";
	else if (message->question &&
		 (!dns_name_equal(message->question, asked->question) ||
		  message->question_type != asked->question_type))
		why = "answers another question";
	return why ? err_set(err, ERR_REFUSED, "what the server sent %s", why) : 0;
}

const char *dns_message_owner(const struct dns_message *message, const char *name)
{
	const struct dns_record *next;

	for (int i = 0; i < CHAIN_MAX; i++) {
		next = dns_message_next(message, NULL, DNS_ANSWER, name, DNS_TYPE_CNAME);
		if (!next)
			break;
		name = next->text;
	}
	return name;
}

const struct dns_record *dns_message_next(const struct dns_message *message,
					  const struct dns_record *after,
					  enum dns_section section, const char *name,
					  enum dns_type type)
{
	const struct dns_record *record = after ? after + 1 : message->records;

	for (; record < message->records + message->n; record++)
		if (record->section == section && record->type == type && record->text &&
		    (!name || dns_name_equal(record->name, name)))
			return record;
	return NULL;
}

const char *dns_rcode_name(unsigned rcode, char spare[16])
{
	static const char *const names[] = {
		[DNS_NOERROR] = "NOERROR",   [DNS_FORMERR] = "FORMERR",
		[DNS_SERVFAIL] = "SERVFAIL", [DNS_NXDOMAIN] = "NXDOMAIN",
		[DNS_NOTIMP] = "NOTIMP",     [DNS_REFUSED] = "REFUSED",
		[DNS_YXDOMAIN] = "YXDOMAIN", [DNS_YXRRSET] = "YXRRSET",
		[DNS_NXRRSET] = "NXRRSET",   [DNS_NOTAUTH] = "NOTAUTH",
		[DNS_NOTZONE] = "NOTZONE",   [DNS_BADSIG] = "BADSIG",
		[DNS_BADKEY] = "BADKEY",     [DNS_BADTIME] = "BADTIME",
		[DNS_BADTRUNC] = "BADTRUNC",
	};

	if (rcode < sizeof(names) / sizeof(*names) && names[rcode])
		return names[rcode];
	snprintf(spare, 16, "rcode %u", rcode % 65536);
	return spare;
}

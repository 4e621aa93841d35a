/* DNS messages: the input is an answer, and the name and text of messages of our own. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/str.h"
#include "hooks/dns/message.h"

/* A name that was read can be written, and means the same again. */
static void check_name(const char *name)
{
	char again[DNS_NAME_TEXT_MAX];
	struct err err;
	struct buf wire;
	size_t at = 0;

	PROMISED(strlen(name) < DNS_NAME_TEXT_MAX);
	buf_init(&wire, DNS_NAME_WIRE_MAX);
	PROMISED(!dns_name_write(name, &wire, &err));
	PROMISED(!dns_name_read(wire.data, wire.len, &at, again) && at == wire.len);
	PROMISED(str_equal(name, again) && dns_name_equal(name, again));
	PROMISED(dns_name_is_below(name, ""));
	buf_release(&wire);
}

static void check_record(const struct dns_message *message,
			 const struct dns_record *record)
{
	const struct dns_record *at = NULL;
	bool found = false;

	PROMISED(record->section >= DNS_ANSWER && record->section <= DNS_ADDITIONAL);
	PROMISED(record->type != DNS_TYPE_OPT);
	check_name(record->name);
	check_name(dns_message_owner(message, record->name));
	PROMISED(!record->text || record->class == DNS_CLASS_IN);
	PROMISED((record->tag != NULL) == (record->text && record->type == DNS_TYPE_CAA));
	if (!record->text)
		return;
	if (record->type == DNS_TYPE_NS || record->type == DNS_TYPE_CNAME ||
	    record->type == DNS_TYPE_SOA)
		check_name(record->text);
	while ((at = dns_message_next(message, at, record->section, record->name,
				      (enum dns_type)record->type)))
		found = found || at == record;
	PROMISED(found);
}

static void check_tsig(const struct dns_tsig *tsig, size_t size)
{
	if (!tsig->present)
		return;
	PROMISED(tsig->at < size);
	PROMISED(tsig->at >= 12 && tsig->at < tsig->mac_at && tsig->mac_at < size);
	PROMISED(tsig->mac_len < size && tsig->mac_at + tsig->mac_len < tsig->other_at);
	PROMISED(tsig->other_at <= size && tsig->other_len == size - tsig->other_at);
	check_name(tsig->key);
	check_name(tsig->algorithm);
}

static void read_answer(const uint8_t *data, size_t size)
{
	struct dns_message message;
	struct err err = { 0 };
	char spare[16];
	bool says;

	if (dns_message_read(data, size, &message, &err)) {
		PROMISED(err.kind == ERR_REFUSED && err.text[0]);
		return;
	}
	PROMISED(message.n <= DNS_RECORDS_MAX);
	for (size_t i = 0; i < message.n && i < 16; i++)
		check_record(&message, &message.records[i]);
	check_tsig(&message.tsig, size);
	PROMISED(*dns_rcode_name(message.rcode, spare));
	says = message.question || message.rcode || message.opcode;
	PROMISED((dns_message_answers(&message, &message, &err) == 0) ==
		 (message.response && says));
	if (message.question) {
		check_name(message.question);
		PROMISED(dns_message_owner(&message, message.question));
	}
	dns_message_release(&message);
}

static void ask(const char *name)
{
	struct dns_message message;
	struct err err = { 0 };
	struct buf query;

	buf_init(&query, DNS_MESSAGE_MAX);
	if (dns_query_build(7, name, DNS_TYPE_CAA, true, &query, &err)) {
		PROMISED(err.kind == ERR_CONFIG);
	} else {
		PROMISED(!dns_message_read(query.data, query.len, &message, &err));
		PROMISED(message.id == 7 && message.question_type == DNS_TYPE_CAA);
		PROMISED(!message.response && !message.n);
		check_name(message.question);
		if (!strchr(name, '\\'))
			PROMISED(dns_name_equal(message.question, name));
		dns_message_release(&message);
	}
	buf_release(&query);
}

static void update(const char *value, bool remove)
{
	const struct dns_txt_change change = { "_acme-challenge.a.example", value, 60,
					       remove };
	struct dns_message message;
	struct err err = { 0 };
	struct buf out;

	buf_init(&out, DNS_MESSAGE_MAX);
	PROMISED(!dns_update_build(9, "a.example", &out, &err));
	if (!dns_update_txt(&out, &change, &err)) {
		PROMISED(!dns_message_read(out.data, out.len, &message, &err));
		PROMISED(message.n == 1 && message.records[0].type == DNS_TYPE_TXT);
		PROMISED(str_equal(message.records[0].name, change.name));
		if (!remove)
			PROMISED(str_equal(message.records[0].text, value) &&
				 message.records[0].ttl_s == 60);
		dns_message_release(&message);
	} else {
		PROMISED(strlen(value) > 4000);
	}
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);

	read_answer(data, size);
	ask(text);
	update(text, false);
	update(text, true);
	free(text);
	return 0;
}

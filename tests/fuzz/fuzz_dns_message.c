/* What name servers answer. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "hooks/dns/tsig.h"

#define NOW INT64_C(1795000000)

/* A name that was read can be written, and is the same then. */
static void check_name(const char *name)
{
	char again[DNS_NAME_TEXT_MAX];
	struct buf wire;
	struct err err;
	size_t at = 0;

	buf_init(&wire, DNS_NAME_WIRE_MAX);
	PROMISED(dns_name_write(name, &wire, &err) == 0);
	PROMISED(dns_name_read(wire.data, wire.len, &at, again) == 0);
	PROMISED(at == wire.len && strcmp(name, again) == 0);
	buf_release(&wire);
}

static void check_tsig(const uint8_t *data, size_t size,
		       const struct dns_message *message)
{
	static const struct tsig_key key = { "k", TSIG_HMAC_SHA256, "secret", 6 };
	const struct dns_tsig *tsig = &message->tsig;
	struct tsig_mac request = { .len = 32 };
	struct err err;

	if (tsig->present) {
		check_name(tsig->key);
		check_name(tsig->algorithm);
		PROMISED(tsig->at >= 12 && tsig->at < tsig->mac_at);
		PROMISED(tsig->mac_at + tsig->mac_len < tsig->other_at);
		PROMISED(tsig->other_at + tsig->other_len == size);
	}
	PROMISED(tsig_verify(&key, &request, NOW, data, message, &err) == -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_message message;
	struct err err;

	if (dns_message_read(data, size, &message, &err))
		return 0;
	PROMISED(message.n <= DNS_RECORDS_MAX);
	if (message.question)
		check_name(message.question);
	for (size_t i = 0; i < message.n; i++) {
		const struct dns_record *record = &message.records[i];

		check_name(record->name);
		if (record->text &&
		    (record->type == DNS_TYPE_CNAME || record->type == DNS_TYPE_NS))
			check_name(record->text);
		PROMISED(record->type != DNS_TYPE_CAA || !record->text || record->tag);
		check_name(dns_message_owner(&message, record->name));
	}
	check_tsig(data, size, &message);
	dns_message_release(&message);
	return 0;
}

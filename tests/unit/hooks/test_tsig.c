/* The vectors are what BIND 9.18's nsupdate sent and its named answered on 2026-11-21
 * at 11:29:18: `nsupdate -y hmac-sha256:acme.key:...`, "zone a.example", "update add
 * _acme-challenge.a.example 60 TXT value", recorded between the two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "hooks/dns/tsig.h"

#define SIGNED_AT INT64_C(1795260558)

struct vector {
	struct tsig_key key;
	const char *request, *answer; /* as hex */
};

static const struct vector vectors[] = {
	{ { "acme.key", TSIG_HMAC_SHA256, "0123456789abcdef0123456789abcdef", 32 },
	  "eb01280000010000000100010161076578616d706c6500000600010f5f61636d"
	  "652d6368616c6c656e6765c00c001000010000003c00060576616c7565046163"
	  "6d65036b65790000fa00ff00000000003d0b686d61632d736861323536000000"
	  "6b01808e012c0020766ec853a16b59795c7ca2a336ea5c9975283235a8f0683e"
	  "d6cb49f8e99b43dbeb0100000000",
	  "eb01a80000010000000000010161076578616d706c6500000600010461636d65"
	  "036b65790000fa00ff00000000003d0b686d61632d7368613235360000006b01"
	  "808e012c00204fc262d867cebfb55a9f7c47647621cf135b1e8d07746ee35487"
	  "b7e5e2ea1f6deb0100000000" },
	{ { "Strong-Key", TSIG_HMAC_SHA512,
	    "sixty four bytes of secret for a vector, not for a server!", 58 },
	  "8fd2280000010000000100010161076578616d706c6500000600010f5f61636d"
	  "652d6368616c6c656e6765c00c001000010000003c00060576616c75650a7374"
	  "726f6e672d6b65790000fa00ff00000000005d0b686d61632d73686135313200"
	  "00006b01808e012c0040eddbcc932c4685165263eab15c1fbcf50631027548f2"
	  "38304b4496fde01d45e9edaab1e08dbcad34c5283f4e5ec8f625d09f82371745"
	  "2ae82cc4b41cbe8331b98fd200000000",
	  "8fd2a80000010000000000010161076578616d706c6500000600010a7374726f"
	  "6e672d6b65790000fa00ff00000000005d0b686d61632d736861353132000000"
	  "6b01808e012c004036e724f6bfa5d32fb253c0af4b745388af7f63698b90bc52"
	  "1a0ea9fe42716f0c300098dbd99d103ebd86a80c9eb1e8ebb989168d917b83cf"
	  "c00bfe5c3f5963718fd200000000" },
};
#define N_VECTORS (sizeof(vectors) / sizeof(*vectors))

static void from_hex(const char *hex, struct buf *out)
{
	unsigned char bytes[512];
	size_t len = strlen(hex) / 2;

	assert_true(len <= sizeof(bytes));
	assert_int_equal(hex_decode(hex, bytes, len), 0);
	buf_init(out, DNS_MESSAGE_MAX);
	buf_append(out, bytes, len);
}

static void read_message(const struct buf *bytes, struct dns_message *message)
{
	struct err err;

	if (dns_message_read(bytes->data, bytes->len, message, &err))
		fail_msg("%s", err.text);
}

/* The request of a vector as it was before it was signed. */
static void unsign(struct buf *bytes)
{
	struct dns_message message;

	read_message(bytes, &message);
	assert_true(message.tsig.present);
	bytes->len = message.tsig.at;
	bytes->data[11]--;
	dns_message_release(&message);
}

static void sign(const struct vector *vector, struct buf *bytes, struct tsig_mac *mac)
{
	struct err err;

	from_hex(vector->request, bytes);
	unsign(bytes);
	if (tsig_sign(&vector->key, SIGNED_AT, bytes, mac, &err))
		fail_msg("%s", err.text);
}

static void requests_are_signed_as_nsupdate_signs_them(void **state)
{
	struct buf ours, theirs;
	struct tsig_mac mac;

	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++) {
		sign(&vectors[i], &ours, &mac);
		from_hex(vectors[i].request, &theirs);
		assert_int_equal(ours.len, theirs.len);
		assert_memory_equal(mac.bytes, theirs.data + theirs.len - 6 - mac.len,
				    mac.len);
		buf_release(&ours);
		buf_release(&theirs);
	}
}

/* Its memory moves at other places of the record, the original id's among them. */
static void a_message_of_any_length_is_signed_with_its_own_id(void **state)
{
	struct dns_txt_change change = { "a.example", "", 60, false };
	struct dns_message message;
	struct tsig_mac mac;
	struct buf bytes;
	char *value;
	struct err err;

	(void)state;
	for (int len = 0; len < 200; len++) {
		value = str_printf("%*s", len, "");
		change.value = value;
		buf_init(&bytes, DNS_MESSAGE_MAX);
		assert_int_equal(dns_update_build(0xabcd, "a.example", &bytes, &err), 0);
		assert_int_equal(dns_update_txt(&bytes, &change, &err), 0);
		assert_int_equal(
			tsig_sign(&vectors[0].key, SIGNED_AT, &bytes, &mac, &err), 0);
		read_message(&bytes, &message);
		assert_int_equal(message.tsig.original_id, 0xabcd);
		dns_message_release(&message);
		buf_release(&bytes);
		free(value);
	}
}

/* tsig_verify() of a vector's answer, changed by `spoil` where that is not NULL. */
static int verify(const struct vector *vector, const struct tsig_key *key, int64_t now,
		  void (*spoil)(struct buf *answer), struct err *err)
{
	struct dns_message message;
	struct buf request, answer;
	struct tsig_mac mac;
	int rc;

	sign(vector, &request, &mac);
	from_hex(vector->answer, &answer);
	if (spoil)
		spoil(&answer);
	read_message(&answer, &message);
	rc = tsig_verify(key, &mac, now, answer.data, &message, err);
	dns_message_release(&message);
	buf_release(&request);
	buf_release(&answer);
	return rc;
}

static void answers_of_named_are_believed(void **state)
{
	struct err err;

	(void)state;
	for (size_t i = 0; i < N_VECTORS; i++)
		if (verify(&vectors[i], &vectors[i].key, SIGNED_AT + 300, NULL, &err))
			fail_msg("%s", err.text);
}

static void assert_doubted(const struct tsig_key *key, int64_t now,
			   void (*spoil)(struct buf *answer), const char *says)
{
	struct err err = { 0 };

	assert_int_equal(verify(&vectors[0], key, now, spoil, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	if (!strstr(err.text, says))
		fail_msg("'%s' is not in: %s", says, err.text);
}

static void another_rcode(struct buf *answer)
{
	answer->data[3] ^= 5;
}

static void another_id(struct buf *answer)
{
	answer->data[0] ^= 1; /* forwarders may: the original one is signed */
}

static void shorter_mac(struct buf *answer)
{
	size_t mac_len = 32, tail = 6;
	unsigned char *mac = answer->data + answer->len - tail - mac_len;

	mac[-1] = 16;
	memmove(mac + 16, mac + mac_len, tail);
	answer->len -= 16;
	/* the record's length, in front of the algorithm's 13 bytes and 10 more */
	mac[-10 - 13 - 1] = (unsigned char)(mac[-10 - 13 - 1] - 16);
}

static void no_signature(struct buf *answer)
{
	unsign(answer);
}

/* The MAC goes, and an error comes: what a server says that does not know us. */
static void refusal(struct buf *answer, unsigned char code)
{
	size_t mac_len = 32, tail = 6;
	unsigned char *mac = answer->data + answer->len - tail - mac_len;

	mac[-1] = 0;
	memmove(mac, mac + mac_len, tail);
	answer->len -= mac_len;
	mac[-10 - 13 - 1] = (unsigned char)(mac[-10 - 13 - 1] - mac_len);
	mac[3] = code;
	answer->data[3] |= DNS_NOTAUTH;
}

static void bad_key(struct buf *answer)
{
	refusal(answer, DNS_BADKEY);
}

static void bad_sig(struct buf *answer)
{
	refusal(answer, DNS_BADSIG);
}

static void bad_trunc(struct buf *answer)
{
	refusal(answer, DNS_BADTRUNC);
}

static void what_was_changed_on_the_way_is_not_believed(void **state)
{
	const struct tsig_key *key = &vectors[0].key;
	struct err err;

	(void)state;
	assert_doubted(
		key, SIGNED_AT, another_rcode,
		"the signature of the answer is wrong: it was not made with our TSIG "
		"key 'acme.key'");
	assert_doubted(key, SIGNED_AT, shorter_mac,
		       "the signature of the answer is wrong");
	if (verify(&vectors[0], key, SIGNED_AT, another_id, &err))
		fail_msg("%s", err.text);
}

static void an_answer_without_a_signature_is_not_believed(void **state)
{
	(void)state;
	assert_doubted(
		&vectors[0].key, SIGNED_AT, no_signature,
		"the server answered NOERROR without a signature, though we signed "
		"with TSIG key 'acme.key'");
}

static void an_answer_by_another_key_is_not_believed(void **state)
{
	struct tsig_key key = vectors[0].key;

	(void)state;
	key.name = "acme.other";
	assert_doubted(
		&key, SIGNED_AT, NULL,
		"signed with another key or algorithm than our TSIG key 'acme.other'");
	key = vectors[0].key;
	key.secret = "0123456789abcdef0123456789abcdeg";
	assert_doubted(&key, SIGNED_AT, NULL, "the signature of the answer is wrong");
}

static void an_old_answer_is_not_believed_and_names_both_clocks(void **state)
{
	(void)state;
	assert_doubted(&vectors[0].key, SIGNED_AT + 301, NULL,
		       "BADTIME: the server's clock says 2026-11-21T11:29:18Z and ours "
		       "2026-11-21T11:34:19Z, more than "
		       "the 300 s");
	assert_doubted(&vectors[0].key, SIGNED_AT - 301, NULL, "BADTIME: ");
}

static void what_the_server_holds_against_us_is_said_in_words(void **state)
{
	(void)state;
	assert_doubted(&vectors[0].key, SIGNED_AT, bad_key,
		       "BADKEY: the server knows no TSIG key 'acme.key' with algorithm "
		       "hmac-sha256: compare `key` and `algorithm`");
	assert_doubted(
		&vectors[0].key, SIGNED_AT, bad_sig,
		"BADSIG: the server's secret of TSIG key 'acme.key' (hmac-sha256) is "
		"another one than ours");
	assert_doubted(&vectors[0].key, SIGNED_AT, bad_trunc, "BADTRUNC: ");
}

static void a_key_whose_name_is_none_cannot_sign(void **state)
{
	struct tsig_key key = vectors[0].key;
	struct err err = { 0 };
	struct tsig_mac mac;
	struct buf bytes;

	(void)state;
	key.name = "a..b";
	from_hex(vectors[0].request, &bytes);
	unsign(&bytes);
	assert_int_equal(tsig_sign(&key, SIGNED_AT, &bytes, &mac, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, "TSIG key: 'a..b' is no name for the DNS");
	buf_release(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_signed_as_nsupdate_signs_them),
		cmocka_unit_test(a_message_of_any_length_is_signed_with_its_own_id),
		cmocka_unit_test(answers_of_named_are_believed),
		cmocka_unit_test(what_was_changed_on_the_way_is_not_believed),
		cmocka_unit_test(an_answer_without_a_signature_is_not_believed),
		cmocka_unit_test(an_answer_by_another_key_is_not_believed),
		cmocka_unit_test(an_old_answer_is_not_believed_and_names_both_clocks),
		cmocka_unit_test(what_the_server_holds_against_us_is_said_in_words),
		cmocka_unit_test(a_key_whose_name_is_none_cannot_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

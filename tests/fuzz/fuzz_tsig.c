/* Signed answers: the input is one as it arrives, and one that the holder of the key has
 * signed, by a hand of this harness's own (RFC 8945 4.3), of which bits are turned over.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <openssl/evp.h>

#include "hooks/dns/tsig.h"

#define NOW 1793000000
#define SECRET "0123456789abcdef0123456789abcdef"
#define KEY_WIRE "\3key\7example\0"
#define ALGORITHM_WIRE "\13hmac-sha256\0"
#define MAC_BYTES 32
#define PARAMETERS                                                                       \
	6 /* bytes of the input: seconds off, fudge, error, place of the bit             \
	   */

static const struct tsig_key key = { "key.example", TSIG_HMAC_SHA256, SECRET,
				     sizeof(SECRET) - 1 };
static const struct tsig_mac request = { "the MAC of the request, 32 bytes", MAC_BYTES };

struct variables {
	uint64_t at;
	unsigned fudge, error;
};

static void put(struct buf *out, uint64_t value, size_t bytes)
{
	unsigned char byte;

	while (bytes--) {
		byte = (unsigned char)(value >> 8 * bytes);
		buf_append(out, &byte, 1);
	}
}

static void put_times(struct buf *out, const struct variables *variables)
{
	put(out, variables->at, 6);
	put(out, variables->fudge, 2);
}

/* `before`: the MAC of the request that this answers; NULL: it is one. */
static void make_mac(const struct tsig_mac *before, const uint8_t *data, size_t size,
		     const struct variables *variables, unsigned char mac[MAC_BYTES])
{
	struct buf all;
	size_t len;

	buf_init(&all, 1 << 20);
	if (before) {
		put(&all, before->len, 2);
		buf_append(&all, before->bytes, before->len);
	}
	buf_append(&all, data, size);
	buf_append(&all, KEY_WIRE, sizeof(KEY_WIRE) - 1);
	put(&all, DNS_CLASS_ANY, 2);
	put(&all, 0, 4);
	buf_append(&all, ALGORITHM_WIRE, sizeof(ALGORITHM_WIRE) - 1);
	put_times(&all, variables);
	put(&all, variables->error, 2);
	put(&all, 0, 2);
	PROMISED(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, SECRET, sizeof(SECRET) - 1,
			   all.data, all.len, mac, MAC_BYTES, &len));
	buf_release(&all);
}

static void append_tsig(const struct variables *variables,
			const unsigned char mac[MAC_BYTES], struct buf *out)
{
	const unsigned char id[] = { out->data[0], out->data[1] };

	buf_append(out, KEY_WIRE, sizeof(KEY_WIRE) - 1);
	put(out, DNS_TYPE_TSIG, 2);
	put(out, DNS_CLASS_ANY, 2);
	put(out, 0, 4);
	put(out, sizeof(ALGORITHM_WIRE) - 1 + 16 + MAC_BYTES, 2);
	buf_append(out, ALGORITHM_WIRE, sizeof(ALGORITHM_WIRE) - 1);
	put_times(out, variables);
	put(out, MAC_BYTES, 2);
	buf_append(out, mac, MAC_BYTES);
	buf_append(out, id, 2);
	put(out, variables->error, 2);
	put(out, 0, 2);
	if (buf_ok(out) && ++out->data[11] == 0)
		out->data[10]++;
}

/* 1: verified, 0: refused, -1: no message. */
static int verify(const uint8_t *data, size_t size)
{
	struct dns_message message;
	struct err err = { 0 };
	int rc;

	if (dns_message_read(data, size, &message, &err))
		return -1;
	rc = tsig_verify(&key, &request, NOW, data, &message, &err);
	if (rc) {
		PROMISED(err.kind == ERR_REFUSED && err.text[0]);
		PROMISED(strstr(err.text, key.name) && !strpbrk(err.text, "\n\r\033"));
	}
	dns_message_release(&message);
	return rc == 0;
}

/* Is it a message that can be signed: whole, and not signed yet? */
static bool is_unsigned(const uint8_t *data, size_t size)
{
	struct dns_message message;
	struct err err;
	bool is;

	if (dns_message_read(data, size, &message, &err))
		return false;
	is = !message.tsig.present;
	dns_message_release(&message);
	return is;
}

static void sign_and_verify(const uint8_t *parameters, const uint8_t *data, size_t size)
{
	const int off = (parameters[0] - 128) * 4;
	const struct variables variables = { (uint64_t)(NOW + off), parameters[1] * 2U,
					     parameters[2] & 31U };
	const size_t place = (size_t)parameters[3] << 8 | parameters[4];
	unsigned char mac[MAC_BYTES];
	struct buf signed_one;
	int rc;

	make_mac(&request, data, size, &variables, mac);
	buf_init(&signed_one, 1 << 20);
	buf_append(&signed_one, data, size);
	append_tsig(&variables, mac, &signed_one);
	rc = verify(signed_one.data, signed_one.len);
	if (rc >= 0) /* else a name of it leads into the counts of the header */
		PROMISED((rc == 1) ==
			 (!variables.error && abs(off) <= (int)variables.fudge));
	if (rc == 1) { /* the id is not signed: the original one is */
		signed_one.data[2 + place % (size - 2)] ^=
			(uint8_t)(1U << (parameters[5] & 7U));
		PROMISED(verify(signed_one.data, signed_one.len) != 1);
	}
	buf_release(&signed_one);
}

/* What we sign is what the rule says, byte for byte. */
static void sign(const uint8_t *data, size_t size)
{
	const struct variables variables = { NOW, TSIG_FUDGE_S, 0 };
	unsigned char mac[MAC_BYTES];
	struct buf ours, expected;
	struct tsig_mac made;
	struct err err = { 0 };

	buf_init(&ours, 1 << 20);
	buf_init(&expected, 1 << 20);
	buf_append(&ours, data, size);
	buf_append(&expected, data, size);
	make_mac(NULL, data, size, &variables, mac);
	append_tsig(&variables, mac, &expected);
	PROMISED(!tsig_sign(&key, NOW, &ours, &made, &err));
	PROMISED(made.len == MAC_BYTES && !memcmp(made.bytes, mac, MAC_BYTES));
	PROMISED(ours.len == expected.len && !memcmp(ours.data, expected.data, ours.len));
	buf_release(&ours);
	buf_release(&expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	PROMISED(verify(data, size) != 1);
	if (size > PARAMETERS + 12 && size < DNS_MESSAGE_MAX - 200) {
		sign(data + PARAMETERS, size - PARAMETERS);
		if (is_unsigned(data + PARAMETERS, size - PARAMETERS))
			sign_and_verify(data, data + PARAMETERS, size - PARAMETERS);
	}
	return 0;
}

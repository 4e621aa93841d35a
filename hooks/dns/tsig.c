/* tsig.c - the digest of RFC 8945 4.3, and what a server says about ours. */
#include "hooks/dns/tsig.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "base/str.h"

#define ADDITIONAL_COUNT 10 /* its offset in a header */
#define VARIABLES_MAX (2 * DNS_NAME_WIRE_MAX + 64 + UINT16_MAX)

static const struct {
	const char *name, *digest;
} algorithms[] = {
	[TSIG_HMAC_SHA256] = { "hmac-sha256", "SHA256" },
	[TSIG_HMAC_SHA512] = { "hmac-sha512", "SHA512" },
};

const char *tsig_algorithm_name(enum tsig_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

static void put(struct buf *out, uint64_t value, size_t bytes)
{
	unsigned char byte;

	while (bytes--) {
		byte = (unsigned char)(value >> 8 * bytes);
		buf_append(out, &byte, 1);
	}
}

static uint64_t get(const unsigned char *at, size_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

/* ---- the digest ---------------------------------------------------------- */

struct variables { /* RFC 8945 4.3.3: what is signed besides the message */
	uint64_t signed_at;
	uint16_t fudge_s, error;
	const unsigned char *other;
	size_t other_len;
};

/* Names are signed in lower case. */
static int put_name(struct buf *out, const char *name, struct err *err)
{
	char *lower = str_dup(name);
	int rc;

	for (char *at = lower; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + 'a' - 'A');
	rc = dns_name_write(lower, out, err);
	free(lower);
	return rc;
}

static int put_variables(const struct tsig_key *key, const struct variables *variables,
			 struct buf *out, struct err *err)
{
	if (put_name(out, key->name, err))
		return err_wrap(err, "TSIG key");
	put(out, DNS_CLASS_ANY, 2);
	put(out, 0, 4);
	if (put_name(out, tsig_algorithm_name(key->algorithm), err))
		return -1;
	put(out, variables->signed_at, 6);
	put(out, variables->fudge_s, 2);
	put(out, variables->error, 2);
	put(out, variables->other_len, 2);
	buf_append(out, variables->other, variables->other_len);
	return 0;
}

/* Computes the MAC over all of `parts`. */
static int compute(const struct tsig_key *key, const struct buf *parts,
		   struct tsig_mac *ret, struct err *err)
{
	char *digest = str_dup(algorithms[key->algorithm].digest);
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
					      OSSL_MAC_PARAM_DIGEST, digest, 0),
				      OSSL_PARAM_construct_end() };
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);
	int rc = -1;

	if (!ctx || !EVP_MAC_init(ctx, key->secret, key->len, params) ||
	    !EVP_MAC_update(ctx, parts->data, parts->len) ||
	    !EVP_MAC_final(ctx, ret->bytes, &ret->len, sizeof(ret->bytes)))
		err_openssl(err, "compute the signature of a DNS message");
	else
		rc = 0;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(hmac);
	free(digest);
	return rc;
}

/* ---- signing ------------------------------------------------------------- */

static int append_record(const struct tsig_key *key, const struct variables *variables,
			 const struct tsig_mac *mac, struct buf *message, struct err *err)
{
	const char *algorithm = tsig_algorithm_name(key->algorithm);
	const unsigned char id[] = { message->data[0], message->data[1] };
	unsigned char *count;

	if (dns_name_write(key->name, message, err))
		return -1;
	put(message, DNS_TYPE_TSIG, 2);
	put(message, DNS_CLASS_ANY, 2);
	put(message, 0, 4);
	put(message, strlen(algorithm) + 2 + 16 + mac->len, 2);
	if (dns_name_write(algorithm, message, err))
		return -1;
	put(message, variables->signed_at, 6);
	put(message, variables->fudge_s, 2);
	put(message, mac->len, 2);
	buf_append(message, mac->bytes, mac->len);
	buf_append(message, id, sizeof(id)); /* the original one */
	put(message, variables->error, 2);
	put(message, 0, 2);
	if (!buf_ok(message))
		return err_set(err, ERR_BUG, "a DNS message has no room to be signed");
	count = message->data + ADDITIONAL_COUNT;
	if (++count[1] == 0)
		count[0]++;
	return 0;
}

int tsig_sign(const struct tsig_key *key, int64_t now, struct buf *message,
	      struct tsig_mac *ret_mac, struct err *err)
{
	const struct variables variables = { .signed_at = (uint64_t)now,
					     .fudge_s = TSIG_FUDGE_S };
	struct tsig_mac mac = { 0 };
	struct buf parts;
	int rc = -1;

	buf_init(&parts, DNS_MESSAGE_MAX + VARIABLES_MAX);
	buf_append(&parts, message->data, message->len);
	if (put_variables(key, &variables, &parts, err) ||
	    compute(key, &parts, &mac, err) ||
	    append_record(key, &variables, &mac, message, err))
		goto out;
	*ret_mac = mac;
	rc = 0;
out:
	buf_release(&parts);
	return rc;
}

/* ---- verifying ----------------------------------------------------------- */

/* The request's MAC, the message as it was before it was signed, the variables. */
static int put_answer(const struct tsig_key *key, const struct tsig_mac *request,
		      const unsigned char *bytes, const struct dns_tsig *tsig,
		      struct buf *out, struct err *err)
{
	const struct variables variables = { tsig->signed_at, tsig->fudge_s, tsig->error,
					     bytes + tsig->other_at, tsig->other_len };
	size_t behind = ADDITIONAL_COUNT + 2;

	put(out, request->len, 2);
	buf_append(out, request->bytes, request->len);
	put(out, tsig->original_id, 2);
	buf_append(out, bytes + 2, ADDITIONAL_COUNT - 2);
	put(out, get(bytes + ADDITIONAL_COUNT, 2) - 1, 2);
	buf_append(out, bytes + behind, tsig->at - behind);
	return put_variables(key, &variables, out, err);
}

static int check_mac(const struct tsig_key *key, const struct tsig_mac *request,
		     const unsigned char *bytes, const struct dns_tsig *tsig,
		     struct err *err)
{
	struct tsig_mac mac = { 0 };
	struct buf parts;
	int rc = -1;

	buf_init(&parts, DNS_MESSAGE_MAX + VARIABLES_MAX);
	if (put_answer(key, request, bytes, tsig, &parts, err) ||
	    compute(key, &parts, &mac, err))
		goto out;
	if (tsig->mac_len != mac.len ||
	    CRYPTO_memcmp(bytes + tsig->mac_at, mac.bytes, mac.len) != 0) {
		err_set(err, ERR_REFUSED,
			"the signature of the answer is wrong: it was not made with our "
			"TSIG key '%s', or the answer was changed on the way",
			key->name);
		goto out;
	}
	rc = 0;
out:
	buf_release(&parts);
	return rc;
}

/* CLOCK_NEVER's text for what is no instant of ours. */
static void tell_clock(uint64_t at, char out[CLOCK_TEXT_MAX])
{
	clock_format_rfc3339(at > INT64_MAX ? CLOCK_NEVER : (int64_t)at, out);
}

static int bad_time(const struct tsig_key *key, uint64_t theirs, int64_t now,
		    struct err *err)
{
	char our_text[CLOCK_TEXT_MAX], their_text[CLOCK_TEXT_MAX];

	tell_clock(theirs, their_text);
	clock_format_rfc3339(now, our_text);
	return err_set(err, ERR_REFUSED,
		       "BADTIME: the server's clock says %s and ours %s, more than the "
		       "%d s that a signature by TSIG key '%s' is good for: set the "
		       "clock that is wrong",
		       their_text, our_text, TSIG_FUDGE_S, key->name);
}

/* What the server says about our signature; it cannot sign that it does not know us. */
static int refused_us(const struct tsig_key *key, unsigned code, struct err *err)
{
	const char *algorithm = tsig_algorithm_name(key->algorithm);
	char spare[16];

	if (code == DNS_BADKEY)
		return err_set(err, ERR_REFUSED,
			       "BADKEY: the server knows no TSIG key '%s' with algorithm "
			       "%s: compare `key` and `algorithm` with its `key` block",
			       key->name, algorithm);
	if (code == DNS_BADSIG)
		return err_set(err, ERR_REFUSED,
			       "BADSIG: the server's secret of TSIG key '%s' (%s) is "
			       "another one than ours: compare the two",
			       key->name, algorithm);
	return err_set(err, ERR_REFUSED,
		       "%s: the server does not take the signature by TSIG key '%s' (%s)",
		       dns_rcode_name(code, spare), key->name, algorithm);
}

static int not_signed(const struct tsig_key *key, const struct dns_message *message,
		      struct err *err)
{
	char spare[16];

	return err_set(
		err, ERR_REFUSED,
		"the server answered %s without a signature, though we signed with "
		"TSIG key '%s': it does not know TSIG, or something between us "
		"answers in its place",
		dns_rcode_name(message->rcode, spare), key->name);
}

int tsig_verify(const struct tsig_key *key, const struct tsig_mac *request, int64_t now,
		const unsigned char *bytes, const struct dns_message *message,
		struct err *err)
{
	const struct dns_tsig *tsig = &message->tsig;
	int64_t apart;

	if (!tsig->present)
		return not_signed(key, message, err);
	if (!tsig->mac_len && tsig->error)
		return refused_us(key, tsig->error, err);
	if (!dns_name_equal(tsig->key, key->name) ||
	    !dns_name_equal(tsig->algorithm, tsig_algorithm_name(key->algorithm)))
		return err_set(err, ERR_REFUSED,
			       "the answer is signed with another key or algorithm than "
			       "our TSIG key '%s' (%s)",
			       key->name, tsig_algorithm_name(key->algorithm));
	if (check_mac(key, request, bytes, tsig, err))
		return -1;
	if (tsig->error == DNS_BADTIME && tsig->other_len == 6)
		return bad_time(key, get(bytes + tsig->other_at, 6), now, err);
	if (tsig->error)
		return refused_us(key, tsig->error, err);
	apart = (int64_t)tsig->signed_at - now;
	if (apart > tsig->fudge_s || -apart > tsig->fudge_s)
		return bad_time(key, tsig->signed_at, now, err);
	return 0;
}

/* tsig.h - DNS messages signed with a shared secret (RFC 8945), HMAC-SHA256 and SHA512.
 * Pure: time is a parameter. One message each way; no streams of several. */
#ifndef HOOKS_DNS_TSIG_H
#define HOOKS_DNS_TSIG_H

#include "base/challenge.h"
#include "hooks/dns/message.h"

#define TSIG_MAC_MAX 64
#define TSIG_FUDGE_S 300

struct tsig_key { /* borrowed */
	const char *name;
	enum tsig_algorithm algorithm;
	const void *secret;
	size_t len;
};

struct tsig_mac {
	unsigned char bytes[TSIG_MAC_MAX];
	size_t len;
};

/* "hmac-sha256" */
const char *tsig_algorithm_name(enum tsig_algorithm algorithm);

/* Signs `message` at the instant `now`: appends the TSIG record and counts it. Fills
 * *ret_mac, which the answer is verified with. ERR_CONFIG: the key's name is none. */
int tsig_sign(const struct tsig_key *key, int64_t now, struct buf *message,
	      struct tsig_mac *ret_mac, struct err *err);

/* Did the holder of the key answer this, to the request with that MAC, now? `bytes` are
 * what `message` was read from. ERR_REFUSED with the reason, in words that name the key:
 * not signed, another key, the server's BADSIG, BADKEY and BADTIME (with both clocks), a
 * signature that is wrong, one that is too old. What the answer says in its other parts
 * is to be trusted only after this. */
int tsig_verify(const struct tsig_key *key, const struct tsig_mac *request, int64_t now,
		const unsigned char *bytes, const struct dns_message *message,
		struct err *err);

#endif

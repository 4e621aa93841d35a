/* renewal.h - is this certificate due?  Pure: no clock, no disk, no network.
 *
 * Renew at the earliest of: the CA's advice, the operator's `renew.at`, the operator's
 * command; at once when it is missing or no longer what the configuration asks for. A
 * verdict names the rule that said so. */
#ifndef DAEMON_RENEWAL_H
#define DAEMON_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"

#define NO_ARI INT64_MAX

enum renewal_reason {
	NOT_DUE,
	NEWER_WAS_PUT,  /* into the store that it comes from */
	OPERATOR_ASKED, /* `renew NAME`: on an unexpired one only with --force */
	MISSING,
	REVOKED,  /* by the operator's command: what clients see is refused */
	KEY_LOST, /* the store has it no more, and nobody else ever had */
	NAMES_CHANGED,
	KEY_TYPE_CHANGED,
	REQUEST_CHANGED, /* `csr`: the operator has another key now */
	FROM_STAGING, /* of a CA's directory for trials, and the real one is configured */
	EXPIRED,
	CA_ADVICE,
	AGE,
};

struct renewal_facts {
	bool present, names_match, key_type_matches;
	bool forced;
	bool request_changed, from_staging;
	bool revoked;
	bool key_lost;
	bool newer_was_put; /* a newer one lies where others put it */
	int64_t not_before, not_after;
	int64_t ari_at; /* picked once inside the CA's window; NO_ARI if none */
};

struct renewal_verdict {
	enum renewal_reason reason; /* anything but NOT_DUE means: renew now */
	int64_t due_at;             /* when it is (or was) due; `now` for "at once" */
};

/* Due or not, and by which rule. */
struct renewal_verdict renewal_decide(const struct renewal_facts *facts,
				      const struct renew_at *policy, int64_t now);

/* When age alone makes a certificate of this period due. Default: a third of the lifetime
 * left, half if the lifetime is under 10 days. A duration as long as the lifetime or
 * longer counts as the default (it would be due at birth). */
int64_t renewal_age_limit(const struct renew_at *policy, int64_t not_before,
			  int64_t not_after);

/* The rule in words: "not due", "its age", "the CA's advice (ARI)", ... Borrowed. */
const char *renewal_reason_text(enum renewal_reason reason);

/* Every rule and its date, one line each, for `explain`: appends to `out`. */
void renewal_explain(const struct renewal_facts *facts, const struct renew_at *policy,
		     int64_t now, struct buf *out);

#endif

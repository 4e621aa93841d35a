/* limits.h - what CAs publish about how often they may be asked, held against what we
 * asked: how many orders and certificates remain at an issuer, and when there is one
 * more.
 *
 * Knowledge, not law: the CA counts what other machines with the account or the domain
 * did too. So an order is vetoed here only when the CA's published limit would surely
 * refuse it, and when the CA itself has said "not before". `--force` skips neither. A CA
 * that is not in the table has no published limits: of it only its own words count.
 *
 *     limits_check(...)             before newOrder
 *     limits_note_order(...)        newOrder was answered with a new order
 *     limits_note_certificate(...)  the certificate is here
 *     limits_note_failure(...)      identifiers whose validation failed at the CA
 *     limits_note_refusal(...)      whatever else went wrong: "not before" is in it
 *
 * The decision is pure; the file accounts/<issuer>/history.json is below. */
#ifndef DAEMON_LIMITS_H
#define DAEMON_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

/* ---- what is published (limits.c) ----------------------------------------- */

/* What the CA counts an order as. */
enum limits_order {
	LIMITS_FRESH,   /* names that it has not seen together */
	LIMITS_RENEWAL, /* the same names again */
	LIMITS_ARI,     /* the same, with `replaces` (RFC 9773 5) */
};

enum limits_rule {
	LIMITS_ORDERS,      /* new orders of an account */
	LIMITS_DOMAIN,      /* certificates of a registered domain */
	LIMITS_SAME_NAMES,  /* certificates of exactly these names */
	LIMITS_FAILURES,    /* failed validations of a name */
	LIMITS_CONSECUTIVE, /* the same in a row, without a success: then it is paused */
	LIMITS_RULES
};

struct limits_bucket { /* holds `most`, and one more comes back every `refill_s` */
	int64_t most, refill_s; /* most 0: no such limit */
	unsigned exempt;        /* bits 1 << enum limits_order: they are not counted */
};

struct limits_ca {
	const char *host; /* of its directory */
	const char *name;
	const char *page, *dated; /* where they are published, and when we read it */
	struct limits_bucket buckets[LIMITS_RULES];
};

/* The CA with that directory; NULL: no limits of it are known. */
const struct limits_ca *limits_known(const char *directory);

/* The domain that certificates of `name` are counted for, as far as it can be told
 * without the list of public suffixes: the last two labels, three where the last is a
 * country and the one before has at most three letters ("example.co.uk"). Borrowed from
 * `name`; of an IP address the whole. */
const char *limits_domain(const char *name);

/* ---- what we did ----------------------------------------------------------- */

struct limits_certificate {
	int64_t at;
	enum limits_order as;
	struct strlist names; /* lower case, sorted */
};

struct limits_failures { /* of one identifier */
	char *identifier;
	int64_t *at; /* of late, oldest first */
	size_t n;
	int64_t forgiven_at; /* when those since its last success count no more */
};

struct limits_wait { /* the CA said "not before" */
	int64_t until, said_at;
	struct strlist names; /* to this set of names; empty: to the account */
	char *text;           /* in the CA's words */
};

struct limits_history {
	int64_t *orders; /* instants of fresh ones, oldest first */
	size_t n_orders;
	struct limits_certificate *certificates;
	size_t n_certificates;
	struct limits_failures *failures;
	size_t n_failures;
	struct limits_wait *waits;
	size_t n_waits;
};
void limits_history_clear(struct limits_history *history); /* NULL is fine */

/* ---- the decision, pure (limits.c) ------------------------------------------ */

struct limits_count {
	bool applies;       /* to such an order at this CA */
	int64_t left, most; /* left: how many the CA would still take, by our count */
	int64_t next_at;    /* when there is one more; `now` while some are left */
	const char *about;  /* the name or domain it is nearest for; NULL: the account or
			       the whole set. Borrowed from the names or the history */
};

struct limits_verdict {
	bool allowed;
	int64_t retry_at; /* when it would be, if not */
	char text[2048];  /* why not: the rule or the CA's own words */
	struct limits_count counts[LIMITS_RULES];
	enum limits_rule nearest; /* the rule with the smallest part left; LIMITS_RULES:
				     none applies */
};

/* May these names be ordered? `ca` NULL: only what the CA said counts. */
struct limits_verdict limits_decide(const struct limits_ca *ca,
				    const struct limits_history *history,
				    const char *const *names, enum limits_order as,
				    int64_t now);

/* The rule in words, what is counted: "new orders of the account in 3 h". Borrowed. */
const char *limits_rule_text(enum limits_rule rule);

/* ---- what the CA says, pure (limits_words.c) -------------------------------- */

struct limits_refusal {
	const char *text; /* the CA's own words, borrowed; NULL: it did not say that there
			     is too much */
	int64_t until;    /* as the words say; 0: they do not */
	bool about_names; /* these names have to wait, not the account */
};

/* Reads the sentence of a failed attempt at these names. */
struct limits_refusal limits_hear(const char *text, const char *const *names);

/* ---- the file accounts/<issuer>/history.json (limits_file.c) ------------------ */

/* As in breaker.h all of these set a damaged file aside and begin anew: they succeed, and
 * err->kind is ERR_CONFIG with the sentence to report (else ERR_NONE). What no rule looks
 * at any more is dropped when writing. Those that write are durable when they return, and
 * thread-safe among our workers. The issuer must be an ISSUER_ACME; at one whose limits
 * are not known only limits_note_refusal() writes, and limits_check() reads nothing but
 * that. */

/* Gives *ret, limits_history_clear(). */
int limits_read(const char *state_dir, const struct issuer_config *issuer,
		struct limits_history *ret, struct err *err);

/* Before newOrder: ERR_TRANSIENT with retry_after_s and the instant, when the CA would
 * surely refuse, or has said that it will. */
int limits_check(const char *state_dir, const struct issuer_config *issuer,
		 const char *const *names, enum limits_order as, int64_t now,
		 struct err *err);

/* newOrder was answered with a new order. */
int limits_note_order(const char *state_dir, const struct issuer_config *issuer,
		      enum limits_order as, int64_t now, struct err *err);

/* Ends what failed in a row for its names. */
int limits_note_certificate(const char *state_dir, const struct issuer_config *issuer,
			    const char *const *names, enum limits_order as, int64_t now,
			    struct err *err);

/* `identifiers` as in acme_result.challenged; an empty list is nothing. */
int limits_note_failure(const char *state_dir, const struct issuer_config *issuer,
			const struct strlist *identifiers, int64_t now, struct err *err);

/* Keeps the CA's "not before" of a failed attempt (retry_after_s of a rateLimited, 429 or
 * 503 answer) for the account, or for these names where the CA's words are about names.
 * Nothing where `refusal` says no such thing; at most 8 days. */
int limits_note_refusal(const char *state_dir, const struct issuer_config *issuer,
			const char *const *names, const struct err *refusal, int64_t now,
			struct err *err);

#endif

/* issue.h - what the ways to a new certificate share: one turn of one issuer. For
 * daemon/issue*.c only; the flow calls pass_preflight() and pass_issue() of pass.h.
 *
 * A way fills `key` and `pem` of its attempt, and has seen to it that the version which
 * will hold them is on disk (job.order_version). Judging, keeping and remembering is the
 * same for all of them, in issue.c. */
#ifndef DAEMON_ISSUE_H
#define DAEMON_ISSUE_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "daemon/pass.h"

struct provers;

struct acme_session;

struct attempt { /* one issuer's turn */
	struct pass *pass;
	const struct issuer_config *issuer;
	EVP_PKEY *key;        /* of the new certificate; NULL: it is in the store only */
	bool key_elsewhere;   /* `key` is its public part: the operator has it */
	char *csr;            /* his request, base64url of its DER; NULL: we make one */
	struct buf pem;       /* the new certificate and its chain */
	char *chain_root;     /* the name at the top of that chain; NULL: not told */
	struct strlist notes; /* what was asked for and not had */
	bool skipped;         /* failed: the issuer was not asked at all */
	bool held;            /* failed: by the circuit breaker */
	bool limited;         /* failed: a rate limit has to pass first */
	bool challenged;      /* failed: our answer to a challenge was not seen */
};

/* ---- issue_key.c: what must be durable before somebody is asked ----------- */

/* What waits is of another issuer now: its order expires at its CA, never finalized, and
 * is forgotten here. Its key is as good as a new one, unless somebody else made it. To be
 * called before an order's existence says anything, as to the breaker. */
void issue_leave_others(struct attempt *attempt);

/* The attempt's key: one that waits from an order before, the present one where
 * `key.reuse` says so, else a new one. Key and order number are durable when this
 * returns. */
int issue_prepare_key(struct attempt *attempt, struct err *err);

/* Makes folder and number of a version that is to hold `attempt->key` (NULL: a key that
 * is in the store only); durable, and noted in job.json when this returns. */
int issue_begin_version(struct attempt *attempt, struct err *err);

/* Notes in job.json whose order the waiting version is for; durable. */
int issue_remember_whose(struct attempt *attempt, struct err *err);

/* May one more certificate be issued? ERR_TRANSIENT with the moment when it may. */
int issue_check_breaker(struct attempt *attempt, struct err *err);

/* Counts one, before it is asked for. */
int issue_count(struct attempt *attempt, struct err *err);

/* ---- issue_csr.c: the operator's own request ------------------------------- */

/* Reads it: fills `key` with its public part and `csr`, and has a version ready that
 * holds no key. ERR_CONFIG where its names are not the configured ones. */
int issue_take_request(struct attempt *attempt, struct err *err);

/* ---- issue_caa.c ----------------------------------------------------------- */

/* May the issuer's CA issue for our names? ERR_REFUSED with the record that forbids it;
 * challenges that a record does not allow drop out. */
int issue_check_caa(struct attempt *attempt, struct provers *provers,
		    const char *const *issuer_domains, struct err *err);

/* ---- the ways ------------------------------------------------------------ */

/* issue_acme.c: ordered at a CA, by RFC 8555. */
int issue_by_acme(struct attempt *attempt, struct err *err);
/* Refuses a chain that clients would have to complete by guessing, where that is new. */
int issue_check_acme(const struct attempt *attempt, const struct cert *fresh,
		     struct err *err);

/* What the session's last Date says about our clock, for the pass and for the engine. */
void issue_learn_date(struct pass *pass, const struct acme_session *session);

/* issue_store.c: whoever put it there; the newest that has our names. ERR_NOT_FOUND when
 * there is none but the one in hand. */
int issue_from_store(struct attempt *attempt, struct err *err);

/* issue_self_signed.c: signed with its own key. */
int issue_self_signed(struct attempt *attempt, struct err *err);

/* issue_command.c: a program reads our request and writes the chain. */
int issue_by_command(struct attempt *attempt, struct err *err);
/* Where the issuer has a `ca_bundle`, the chain must end there. */
int issue_check_command(const struct attempt *attempt, const struct cert *fresh,
			struct err *err);

#endif

/* prove.h - how control of a certificate's names is shown to a CA: its `challenge:` list,
 * in the operator's order, as solvers for acme/. For daemon/issue*.c and daemon/prove*.c.
 *
 *     provers_open(&provers, pass)
 *     provers_check(&provers, &err)              preflight: those that cannot, drop out
 *     provers_know(&provers, ...)                once account and CA are known
 *     acme_obtain(... provers.solvers ...)
 *     provers_fall_back(&provers, &result.challenged)   true: order again
 *     provers_close(&provers)
 *
 * A prover that failed for a name is dropped for that name, and the next one that suits
 * it takes over, within the pass. Nothing is remembered for the next pass: the order of
 * preference is the operator's, what failed today may be what he wants to hear of again,
 * and a preferred type that works again is used again. */
#ifndef DAEMON_PROVE_H
#define DAEMON_PROVE_H

#include <stdbool.h>
#include <stddef.h>

#include "acme/solver.h"
#include "base/challenge.h"
#include "base/str.h"
#include "daemon/challenge_record.h"
#include "daemon/pass.h"

struct acme_session;

struct prover { /* one entry of `challenge:` */
	struct provers *all;
	const struct challenge *challenge;
	const struct prover_type *type;
	struct strlist dropped;   /* identifiers that it is not to prove */
	struct strlist presented; /* identifiers that it answered for in this order */
	struct challenge_record shown; /* what is out there */
	char *warning; /* what was not seen from outside before the CA looked; NULL */
};

struct provers {
	struct pass *pass;
	struct prover *items;
	struct acme_solver *solvers; /* the same, as acme/ wants them */
	size_t n;
	const char *account_url;           /* NULL: not known yet. Borrowed */
	const char *const *issuer_domains; /* of the CA; NULL: not known. Borrowed */
	struct err why;                    /* the first that dropped out */
	bool unable; /* one could not put its answer up: no other CA would see it */
};

struct prover_type {               /* one row a challenge type */
	const char *name;          /* as the CA calls it */
	bool addresses, wildcards; /* can it prove them? RFC 8738, RFC 8555 8.4 */
	/* Could it answer for this identifier, as far as can be seen without doing it?
	 * NULL: it could. */
	int (*check)(struct prover *prover, const char *identifier, struct err *err);
	/* The same, once account and CA are known; NULL: nothing more. */
	int (*know)(struct prover *prover, const char *identifier, struct err *err);
	int (*present)(struct prover *prover, const struct acme_challenge *challenge,
		       struct err *err);
	int (*settle)(struct prover *prover, struct err *err); /* NULL: at once */
	void (*cleanup)(struct prover *prover, const struct acme_challenge *challenge);
};

/* prove_http.c, prove_dns.c, prove_tls_alpn.c, prove_persist.c */
extern const struct prover_type prove_http, prove_dns, prove_tls_alpn, prove_persist;

/* Fills *ret, in place: it must stay where it is. */
void provers_open(struct provers *ret, struct pass *pass);
void provers_close(struct provers *provers);

/* Who is to prove it now; NULL: nobody is left. */
struct prover *provers_for(struct provers *provers, const char *identifier);

/* Drops whatever cannot answer now, with a note. Fails when nobody is left for a name,
 * with the reason of the first that dropped out. */
int provers_check(struct provers *provers, struct err *err);

/* The same with what only the CA and the account tell. Borrows all. */
int provers_know(struct provers *provers, const char *account_url,
		 const char *const *issuer_domains, struct err *err);

/* Takes a prover out of the game for a name: `why` is noted. */
void prover_drop(struct prover *prover, const char *identifier, const struct err *why);

/* Is somebody left for every name? Else the first reason. */
int provers_left(struct provers *provers, struct err *err);

/* After an order that failed: drops who answered for the names in `challenged` (failed at
 * the CA), or could not answer. True when somebody else is there for each of them: then
 * another order makes sense. `why` is what the order failed with. */
bool provers_fall_back(struct provers *provers, const struct strlist *challenged,
		       const struct err *why);

/* Adds to a failure what had not been seen from outside before the CA looked. */
void provers_explain(const struct provers *provers, struct err *err);

#endif

/* rehearsal.h - a full trial that touches nothing: everything that a renewal does, at the
 * issuer's directory for trials (`staging:`), with an account of its own and a key that
 * never leaves memory; then whether the targets could be deployed, and whether anybody
 * would hear of trouble.
 *
 * No certificate, job, breaker, store or target is changed. What is written: the trial
 * account (accounts/<issuer>.staging, never shared with the real one), and what is
 * remembered of spares (below). An issuer without such a directory is tried as far as no
 * order is needed.
 *
 * A spare is an issuer of a certificate that did not issue it last: a way that nobody has
 * gone for long. The daemon proves each of them once a month, at a calm moment, and a
 * failed one is tried again the next day. */
#ifndef DAEMON_REHEARSAL_H
#define DAEMON_REHEARSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"

/* ---- what is remembered: certificates/<name>/rehearsals.json ------------- */

struct rehearsal { /* the last one of an issuer */
	char issuer[64];
	int64_t at;         /* 0: none yet */
	int64_t next_at;    /* when the next one is planned */
	bool well, ordered; /* ordered: up to a certificate, at the staging directory */
	char text[1024];    /* what came of it, one sentence */
};
struct rehearsals {
	struct rehearsal *items;
	size_t n;
};

/* Reads it; missing: none. A damaged one is set aside: success, err->kind is ERR_CONFIG
 * with the sentence to report (else ERR_NONE). Gives; rehearsals_clear() after. */
int rehearsal_read(const char *folder, struct rehearsals *ret, struct err *err);
int rehearsal_write(const char *folder, const struct rehearsals *rehearsals,
		    struct err *err);
void rehearsals_clear(struct rehearsals *rehearsals);

/* The record of an issuer; NULL: none. Borrowed until the next change. */
struct rehearsal *rehearsal_of(const struct rehearsals *rehearsals, const char *issuer);
/* The same, made when it is missing. */
struct rehearsal *rehearsal_ensure(struct rehearsals *rehearsals, const char *issuer);

/* ---- for the pass -------------------------------------------------------- */

struct pass;

/* The operator's `rehearse`: findings, one a line. */
int pass_rehearse(struct pass *pass, struct err *err);

/* Proves one spare whose time has come; tells `rehearsal_failed` and `recovered`. To be
 * called when nothing else is to be done. */
void pass_rehearse_spares(struct pass *pass);

/* When the next spare is to be proven; CLOCK_NEVER: there is none. */
int64_t pass_rehearsal_at(const struct pass *pass);

/* rehearsal_ca.c: one issuer, into findings. `registers`: the real account is made where
 * it is missing, so that it is there on the day that it is needed. Sets *ret_ordered. */
void rehearse_issuer(struct pass *pass, const struct issuer_config *issuer,
		     bool registers, bool *ret_ordered);

#endif

/* rehearsal.h - a full trial that touches nothing: everything that a renewal does, at the
 * issuer's directory for trials (`staging:`), with an account of its own and a key that
 * never leaves memory; then whether the targets could be deployed, and whether anybody
 * would hear of trouble.
 *
 * No certificate, job, breaker, store or target is changed. What is written: the trial
 * account (accounts/<issuer>.staging, never shared with the real one), what is remembered
 * of rehearsals (below), and for a moment a file of ours beside each that a deployment
 * would replace. An issuer without such a directory is tried as far as no order is
 * needed.
 *
 * Three ways lead here. The operator's `rehearse`. The habit: the daemon rehearses the
 * next renewal every week and before its maintenance window, when nothing else is to be
 * done (rehearsal_when.h), and says that the renewal on that day will succeed, or why it
 * will fail. And spares: issuers of a certificate that did not issue it last, a way that
 * nobody has gone for long; each is proven once a month, a failed one again the next day.
 */
#ifndef DAEMON_REHEARSAL_H
#define DAEMON_REHEARSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/err.h"
#include "config/config.h"

/* ---- what is remembered: certificates/<name>/rehearsals.json ------------- */

struct rehearsal { /* the last one of an issuer */
	char issuer[64];
	int64_t at;         /* 0: none yet */
	int64_t next_at;    /* of a spare: when the next one is planned */
	bool well, ordered; /* ordered: up to a certificate, at the staging directory */
	char text[1024];    /* what came of it, one sentence */

	int64_t ordered_at;       /* when an order on trial was begun last; 0: never */
	int64_t order_not_before; /* the CA wants no other before that; 0: it did not say
				   */
	bool order_failed;        /* that order */
	char order_text[512];     /* why */
};

enum rehearsal_outcome {
	REHEARSED_NOT, /* there was none, or a renewal came after it */
	REHEARSED_WELL,
	REHEARSED_BUT, /* the renewal will succeed; something beside it is not well */
	REHEARSED_FAILED,
};

struct rehearsal_whole { /* the last one of everything that the next renewal needs */
	int64_t at, next_at;
	int64_t not_before; /* it was put off until then; 0: it was not */
	enum rehearsal_outcome outcome;
	bool ordered;    /* an order on trial went well, now or not long ago */
	bool deployment; /* the certificate was at hand: only its deployment was tried */
	char why[1024];  /* what is not well, "" else */
};

struct rehearsals {
	struct rehearsal_whole whole;
	struct rehearsal *items; /* of each issuer */
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

/* "will_succeed", "will_succeed_but", "will_fail"; NULL for REHEARSED_NOT. Borrowed. */
const char *rehearsal_outcome_name(enum rehearsal_outcome outcome);

/* "renewal of 'xu' on 3 December will succeed", "... will fail because ...". `day_at`:
 * when it is to be, CLOCK_NEVER: nobody knows. Gives. */
char *rehearsal_sentence(const struct rehearsal_whole *whole, const char *certificate,
			 int64_t day_at, int64_t now);

/* Was what it was about done meanwhile: the last renewal at `renewed_at`, or the
 * deployment verified at `verified_at` (0: not yet)? */
bool rehearsal_is_over(const struct rehearsal_whole *whole, int64_t renewed_at,
		       int64_t verified_at);

/* Nobody stopped it: one without an outcome has failed, for it took longer than
 * `limit_minutes`. */
void rehearsal_settle(struct rehearsal_whole *whole, int limit_minutes);

/* ---- for the pass -------------------------------------------------------- */

struct pass;

/* rehearsal.c: the operator's `rehearse`: findings, one a line. */
int pass_rehearse(struct pass *pass, struct err *err);

/* rehearsal_habit.c: rehearses the next renewal when its time has come; tells
 * `rehearsal_failed` and `recovered`. To be called when nothing else is to be done; gives
 * way to whoever asks for the certificate meanwhile. */
void pass_rehearse_by_habit(struct pass *pass);

/* rehearsal_spares.c: proves one spare whose time has come, likewise. */
void pass_rehearse_spares(struct pass *pass);

/* When the next renewal is to be rehearsed, and the next spare proven; CLOCK_NEVER: not
 * at all. */
int64_t pass_rehearsal_at(const struct pass *pass);
int64_t pass_spares_at(const struct pass *pass);

#endif

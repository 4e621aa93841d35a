/* rehearsal_parts.h - what rehearsal*.c share. For them alone. */
#ifndef DAEMON_REHEARSAL_PARTS_H
#define DAEMON_REHEARSAL_PARTS_H

#include "daemon/pass.h"
#include "daemon/rehearsal.h"

/* Reads what is remembered, telling of damage; writes it, telling of failure (-1). */
void rehearsals_load(struct pass *pass, struct rehearsals *ret);
int rehearsals_save(struct pass *pass, const struct rehearsals *rehearsals);

/* Who wants it. */
enum rehearsal_way {
	REHEARSE_ON_COMMAND, /* somebody is watching; an order is made in any case */
	REHEARSE_BY_HABIT,
	REHEARSE_A_SPARE, /* its account is made, and its failure told of itself */
};

/* One issuer, remembered. True when it is well; false when cancelled. */
bool rehearse_issuer(struct pass *pass, const struct issuer_config *issuer,
		     enum rehearsal_way way);

/* rehearsal_whole.c: everything: issuers (unless the certificate is at hand and waits),
 * targets, room, clock, alerts: findings. Fills *ret but for its plan; when cancelled,
 * with REHEARSED_NOT. */
void rehearse_whole(struct pass *pass, enum rehearsal_way way,
		    struct rehearsal_whole *ret);

/* Remembers it with the plan for the next, says the sentence, and tells. */
void rehearsal_conclude(struct pass *pass, const struct rehearsal_whole *done,
			enum rehearsal_way way);

/* Is there nothing else to do or to worry about? */
bool rehearsal_is_calm(const struct pass *pass);

/* rehearsal_ca.c: one CA, into findings. `registers`: the real account is made where it
 * is missing, so that it is there on the day that it is needed. An order on trial is made
 * where `may_order`, and what is known of orders goes into the record. */
void rehearse_ca(struct pass *pass, const struct issuer_config *issuer, bool registers,
		 bool may_order, struct rehearsal *record);

/* rehearsal_names.c: the names as far as no order is needed: each challenge, CAA, the
 * DNS. `account_url` NULL: there is none yet. True when every name could be proven. */
struct rehearsal_names {
	const struct issuer_config *issuer;
	const char *account_url;
	const char *const *domains; /* the CA's in CAA records; NULL: not known */
	bool unheard;               /* because it could not be asked */
	bool alone; /* no order follows that would prove them: the DNS is asked for their
		       addresses, and records are put there and taken away */
};
bool rehearse_names(struct pass *pass, const struct rehearsal_names *names);

#endif

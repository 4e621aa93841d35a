/* foresight_dates.h - what is announced for the public CAs, and which configurations will
 * not survive it.  Pure: a dated table, a configuration and `now` in, sentences out.
 *
 * A private CA sets its own dates: of it nothing is said. */
#ifndef DAEMON_FORESIGHT_DATES_H
#define DAEMON_FORESIGHT_DATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

struct dates_facts { /* borrowed */
	const struct certificate_config *certificate;
	const struct issuer_config *issuer;
	int64_t lifetime_s; /* of the certificate in hand; 0: none */
};

struct dates_finding {
	const char *id; /* of the row; borrowed, the same for ever */
	int64_t on;     /* 00:00 UTC of the day; may be past */
	char *what;     /* "Let's Encrypt: certificates of 64 d instead of 90 d" */
	const char *source;
	char *breaks; /* what of the configuration does not survive it, and what to write
			 instead; NULL: nothing */
};

struct dates_list { /* by date */
	struct dates_finding *items;
	size_t n;
};

/* Everything that is to come for this certificate at this issuer, and of what is in force
 * already that which breaks something. Gives. */
void dates_foresee(const struct dates_facts *facts, int64_t now, struct dates_list *ret);
void dates_list_clear(struct dates_list *list);

/* How near a date is: it is told anew at each step, and only when it breaks something. */
enum dates_step { DATES_FAR, DATES_90_DAYS, DATES_30_DAYS, DATES_7_DAYS, DATES_REACHED };
enum dates_step dates_step(int64_t on, int64_t now);

#endif

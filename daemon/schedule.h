/* schedule.h - when to look at a certificate again.  Pure. */
#ifndef DAEMON_SCHEDULE_H
#define DAEMON_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct failures; /* daemon/job.h */

struct schedule_facts { /* instants; CLOCK_NEVER where there is none */
	int64_t now;
	int64_t renew_at;   /* due, and not held back by the back-off */
	int64_t deploy_at;  /* a deployment is to be tried again */
	int64_t retire_at;  /* the old certificate may go */
	int64_t expires_at; /* what is served is over: cert_over_at() */
	int64_t ask_advice_at;
	int64_t inspect_at;
	int64_t soak_at;        /* a look within the soak time; 0: none */
	int64_t rehearse_at;    /* the next renewal is to be rehearsed */
	int64_t prove_spare_at; /* a spare issuer is to be proven; 0: none */
	int64_t ladder_at;      /* the expired ladder is to be climbed on */
};

struct schedule_verdict {
	int64_t at;      /* always after now */
	const char *why; /* borrowed: "renewal", "inspection", ... */
};

/* The earliest of them, at least a second and at most a day from now. */
struct schedule_verdict schedule_next(const struct schedule_facts *facts);

/* When the next inspection is due: `every_s` after the last, up to a tenth later by the
 * name, so that a hundred certificates do not all look at once. Never looked: at once. */
int64_t schedule_inspection(const char *name, int64_t last_at, int64_t every_s);

/* A deployment has failed where all is in place, so that none follows it: one look at its
 * next try settles whether it is still wrong. NEVER: nothing failed, or looked since. */
int64_t schedule_settle(const struct failures *deployment, int64_t last_at);

/* The next look at what soaks for `soak_s`, until `until`: ten in all, and one a minute
 * where that is more. */
int64_t schedule_soak(int64_t now, int64_t soak_s, int64_t until);

#endif

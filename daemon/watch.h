/* watch.h - certificates that nobody here orders (`issuers: [none]`): how soon somebody
 * has to hear that one runs out, and what was seen when we last looked.
 *
 * The decision is pure. What was seen is kept in certificates/<name>/watched.json: a
 * hint, so that time runs on for an endpoint that does not answer, and so that `status`
 * shows it without looking itself. */
#ifndef DAEMON_WATCH_H
#define DAEMON_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cert.h"
#include "base/err.h"
#include "config/config.h"

/* ---- policy, pure -------------------------------------------------------- */

enum watch_step {
	WATCH_WELL,
	WATCH_NOTICE,
	WATCH_WARNING,
	WATCH_CRITICAL,
	WATCH_EXPIRED
};

struct watch_verdict {
	enum watch_step step;
	int64_t next_at; /* when it is the next step; CLOCK_NEVER after the last */
};

/* Notice at `renew.at` (default: a third of the lifetime left, half of one under 10
 * days); warning at 14 days left and critical at 7, or at the same parts of a shorter
 * time: 14/30 and 7/30 of what `renew.at` leaves. */
struct watch_verdict watch_decide(const struct renew_at *policy, int64_t not_before,
				  int64_t not_after, int64_t now);

/* "well", "notice", "warning", "critical", "expired". Borrowed. */
const char *watch_step_name(enum watch_step step);

/* ---- what was seen ------------------------------------------------------- */

struct sighting {                 /* at one endpoint, or in one place on disk */
	char *target;             /* name in the configuration */
	char *where;              /* "127.0.0.1:443", "/etc/shop/fullchain.pem" */
	char sha1[CERT_SHA1_HEX]; /* "" when none was ever seen */
	int64_t not_before, not_after, seen_at;
	char *problem; /* why none is seen now; NULL: it is */
};

struct sightings {
	struct sighting *items;
	size_t n;
};

/* Appends one with copies of the words; borrowed until the next change. */
struct sighting *sightings_add(struct sightings *list, const char *target,
			       const char *where);
/* NULL when there is none. Borrowed. */
struct sighting *sightings_find(const struct sightings *list, const char *target,
				const char *where);
/* The one of `target` (NULL: any) that ends first; NULL when none was seen. */
const struct sighting *sightings_first_to_end(const struct sightings *list,
					      const char *target);
void sightings_clear(struct sightings *list);

/* The file in <folder>. Missing: none. Damaged: set aside, none, err->kind ERR_CONFIG
 * with the sentence to report (else ERR_NONE). */
int sightings_read(const char *folder, struct sightings *ret, struct err *err);
int sightings_write(const char *folder, const struct sightings *list, struct err *err);

#endif

/* drift.h - does a target still look as we left it, and what is to be done about it?
 * Pure: facts in, a verdict out. Who looks is inspect.c, who acts heal.c.
 *
 * Healed: what no operator wants. An entry of ours, or the access to its key, was lost; a
 * tls.json, a link or a setting of an earlier deployment of ours came back (a restored
 * backup); an endpoint serves an earlier certificate of ours although the files are right
 * (the restart was lost).
 * The operator's: tls.json removed, switched off, or naming another certificate that is
 * valid. Left alone until `deploy NAME`.
 * Only told: everything else. A tls.json that names a certificate which cannot be served
 * (none, not in the store, expired, revoked by us) was written by somebody who is not
 * done; it is nobody's decision for good, so the next renewal writes it.
 *
 * A restart for healing happens once a target and day at most, inside its maintenance
 * windows as long as something is served, and not on a service that is stopped. */
#ifndef DAEMON_DRIFT_H
#define DAEMON_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "hooks/mode.h"
#include "hooks/observe.h"

#define DRIFT_RESTART_EVERY_S 86400

enum drift_file {                  /* tls.json */
		  DRIFT_FILE_NONE, /* the application has none */
		  DRIFT_FILE_RIGHT,
		  DRIFT_FILE_BEFORE, /* byte-equal to one that we wrote for an earlier
				      * certificate
				      */
		  DRIFT_FILE_REMOVED,
		  DRIFT_FILE_OFF,     /* says that TLS is off */
		  DRIFT_FILE_CHOSEN,  /* names another certificate, which is valid */
		  DRIFT_FILE_INVALID, /* names one that cannot be served, or none */
		  DRIFT_FILE_UNREADABLE,
};

enum drift_store {
	DRIFT_STORE_RIGHT,  /* or there is none */
	DRIFT_STORE_LOST,   /* entry, link, bytes, key or access */
	DRIFT_STORE_BEFORE, /* points to an earlier certificate of ours */
	DRIFT_STORE_OTHER,  /* points to somebody else's */
	DRIFT_STORE_UNKNOWN,
};

enum drift_settings { /* files beside tls.json */
		      DRIFT_SETTINGS_RIGHT,
		      DRIFT_SETTINGS_BEFORE, /* one names an earlier certificate of ours
					      */
		      DRIFT_SETTINGS_OTHER, /* one names what was served before we came */
};

enum drift_served {                       /* the worst of the endpoints */
		    DRIFT_SERVED_UNKNOWN, /* not looked, or there is none to look at */
		    DRIFT_SERVED_RIGHT,
		    DRIFT_SERVED_BEFORE, /* an earlier certificate of ours */
		    DRIFT_SERVED_OTHER,
		    DRIFT_SERVED_NOTHING, /* silence, or no TLS */
};

struct drift_facts { /* of one target */
	enum target_mode mode;
	enum drift_file file;
	enum drift_store store;
	enum drift_settings settings;
	enum drift_served served;
	bool stopped;  /* its service is, by its administrator */
	bool key_lost; /* nobody has the key: a renewal follows, and brings all back */
	int64_t restarted_at; /* the last restart for healing; 0: never */
	int64_t retry_at;     /* healing failed: not before then; 0: it did not */
	int64_t window_at;    /* when it may be restarted; `now` or before: at once */
};

enum drift_action {
	DRIFT_NONE,
	DRIFT_REPORT,   /* told, left as it is */
	DRIFT_OPERATOR, /* told, and the operator's from now on */
	DRIFT_HEAL,     /* put back now */
	DRIFT_LATER,    /* put back, but not before `at` */
};

enum drift_place { DRIFT_IN_FILE, DRIFT_IN_STORE, DRIFT_IN_SETTINGS, DRIFT_IN_SERVED };

struct drift_verdict {
	enum drift_action action;
	enum drift_place place; /* where it shows; not for DRIFT_NONE */
	bool restart;           /* DRIFT_HEAL: it will be restarted */
	int64_t at;             /* DRIFT_LATER */
};

/* What is to be done about a target that looks like that. */
struct drift_verdict drift_decide(const struct drift_facts *facts, int64_t now);

/* Until when a healing that did not hold keeps its target from another restart: a day
 * after it, 0 when that is over or the clock says that it lies ahead. */
int64_t drift_rests_until(int64_t restarted_at, int64_t now);

#endif

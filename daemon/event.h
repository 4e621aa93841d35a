/* event.h - things that happen and that somebody may want to hear of. */
#ifndef DAEMON_EVENT_H
#define DAEMON_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

enum event_kind {
	EVENT_RENEWED,
	EVENT_FAILED,
	EVENT_EXPIRING,
	EVENT_EXPIRED,
	EVENT_FALLBACK,
	EVENT_RECOVERED,
	EVENT_DRIFT,
	EVENT_BROKEN,
	EVENT_WAITING_FOR_SERVICE,
	EVENT_CONFIG_REJECTED,
	EVENT_CLOCK_UNCONFIRMED,
	EVENT_CIRCUIT_OPEN,
	EVENT_MANAGED_SET_SHRANK,
	EVENT_CA_CHANGED,
	EVENT_STATE_DAMAGED,
	EVENT_CHALLENGE,
	EVENT_REHEARSAL_FAILED,
	EVENT_DAEMON_DEAD,
	EVENT_DAEMON_STUCK,
	EVENT_SERVED_WRONG,
	EVENT_SILENT,
	EVENT_KINDS
};

/* "renewed", "waiting_for_service", ... as in `except:` and in the JSON. */
const char *event_name(enum event_kind kind);
/* The usual severity. */
enum severity event_severity(enum event_kind kind);
/* EVENT_EXPIRING's, which grows with fewer attempts left (backoff_attempts_left()):
 * notice, warning at 24 (about a week of a 90-day certificate), critical at 12 (about a
 * day). */
enum severity event_expiring_severity(unsigned attempts_left);
/* Does it stay open until `recovered` closes it (failed, drift, fallback), or is it over
 * when it is told (renewed)? */
bool event_is_trouble(enum event_kind kind);

struct event { /* borrowed strings */
	enum event_kind kind;
	enum severity severity;
	const char *certificate; /* NULL: the daemon itself */
	const char *target;      /* NULL: the whole certificate */
	const char *what;  /* one sentence: what happened, in the CA's words if any */
	const char *todo;  /* what to do about it; NULL: nothing */
	const char *run;   /* id of the run; NULL */
	const char *key;   /* what tells one such event about this target from another:
			      the same is told once only, whatever happens; NULL */
	int64_t not_after; /* of what is served; 0 unknown */
	int attempts_left; /* -1 does not apply */
	int64_t at;
};

#endif

/* watcher.h - `certrenewd watch`: is the daemon dead or stuck, and does what is served
 * agree with what it says? Pure: facts and `now` in, findings out. Not daemon/watch.h,
 * which is about certificates that nobody here orders.
 *
 * Knows nothing but the heartbeat and what endpoints showed: whatever is wrong with the
 * daemon cannot be wrong with the watcher too. Ages are measured by the clock that stands
 * still in suspend, so that a machine that slept has no dead daemon. */
#ifndef DAEMON_WATCHER_H
#define DAEMON_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/event.h"
#include "daemon/heartbeat.h"
#include "hooks/probe.h"

#define WATCHER_MINUTE_MS INT64_C(60000)
#define WATCHER_DEAD_MS (3 * WATCHER_MINUTE_MS)   /* no beat, and no process */
#define WATCHER_STUCK_MS (10 * WATCHER_MINUTE_MS) /* no beat, and a process */
#define WATCHER_BOOT_MS (5 * WATCHER_MINUTE_MS)   /* after a boot it may take so long */
#define WATCHER_PASS_MS (360 * WATCHER_MINUTE_MS) /* a pass, without agreed waiting */
#define WATCHER_OVERDUE_S (2 * INT64_C(3600))
#define WATCHER_RELOAD_S (1 * INT64_C(3600)) /* from an edit to its reload */

struct watcher_endpoint { /* all borrowed */
	const struct certificate_config *certificate;
	const struct target *target;
	const struct endpoint *endpoint;
	struct probe_result seen;
};

struct watcher_facts {                /* all borrowed */
	const struct heartbeat *beat; /* NULL: none could be read ... */
	const char *no_beat;          /* ... and why */
	bool beat_damaged;            /* because the file is */
	bool alive;                   /* is there a process with its pid? */
	int64_t awake_ms;             /* clock_awake_ms() */
	const char *boot_id;
	const char *config_sha256; /* of the file now; "" unknown */
	int64_t config_modified_at;
	const struct config *config;
	const char
		*refused; /* why not by the file: `config` is the one before; or NULL */
	const struct watcher_endpoint *endpoints;
	size_t n_endpoints;
};

struct finding_of_watch {
	enum event_kind kind;
	enum severity severity;
	const char *certificate; /* borrowed from the facts; NULL: the daemon */
	const char *target;      /* NULL: the whole certificate */
	char *what;
	const char *todo; /* borrowed, static */
};

struct watcher_findings {
	struct finding_of_watch *items;
	size_t n;
};

/* Everything that is wrong, the daemon first. */
void watcher_decide(const struct watcher_facts *facts, int64_t now,
		    struct watcher_findings *ret);
void watcher_findings_clear(struct watcher_findings *findings);

/* Is something about this certificate (NULL: the daemon itself) and this target (NULL:
 * any) among them? */
bool watcher_found(const struct watcher_findings *findings, const char *certificate,
		   const char *target);

#endif

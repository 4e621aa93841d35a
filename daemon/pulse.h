/* pulse.h - from the loop to its heartbeat: when it is written, and what of it is known
 * without looking again. Belongs to the loop's thread. */
#ifndef DAEMON_PULSE_H
#define DAEMON_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/heartbeat.h"

struct loop;

struct pulse {
	struct heartbeat_certificate *known; /* what the last pass of each left */
	size_t n_known;
	char config_sha256[65];
	int64_t next_ms; /* monotonic: not before then, unless something changed */
	int64_t soon_ms; /* and then not before this */
	bool changed;
	bool complained; /* that it cannot be written */
};

/* The configuration in force is another: forgets what is known. The first pass of each
 * certificate, which follows at once, tells it anew. */
void pulse_configured(struct loop *loop);

/* A pass began, or ended and left this behind (taken; empty: unknown). */
void pulse_changed(struct loop *loop);
void pulse_learned(struct loop *loop, struct heartbeat_certificate *seen);

/* Writes the heartbeat where it is due. Gives how long it can wait for the next, in
 * milliseconds. A disk that does not take it is told once. */
int64_t pulse_beat(struct loop *loop);

/* The last one, and the end. */
void pulse_stop(struct loop *loop);

#endif

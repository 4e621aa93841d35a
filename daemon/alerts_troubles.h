/* alerts_troubles.h - what is wrong at the moment and who heard of it, and what is told
 * once only, for alerts_*.c only: <state_dir>/alerts/troubles.json. Not locked:
 * alerts_spool.c does that. */
#ifndef DAEMON_ALERTS_TROUBLES_H
#define DAEMON_ALERTS_TROUBLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "daemon/alerts.h"

#define TROUBLES_MAX 4096 /* the oldest goes: it would only be told once more */

struct trouble_record {
	char *kind;                 /* event_name() */
	char *certificate, *target; /* NULL as in struct event */
	struct trouble state;
	struct strlist heard; /* names of channels */
};

/* The last event with a key of that kind, about that certificate and target. */
struct told_record {
	char *kind;
	char *certificate, *target; /* NULL as in struct event */
	char *key;
};

struct troubles {
	struct trouble_record *items;
	size_t n;
	struct told_record *told;
	size_t n_told;
};

/* Reads the file. Missing: none. Damaged: set aside, none, err->kind ERR_CONFIG. */
int troubles_read(const char *path, struct troubles *ret, struct err *err);

/* Replaces the file, synced. */
int troubles_write(const char *path, const struct troubles *troubles, struct err *err);

void troubles_clear(struct troubles *troubles);

/* The record an event belongs to; NULL: none is open. Borrowed until the next change. */
struct trouble_record *troubles_find(const struct troubles *troubles,
				     const struct event *event);

/* Opens a record for the event. Borrowed until the next change. */
struct trouble_record *troubles_open(struct troubles *troubles,
				     const struct event *event);

/* Does the record belong to this certificate, and to this target (NULL: any; but a
 * rehearsal that failed is closed by its own issuer only)? */
bool trouble_is_about(const struct trouble_record *record, const char *certificate,
		      const char *target);

/* Was that event, which has a key, queued already? */
bool troubles_was_told(const struct troubles *troubles, const struct event *event);

/* It is queued now; what was remembered of one with another key is forgotten. */
void troubles_note_told(struct troubles *troubles, const struct event *event);

/* Forgets every record about it. */
void troubles_close(struct troubles *troubles, const char *certificate,
		    const char *target);

#endif

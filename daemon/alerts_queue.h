/* alerts_queue.h - alerts on their way, for alerts_*.c only: one file for each alert and
 * channel, <state_dir>/alerts/queue/<id>-<channel>.json, oldest first. Not locked:
 * alerts_spool.c does that.
 *
 * An id begins with a number that only grows, so that names sort by age whatever the
 * clock did. When the disk does not take an alert it waits in memory: a full disk is a
 * reason to tell somebody, not to be silent. */
#ifndef DAEMON_ALERTS_QUEUE_H
#define DAEMON_ALERTS_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "config/config.h"

#define QUEUE_MAX 1000
#define QUEUE_ID_SIZE 40 /* the longest number, a dash, 12 digits and a NUL */

struct queued {
	char *id, *channel;
	char *event, *certificate, *target; /* of its document; NULL: not about one */
	enum severity severity;
	char *unsaved; /* the document, when the disk did not take it; else NULL */
	unsigned attempts;
	int64_t next_ms; /* monotonic: not before then */
};

struct queue {
	char *folder;         /* NULL: in memory only */
	struct queued *items; /* oldest first */
	size_t n;
	int64_t last_number;
};

/* Opens the folder, making it. Damaged files are set aside; a sentence each is added to
 * `damaged`. */
int queue_open(const char *folder, struct queue *ret, struct strlist *damaged,
	       struct err *err);
void queue_clear(struct queue *queue);

/* The next alert's id. */
void queue_new_id(struct queue *queue, char out[QUEUE_ID_SIZE]);

/* The id of an event that may have been queued by a run that died before it could say so:
 * that of the alert which `key` made then, if one waits, else a new one made of `key`. */
void queue_id_of(struct queue *queue, const char *key, char out[QUEUE_ID_SIZE]);

/* Queues the document of alert `id` for a channel. Over QUEUE_MAX the least severe goes,
 * the oldest of those first. On failure it is queued all the same, in memory. */
int queue_add(struct queue *queue, const char *id, const char *channel,
	      const cJSON *document, struct err *err);

/* Borrowed until the next change; NULL: no longer there. */
struct queued *queue_find(const struct queue *queue, const char *id, const char *channel);

/* Reads one alert's document again. Gives *ret. ERR_CONFIG: damaged, set aside. */
int queue_load(const struct queue *queue, const struct queued *queued, cJSON **ret,
	       struct err *err);

/* Delivered or dropped: forgets it, on disk too. */
int queue_remove(struct queue *queue, const char *id, const char *channel,
		 struct err *err);

#endif

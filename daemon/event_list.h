/* event_list.h - events gathered during a pass, with their own copies of the sentences:
 * plain data that a worker hands back to the loop. */
#ifndef DAEMON_EVENT_LIST_H
#define DAEMON_EVENT_LIST_H

#include <stddef.h>

#include "base/arena.h"
#include "daemon/event.h"

struct event_list {
	struct arena *arena; /* owns items and strings; made on first use */
	struct event *items;
	size_t n, capacity;
};

/* Appends a copy of `event`, strings included. */
void event_list_add(struct event_list *list, const struct event *event);

/* Frees the contents and empties the list. */
void event_list_clear(struct event_list *list);

#endif

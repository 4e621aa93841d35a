/* alerts_spool.h - the inside of struct alerts, for alerts_spool.c (events in) and
 * alerts_deliver.c (alerts out). */
#ifndef DAEMON_ALERTS_SPOOL_H
#define DAEMON_ALERTS_SPOOL_H

#include <uv.h>

#include "daemon/alerts.h"
#include "daemon/alerts_queue.h"
#include "daemon/alerts_troubles.h"

struct alerts {
	uv_mutex_t mutex;    /* over everything below; never held while delivering */
	uv_mutex_t delivery; /* one delivers at a time; taken before `mutex` */
	char *troubles_path; /* NULL: kept in memory only, as the queue is */
	char host[256];
	struct troubles troubles;
	struct queue queue;
};

#endif

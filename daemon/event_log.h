/* event_log.h - the system's own list of events, for administrators who watch that: the
 * Event Log of Windows, with an id for each kind of event (daemon/windows/messages.mc).
 * On POSIX there is nothing to do: the journal has our lines already. Twin files. */
#ifndef DAEMON_EVENT_LOG_H
#define DAEMON_EVENT_LOG_H

#include "daemon/event.h"

struct event_log;

/* Gives a connection to it; NULL where there is none, which is fine below. */
struct event_log *event_log_open(void);
void event_log_close(struct event_log *log);

/* Adds an event under the id of its kind. Best effort. */
void event_log_report(struct event_log *log, enum event_kind kind, enum severity severity,
		      const char *text);

/* The daemon did not start, and why. */
void event_log_start_failed(struct event_log *log, const char *text);

#endif

/* alert_document.h - an alert as the JSON document that channels get, with the whole
 * message for people in `text`. Never holds a secret: events do not. */
#ifndef DAEMON_ALERT_DOCUMENT_H
#define DAEMON_ALERT_DOCUMENT_H

#include "base/json.h"
#include "daemon/event.h"

/* Gives {"id", "event", "severity", "certificate", "target", "what", "todo", "run",
 * "host", "at", "at_local", "not_after", "remaining", "attempts_left", "withheld",
 * "text"}; null where the event does not say. `withheld`: repeats not told since the last
 * alert. */
cJSON *alert_document(const char *id, const struct event *event, const char *host,
		      unsigned withheld);

#endif

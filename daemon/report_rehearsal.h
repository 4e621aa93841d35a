/* report_rehearsal.h - the part of a report about the rehearsal of the next renewal. For
 * report*.c. */
#ifndef DAEMON_REPORT_REHEARSAL_H
#define DAEMON_REPORT_REHEARSAL_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "daemon/report_known.h"

/* Adds "rehearsal": null, or {"at", "next_at", "outcome", "renewal_at", "ordered",
 * "text", "why"}. `renewal_at`: when the next one is planned. */
void report_rehearsal_json(const struct known *known, int64_t renewal_at, cJSON *json,
			   struct strlist *damaged);

/* The same, a line each, appended to `out`. */
void report_rehearsal_explain(const struct known *known, int64_t renewal_at,
			      struct buf *out, struct strlist *damaged);

/* That JSON for people, appended to `out`. */
void report_rehearsal_print(const cJSON *certificate, bool colour, struct buf *out);

#endif

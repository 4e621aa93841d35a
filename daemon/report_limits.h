/* report_limits.h - the part of a report about what its issuers still take. For
 * report*.c. */
#ifndef DAEMON_REPORT_LIMITS_H
#define DAEMON_REPORT_LIMITS_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "daemon/report_known.h"

/* Gives {"ca", "page", "dated", "counted_as", "allowed", "retry_at", "text", "nearest",
 * "rules": [{"rule", "about", "left", "most", "next_at"}]} of an ACME issuer; null when
 * neither limits of it are known nor has it said "not before". */
cJSON *report_limits_json(const struct known *known, const struct issuer_config *issuer,
			  struct strlist *damaged);

/* Every rule of every issuer, one line each, appended to `out`. */
void report_limits_explain(const struct known *known, struct buf *out,
			   struct strlist *damaged);

/* That JSON for people, a line at most: what is refused, or less than half is left of. */
void report_limits_print(const char *issuer, const cJSON *limits, struct buf *out);

#endif

/* report.h - what `status` and `explain` say, read from what is on disk: the same whether
 * a daemon runs or not. Looks only. */
#ifndef DAEMON_REPORT_H
#define DAEMON_REPORT_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "config/config.h"
#include "daemon/clock_trust.h"

/* The state of one certificate (`name`) or of all (NULL) as JSON:
 * {"clock": {...}, "certificates": [{"name", "hosts", "sha1", "not_after", "due_at",
 * "due_rule", "renewal", "deployment", "targets": [...]}]}. Gives *ret_json.
 * Of one it has the four views too (report_views.h): files and store are read for them.
 * ERR_NOT_FOUND for a name that the configuration does not have. Sentences about damaged
 * state files, which are set aside by being read, are added to `damaged`. */
int report_status(const struct config *config, const struct clock_trust *trust,
		  const char *name, cJSON **ret_json, struct strlist *damaged,
		  struct err *err);

/* That JSON for people, appended to `out`; `colour` with terminal colours. */
void report_print(const cJSON *status, bool colour, struct buf *out);

/* Every rule and its date for one certificate, appended to `out`; `damaged` as above. */
int report_explain(const struct config *config, const struct clock_trust *trust,
		   const char *name, struct buf *out, struct strlist *damaged,
		   struct err *err);

#endif

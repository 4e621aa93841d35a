/* report_foresight.h - the part of a report that looks ahead: announced dates, and what
 * the issuers were like when they were asked last. For report*.c. */
#ifndef DAEMON_REPORT_FORESIGHT_H
#define DAEMON_REPORT_FORESIGHT_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "daemon/report_known.h"

/* Gives [{"issuer", "on", "what", "source", "breaks"}]; `breaks` null: nothing does. */
cJSON *report_dates_json(const struct known *known);

/* Gives {"seen_at", "terms_of_service", "renewal_info", "external_account_required",
 * "profiles", "caa_identities"} of an ACME issuer; null when it was not asked yet. */
cJSON *report_ca_json(const struct known *known, const struct issuer_config *issuer,
		      struct strlist *damaged);

/* Both, a line each, appended to `out`. */
void report_foresight_explain(const struct known *known, struct buf *out,
			      struct strlist *damaged);

/* That JSON for people: the dates that break something, a line each. */
void report_dates_print(const cJSON *dates, struct buf *out);

#endif

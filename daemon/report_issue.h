/* report_issue.h - the part of a report about how the certificate comes about: issuers,
 * challenges, profile, the CA's advice, and the chain that it has and that is served. For
 * report*.c. */
#ifndef DAEMON_REPORT_ISSUE_H
#define DAEMON_REPORT_ISSUE_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "daemon/report_known.h"

/* Adds "issuers": [{"name", "issued", "directory", "refusals", "failed_at", "text",
 * "rehearsal", "limits", "ca"}], "challenges", "profile", with dns-persist-01
 * "persist_until", "advice": {"start", "end", "at", "ask_again_at", "explanation_url"},
 * "chain": {"wanted", "stored", "served": [...]}, "dates". */
void report_issue_json(const struct known *known, cJSON *json, struct strlist *damaged);

/* The same, a line each, appended to `out`. */
void report_issue_explain(const struct known *known, struct buf *out,
			  struct strlist *damaged);

/* That JSON for people, appended to `out`. */
void report_issue_print(const cJSON *certificate, struct buf *out);

#endif

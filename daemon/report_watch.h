/* report_watch.h - the part of a report about a certificate that is only watched. For
 * report.c. Looks at what was seen last, not at the world. */
#ifndef DAEMON_REPORT_WATCH_H
#define DAEMON_REPORT_WATCH_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

/* Adds "watched": [{"target", "where", "sha1", "not_after", "step", "seen_at",
 * "problem"}] and of the one that ends first "sha1", "not_before", "not_after",
 * "remaining_s". `folder` is the certificate's in the state directory. A damaged file
 * adds a sentence to `damaged`. */
void report_watch_json(const struct certificate_config *certificate, const char *folder,
		       int64_t now, cJSON *json, struct strlist *damaged);

/* Every place and when who hears of it, appended to `out`. */
void report_watch_explain(const struct certificate_config *certificate,
			  const char *folder, int64_t now, struct buf *out,
			  struct strlist *damaged);

/* That JSON for people: a line a place, appended to `out`. */
void report_watch_print(const cJSON *certificate, int64_t now, struct buf *out);

#endif

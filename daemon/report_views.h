/* report_views.h - of one certificate the four views side by side: what the CA issued
 * last, what the application's configuration file names, what the store has and who may
 * read its key, and what is served. What differs from the certificate in hand is marked.
 *
 * File and store are looked at now; what is served is remembered from the last look, with
 * its time. */
#ifndef DAEMON_REPORT_VIEWS_H
#define DAEMON_REPORT_VIEWS_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/str.h"
#include "daemon/report_known.h"

/* Adds "views" to a certificate's status. Sentences about damaged files go to `damaged`.
 */
void report_views_json(const struct known *known, cJSON *json, struct strlist *damaged);

/* That part of the status for people; nothing where it has none. */
void report_views_print(const cJSON *certificate, bool colour, struct buf *out);

#endif

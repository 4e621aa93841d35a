/* report_ladder.h - where a certificate's targets stand on the expired ladder, for
 * `status` and `explain`. For daemon/report*.c. */
#ifndef DAEMON_REPORT_LADDER_H
#define DAEMON_REPORT_LADDER_H

#include "base/buf.h"
#include "daemon/clock_trust.h"
#include "daemon/report_known.h"

/* Adds `falling` and `ladder` to the JSON of target `i`: from what is known on disk, so
 * an operator's certificate counts as not expired. */
void report_ladder_json(const struct known *known, const struct clock_trust *trust,
			size_t i, cJSON *json);

/* A line for each target that is on the ladder. */
void report_ladder_explain(const struct known *known, const struct clock_trust *trust,
			   struct buf *out);

#endif

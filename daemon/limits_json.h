/* limits_json.h - our history at an issuer as JSON, and what of it is still worth
 * keeping. For limits_file.c. Pure. */
#ifndef DAEMON_LIMITS_JSON_H
#define DAEMON_LIMITS_JSON_H

#include <cjson/cJSON.h>

#include "daemon/limits.h"

/* Fills *ret, limits_history_clear(). -1: `json` is no such history, or an absurd one. */
int limits_from_json(const cJSON *json, struct limits_history *ret);

/* Gives. */
cJSON *limits_to_json(const struct limits_history *history);

/* Drops what no rule looks at any more, and the oldest where there is too much. */
void limits_prune(struct limits_history *history, int64_t now);

/* Each appends; names are copied, in lower case and sorted. */
void limits_add_order(struct limits_history *history, int64_t at);
void limits_add_certificate(struct limits_history *history, const char *const *names,
			    enum limits_order as, int64_t at);
void limits_add_failure(struct limits_history *history, const char *identifier,
			int64_t at);
/* `names` NULL: the whole account. */
void limits_add_wait(struct limits_history *history, const char *const *names,
		     int64_t until, int64_t said_at, const char *text);

/* What failed in a row for these names is forgiven. */
void limits_forgive(struct limits_history *history, const char *const *names);

#endif

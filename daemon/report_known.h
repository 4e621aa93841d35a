/* report_known.h - what the files of a report share: all that is known of one certificate
 * from disk. For daemon/report*.c. */
#ifndef DAEMON_REPORT_KNOWN_H
#define DAEMON_REPORT_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/err.h"
#include "base/clock.h"
#include "base/str.h"
#include "config/config.h"
#include "daemon/job.h"
#include "daemon/versions.h"
#include "hooks/deploy.h"

struct known {
	const struct config *all;
	const struct certificate_config *config;
	char *folder;
	struct job job;
	struct version version;
	bool present;
	struct deploy_state state;
	int64_t now;
};

/* Reads it, known_release() also after a failure. Sentences about damaged files are added
 * to `damaged`. */
int known_read(const struct config *config, const struct certificate_config *certificate,
	       struct known *ret, struct strlist *damaged, struct err *err);
void known_release(struct known *known);

/* Did this issuer issue what is in hand? */
bool known_is_from(const struct known *known, const struct issuer_config *issuer);

/* Adds err's sentence where there is one, and forgets it. */
void report_damage(struct strlist *damaged, struct err *err);

/* An instant as RFC 3339, null where there is none. */
void report_set_instant(cJSON *object, const char *name, int64_t at);

/* Such a member for people, in `out`; "-" where there is none. Returns `out`. */
const char *report_instant(const cJSON *object, const char *name,
			   char out[CLOCK_TEXT_MAX]);

#endif

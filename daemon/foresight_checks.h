/* foresight_checks.h - does a configuration work with certificates of that lifetime?
 * Pure. For foresight_dates.c. */
#ifndef DAEMON_FORESIGHT_CHECKS_H
#define DAEMON_FORESIGHT_CHECKS_H

#include <stdint.h>

#include "config/config.h"

/* What of it does not, and what to write instead, a sentence each, joined by "; ". Gives;
 * NULL: everything works. */
char *foresight_checks(const struct certificate_config *certificate, int64_t lifetime_s);

/* The longest time between the beginnings of two maintenance windows: how long one may
 * have to be waited for. 0: at any time; CLOCK_NEVER: none ever begins. */
int64_t foresight_longest_wait(const struct window *windows, size_t n);

#endif

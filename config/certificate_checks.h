/* certificate_checks.h - what the members of one certificate have to do with each other:
 * issuers, challenges, hosts, key, targets. */
#ifndef CONFIG_CERTIFICATE_CHECKS_H
#define CONFIG_CERTIFICATE_CHECKS_H

#include "config/config.h"
#include "config/fields.h"

/* The certificate's `after` hook: checks it, and tells its targets what they take from
 * it. */
section_after certificate_complete;

/* Can each host be proven by one of the challenges (host_checks.c)? */
void certificate_check_hosts(struct reading *reading, const struct frame *frame,
			     const struct node *map,
			     const struct certificate_config *certificate);

/* What the first host means for a target: its subjectAltName, the name that its endpoints
 * are asked for (host_checks.c). */
void certificate_name_target(struct reading *reading, const struct node *item,
			     struct target *target, const char *host);

#endif

/* facts.h - what the decisions about one certificate are made from, gathered from what is
 * known of it. The same for the pipeline that acts and the report that explains. */
#ifndef DAEMON_FACTS_H
#define DAEMON_FACTS_H

#include "base/cert.h"
#include "config/config.h"
#include "daemon/job.h"
#include "daemon/renewal.h"

/* For renewal_decide(). `current` is the newest certificate in hand, NULL when there is
 * none. Advice counts only for the certificate that it was given for. */
struct renewal_facts facts_for_renewal(const struct certificate_config *config,
				       const struct cert *current, const struct job *job);

/* For breaker_decide(): seconds between two planned renewals; 0 when nothing is known. */
int64_t facts_renewal_interval(const struct certificate_config *config,
			       const struct cert *current);

#endif

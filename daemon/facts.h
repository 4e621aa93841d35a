/* facts.h - what the decisions about one certificate are made from, gathered from what is
 * known of it. The same for the pipeline that acts and the report that explains. */
#ifndef DAEMON_FACTS_H
#define DAEMON_FACTS_H

#include <stdbool.h>

#include "base/cert.h"
#include "config/config.h"
#include "daemon/job.h"
#include "daemon/renewal.h"

/* For renewal_decide(). `current` is the newest certificate in hand, NULL when there is
 * none. Advice counts only for the certificate that it was given for. Of one that we did
 * not order it is enough that it has our names; its key is as it is. */
struct renewal_facts facts_for_renewal(const struct config *config,
				       const struct certificate_config *certificate,
				       const struct cert *current, const struct job *job);

/* Is the certificate in hand one that somebody put into a store? */
bool facts_not_ordered(const struct config *config,
		       const struct certificate_config *certificate,
		       const struct job *job);

/* Does any of the certificate's issuers have this type? */
bool facts_has_issuer(const struct config *config,
		      const struct certificate_config *certificate,
		      enum issuer_type type);

/* Is it only watched (`issuers: [none]`)? */
bool facts_only_watched(const struct config *config,
			const struct certificate_config *certificate);

/* For breaker_decide(): seconds between two planned renewals; 0 when nothing is known. */
int64_t facts_renewal_interval(const struct certificate_config *config,
			       const struct cert *current);

#endif

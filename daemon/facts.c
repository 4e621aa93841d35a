#include "daemon/facts.h"

#include <stdlib.h>

#include "base/str.h"

struct renewal_facts facts_for_renewal(const struct certificate_config *config,
				       const struct cert *current, const struct job *job)
{
	struct renewal_facts facts = { .present = current != NULL, .ari_at = NO_ARI };
	char *id;

	if (!current)
		return facts;
	facts.names_match = cert_names_are(current, config->hosts);
	facts.key_type_matches = str_equal(cert_key_type(current), config->key_type);
	facts.not_before = cert_not_before(current);
	facts.not_after = cert_not_after(current);
	id = cert_ari_id(current);
	if (config->follow_ari && job->ari_at && str_equal(id, job->ari_id))
		facts.ari_at = job->ari_at;
	free(id);
	return facts;
}

int64_t facts_renewal_interval(const struct certificate_config *config,
			       const struct cert *current)
{
	int64_t not_before;

	if (!current)
		return 0;
	not_before = cert_not_before(current);
	return renewal_age_limit(&config->renew_at, not_before, cert_not_after(current)) -
	       not_before;
}

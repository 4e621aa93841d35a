#include "daemon/facts.h"

#include <stdlib.h>

#include "base/str.h"
#include "daemon/request.h"
#include "daemon/revoked.h"

bool facts_has_issuer(const struct config *config,
		      const struct certificate_config *certificate, enum issuer_type type)
{
	for (size_t i = 0; certificate->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			config, certificate->issuers[i]);

		if (issuer && issuer->type == type)
			return true;
	}
	return false;
}

bool facts_only_watched(const struct config *config,
			const struct certificate_config *certificate)
{
	return facts_has_issuer(config, certificate, ISSUER_NONE);
}

bool facts_not_ordered(const struct config *config,
		       const struct certificate_config *certificate,
		       const struct job *job)
{
	const struct issuer_config *last = job->last_issuer[0]
						   ? config_issuer(config,
								   job->last_issuer)
						   : NULL;

	/* job.json is a hint that may be lost. */
	return last ? last->type == ISSUER_STORE
		    : facts_has_issuer(config, certificate, ISSUER_STORE);
}

/* Issued by a directory that one of our issuers has for trials, and that none of them
 * has for real. */
static bool is_from_staging(const struct config *config,
			    const struct certificate_config *certificate,
			    const struct job *job)
{
	bool staging = false;

	for (size_t i = 0; job->last_directory[0] && certificate->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			config, certificate->issuers[i]);

		if (!issuer || issuer->type != ISSUER_ACME)
			continue;
		if (str_equal(issuer->directory, job->last_directory))
			return false;
		staging = staging || str_equal(issuer->staging, job->last_directory);
	}
	return staging;
}

struct renewal_facts facts_for_renewal(const struct config *config,
				       const struct certificate_config *certificate,
				       const struct cert *current, const struct job *job)
{
	struct renewal_facts facts = { .present = current != NULL, .ari_at = NO_ARI };
	char *id;

	if (!current)
		return facts;
	if (facts_not_ordered(config, certificate, job)) {
		facts.names_match = cert_names_cover(current, certificate->hosts);
		facts.key_type_matches = true;
	} else {
		facts.names_match = cert_names_are(current, certificate->hosts);
		/* A request of the operator's has the key that it has. */
		facts.key_type_matches = certificate->csr ||
					 str_equal(cert_key_type(current),
						   certificate->key_type);
	}
	facts.revoked = revoked_has(job->revoked, cert_sha1(current));
	facts.request_changed = request_changed(certificate, current);
	facts.from_staging = is_from_staging(config, certificate, job);
	facts.not_before = cert_not_before(current);
	facts.not_after = cert_not_after(current);
	id = cert_ari_id(current);
	if (certificate->follow_ari && job->ari_at && str_equal(id, job->ari_id))
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

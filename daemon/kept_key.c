#include "daemon/kept_key.h"

#include "base/seal.h"
#include "daemon/facts.h"
#include "daemon/pass.h"
#include "hooks/store.h"

bool kept_key_may_go(const struct certificate_config *certificate, bool sealed)
{
	/* A reused key signs the next request, too. */
	if (!sealed || certificate->key_reuse || !certificate->n_targets)
		return false;
	for (size_t i = 0; i < certificate->n_targets; i++)
		if (certificate->targets[i].store.type != STORE_WINDOWS)
			return false;
	return true;
}

/* A store that could not be looked at has lost nothing: that would be worth no order. */
static bool is_gone(const struct store *store, const struct cert *cert)
{
	struct err err;

	/* A store that was configured since: nobody can give it the key. */
	if (store->type == STORE_DIRECTORY || store->type == STORE_FILES)
		return true;
	return store_signs(store, cert_sha1(cert), &err) &&
	       (err.kind == ERR_NOT_FOUND || err.kind == ERR_CONFIG) &&
	       !store_has_key(store, cert); /* an entry is made again */
}

bool kept_key_is_lost(const struct config *config,
		      const struct certificate_config *certificate, const struct job *job,
		      const struct version *version)
{
	if (version->key || certificate->csr ||
	    facts_not_ordered(config, certificate, job))
		return false;
	for (size_t i = 0; i < certificate->n_targets; i++)
		if (is_gone(&certificate->targets[i].store, version->cert))
			return true;
	return false;
}

/* Everywhere, not only where no operator has taken over: `deploy` brings it there yet. */
static bool served_everywhere(const struct pass *pass)
{
	for (size_t i = 0; i < pass->certificate->n_targets; i++)
		if (pass->state.targets[i].mode != MODE_HTTPS ||
		    pass->state.targets[i].end != DEPLOY_DONE)
			return false;
	return pass_deployed(pass) && pass->state.verified_at;
}

void pass_forget_key(struct pass *pass)
{
	struct err err;

	if (!pass->have_current || !pass->current.key ||
	    !kept_key_may_go(pass->certificate, seal_protects()) ||
	    !served_everywhere(pass))
		return;
	if (version_forget_key(pass->folder, pass->current.n, &err))
		pass_note(pass, "retire", "the key stays on disk, sealed: %s", err.text);
}

/* leftovers.c - answers to challenges that lie outside of us: written down before they
 * are made, and taken away after a run that died. Best effort: whatever fails here keeps
 * no certificate from being renewed, and is tried again at the next pass. */
#include "daemon/leftovers.h"

#include <stdlib.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/resolve.h"
#include "hooks/dns.h"
#include "hooks/http01.h"

#define TRIES 48 /* about two days of hourly passes */

/* ---- of this run ---------------------------------------------------------- */

int leftovers_add(struct pass *pass, const struct challenge_entry *entry, struct err *err)
{
	challenge_record_add(&pass->leftovers, entry);
	if (!challenge_record_write(pass->folder, &pass->leftovers, err))
		return 0;
	challenge_record_remove(&pass->leftovers, entry);
	return err_wrap(err, "write down the answer before it is made");
}

void leftovers_remove(struct pass *pass, const struct challenge_entry *entry)
{
	struct err err;

	challenge_record_remove(&pass->leftovers, entry);
	if (challenge_record_write(pass->folder, &pass->leftovers, &err))
		pass_note(pass, "challenge", "%s", err.text);
}

/* ---- of a run that died --------------------------------------------------- */

static const struct dns_provider *provider_of(const struct pass *pass, const char *name)
{
	const struct config *config = pass->in->config;

	for (size_t i = 0; i < config->n_dns_providers; i++)
		if (str_equal(config->dns_providers[i].name, name))
			return &config->dns_providers[i];
	return NULL;
}

static int withdraw_record(struct pass *pass, const struct challenge_entry *entry,
			   struct err *err)
{
	const struct dns_provider *provider = provider_of(pass, entry->provider);
	const struct dns_answer answer = {
		.domain = entry->domain,
		.record = entry->record,
		.value = entry->value,
		.token = entry->token,
		.key_authorization = entry->key_authorization,
	};
	struct dns_work work = { .provider = provider, .cancel = pass->in->cancel };

	if (!entry->domain || !entry->record || !entry->value)
		return err_set(err, ERR_CONFIG, "it is not known where it is");
	if (!provider)
		return err_set(err, ERR_CONFIG,
			       "DNS provider '%s' is not configured any more",
			       entry->provider ? entry->provider : "?");
	if (resolve_open(pass, &work.resolver, err))
		return -1;
	return dns_withdraw(&work, &answer, err);
}

static int withdraw(struct pass *pass, const struct challenge_entry *entry,
		    struct err *err)
{
	return entry->webroot ? webroot_withdraw(entry->webroot, entry->token, err)
			      : withdraw_record(pass, entry, err);
}

/* What it is, for people. Gives. */
static char *describe(const struct challenge_entry *entry)
{
	if (entry->webroot)
		return str_printf("the file '%s' below '%s/.well-known/acme-challenge'",
				  entry->token, entry->webroot);
	return str_printf("the TXT record \"%s\" at '%s'",
			  entry->value ? entry->value : "?",
			  entry->record ? entry->record : "?");
}

/* Told when it is first seen that nobody but people can remove it, and when we give up.
 */
static void tell_stays(struct pass *pass, const struct challenge_entry *entry,
		       const struct err *why)
{
	char *it = describe(entry);
	char *what = str_printf("%s, left behind by a run that was interrupted, cannot "
				"be removed: %s",
				it, why->text);

	pass_note(pass, "clean up", "%s", what);
	if (entry->tries == TRIES || (why->kind == ERR_CONFIG && entry->tries == 1))
		pass_tell(pass, EVENT_CHALLENGE, NULL, what, "remove it by hand");
	free(what);
	free(it);
}

static void try_to_remove(struct pass *pass, size_t i)
{
	struct challenge_entry *entry = &pass->leftovers.items[i];
	struct err err;
	char *it;

	if (!withdraw(pass, entry, &err)) {
		it = describe(entry);
		pass_note(pass, "clean up",
			  "removed %s, left behind by a run that was "
			  "interrupted",
			  it);
		free(it);
		challenge_record_drop(&pass->leftovers, i);
		return;
	}
	if (err.kind == ERR_CANCELLED)
		return;
	entry->tries++;
	tell_stays(pass, entry, &err);
	if (entry->tries >= TRIES)
		challenge_record_drop(&pass->leftovers, i);
}

void pass_clean_up(struct pass *pass)
{
	struct err err;

	challenge_record_clear(&pass->leftovers);
	if (challenge_record_read(pass->folder, &pass->leftovers, &err)) {
		pass_note(pass, "clean up", "%s", err.text);
		return;
	}
	if (err.kind != ERR_NONE)
		pass_tell(pass, EVENT_STATE_DAMAGED, NULL, err.text, NULL);
	if (!pass->leftovers.n)
		return;
	for (size_t i = pass->leftovers.n; i-- > 0;)
		if (!cancel_requested(pass->in->cancel))
			try_to_remove(pass, i);
	if (challenge_record_write(pass->folder, &pass->leftovers, &err))
		pass_note(pass, "clean up", "%s", err.text);
}

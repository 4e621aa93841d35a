/* prove_dns.c - dns-01 (RFC 8555 8.4): a TXT record at _acme-challenge.<name>, or where
 * its CNAME leads, by one of `dns_providers`.
 *
 * Whether the record can be seen is looked for at the zone's own servers before the CA is
 * told. That is a warning, never a veto: inside a company our view of the DNS and the
 * CA's are two. */
#include "daemon/prove.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/identifier.h"
#include "daemon/leftovers.h"
#include "daemon/resolve.h"
#include "hooks/dns.h"

static int open_work(const struct prover *prover, struct dns_work *ret, struct err *err)
{
	struct pass *pass = prover->all->pass;

	*ret = (struct dns_work){ .provider = prover->challenge->provider,
				  .cancel = pass->in->cancel,
				  .alias = prover->challenge->alias };
	return resolve_open(pass, &ret->resolver, err);
}

static int check(struct prover *prover, const char *identifier, struct err *err)
{
	struct dns_work work;

	if (open_work(prover, &work, err))
		return -1;
	return dns_check(&work, identifier_base(identifier), err);
}

/* Where the record goes. Gives. A DNS that does not tell us is no reason to stop. */
static char *record_for(struct prover *prover, struct resolver *resolver,
			const char *domain)
{
	char *name = str_printf("_acme-challenge.%s", domain), *leads_to = NULL;
	struct err err;

	if (prover->challenge->alias) {
		free(name);
		return str_dup(prover->challenge->alias);
	}
	if (resolver_follow(resolver, name, &leads_to, &err)) {
		pass_note(prover->all->pass, "challenge",
			  "it cannot be seen whether '%s' is an alias: %s", name,
			  err.text);
		return name;
	}
	if (!str_equal(name, leads_to))
		pass_note(prover->all->pass, "challenge", "'%s' leads to '%s'", name,
			  leads_to);
	free(name);
	return leads_to;
}

static struct dns_answer answer_of(const struct challenge_entry *entry)
{
	return (struct dns_answer){
		.domain = entry->domain,
		.record = entry->record,
		.value = entry->value,
		.token = entry->token,
		.key_authorization = entry->key_authorization,
	};
}

static int present(struct prover *prover, const struct acme_challenge *challenge,
		   struct err *err)
{
	const char *domain = identifier_base(challenge->identifier);
	struct challenge_entry entry = {
		.type = (char *)prover->type->name,
		.provider = (char *)prover->challenge->provider->name,
		.domain = (char *)domain,
		.value = (char *)challenge->dns_value,
		.token = (char *)challenge->token,
		.key_authorization = (char *)challenge->key_authorization,
		.made_at = clock_wall(),
	};
	struct dns_answer answer;
	struct dns_work work;
	int rc;

	if (open_work(prover, &work, err))
		return -1;
	entry.record = record_for(prover, work.resolver, domain);
	answer = answer_of(&entry);
	challenge_record_add(&prover->shown, &entry);
	rc = leftovers_add(prover->all->pass, &entry, err);
	if (!rc)
		rc = dns_present(&work, &answer, err);
	if (!rc)
		pass_note(prover->all->pass, "challenge",
			  "'%s' has put the record at '%s'", work.provider->name,
			  entry.record);
	free(entry.record);
	return rc;
}

/* ---- seen from outside? ------------------------------------------------------ */

static void warn(struct prover *prover, const struct err *why)
{
	pass_note(prover->all->pass, "challenge", "warning: %s; the CA is asked anyway",
		  why->text);
	if (!prover->warning)
		prover->warning = str_printf("before the CA looked, %s", why->text);
}

static int settle(struct prover *prover, struct err *err)
{
	int64_t timeout_s = prover->challenge->provider->propagation_s, left_ms;
	int64_t until_ms = clock_mono_ms() + timeout_s * 1000;
	struct dns_work work;

	free(prover->warning);
	prover->warning = NULL;
	if (timeout_s <= 0 || !prover->shown.n)
		return 0;
	if (open_work(prover, &work, err)) {
		warn(prover, err);
		return 0;
	}
	pass_note(prover->all->pass, "challenge",
		  "looking for the record at its zone's servers, %lld s at most",
		  (long long)timeout_s);
	for (size_t i = 0; i < prover->shown.n; i++) {
		const struct challenge_entry *entry = &prover->shown.items[i];

		left_ms = until_ms - clock_mono_ms();
		if (!resolver_await(work.resolver, entry->record, entry->value,
				    left_ms > 1000 ? left_ms / 1000 : 1, err))
			continue;
		if (err->kind == ERR_CANCELLED)
			return -1;
		warn(prover, err);
	}
	return 0;
}

/* ---- away again ---------------------------------------------------------------- */

static void take_away(struct prover *prover, size_t i)
{
	const struct challenge_entry *entry = &prover->shown.items[i];
	const struct dns_answer answer = answer_of(entry);
	struct dns_work work;
	struct err err;

	if (open_work(prover, &work, &err) || dns_withdraw(&work, &answer, &err))
		pass_note(prover->all->pass, "challenge",
			  "could not clean up, it is tried again: %s", err.text);
	else
		leftovers_remove(prover->all->pass, entry);
	challenge_record_drop(&prover->shown, i);
}

static void cleanup(struct prover *prover, const struct acme_challenge *challenge)
{
	for (size_t i = prover->shown.n; i-- > 0;)
		if (str_equal(prover->shown.items[i].token, challenge->token))
			take_away(prover, i);
}

const struct prover_type prove_dns = {
	.name = "dns-01",
	.wildcards = true,
	.check = check,
	.present = present,
	.settle = settle,
	.cleanup = cleanup,
};

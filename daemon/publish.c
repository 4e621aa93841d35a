/* publish.c - what the DNS has to say before a CA believes us, and whether it does: the
 * CNAME that leads a challenge to its provider, the record of dns-persist-01, and CAA.
 * Publishes nothing itself. */
#include <stdlib.h>

#include "acme/acme.h"
#include "base/clock.h"
#include "base/identifier.h"
#include "daemon/findings.h"
#include "daemon/pass.h"
#include "daemon/persist.h"
#include "daemon/resolve.h"
#include "daemon/sessions.h"
#include "hooks/caa.h"
#include "hooks/dns.h"

/* ---- dns-01: does _acme-challenge lead to where the provider writes? -------- */

static void look_at_alias(struct pass *pass, const char *host, struct resolver *resolver,
			  const struct dns_wish *wish)
{
	char *leads_to = NULL;
	struct err err;

	if (resolver_follow(resolver, wish->name, &leads_to, &err))
		pass_find_record(pass, FINDING_NOTE, host, wish,
				 "%s CNAME %s: it cannot be seen whether it is there: %s",
				 wish->name, wish->value, err.text);
	else if (str_equal_nocase(leads_to, wish->value))
		pass_find_record(pass, FINDING_OK, host, wish, "%s CNAME %s", wish->name,
				 wish->value);
	else if (str_equal_nocase(leads_to, wish->name))
		pass_find_record(pass, FINDING_FAILED, host, wish,
				 "it is missing, publish: %s CNAME %s", wish->name,
				 wish->value);
	else
		pass_find_record(pass, FINDING_FAILED, host, wish,
				 "it leads to '%s', publish: %s CNAME %s", leads_to,
				 wish->name, wish->value);
	free(leads_to);
}

static void look_at_dns01(struct pass *pass, const char *host,
			  const struct challenge *challenge)
{
	const char *domain = identifier_base(host);
	struct dns_work work = { .provider = challenge->provider,
				 .cancel = pass->in->cancel };
	char *name = NULL, *target = NULL;
	struct err err;

	if (resolve_open(pass, &work.resolver, &err))
		goto failed;
	if (challenge->alias) {
		name = str_printf("_acme-challenge.%s", domain);
		target = str_dup(challenge->alias);
	} else if (dns_delegation(&work, domain, &name, &target, &err)) {
		goto failed;
	}
	if (name)
		look_at_alias(pass, host, work.resolver,
			      &(struct dns_wish){ name, "CNAME", target });
	else
		pass_find(pass, FINDING_OK, host, "dns-01",
			  "nothing to publish: '%s' puts the record into the zone itself",
			  challenge->provider->name);
	free(name);
	free(target);
	return;
failed:
	pass_find(pass, FINDING_FAILED, host, "dns-01", "%s", err.text);
}

/* ---- what names the CA and the account -------------------------------------- */

struct at_ca { /* one issuer */
	const struct issuer_config *issuer;
	const char *const *domains; /* in CAA records; NULL-terminated, or NULL */
	const char *account_url;
};

static void look_at_persist(struct pass *pass, const char *host, const struct at_ca *ca)
{
	const struct persist_question question = { .identifier = host,
						   .account_url = ca->account_url,
						   .issuer_domains = ca->domains };
	bool wildcard = identifier_kind(host) == IDENTIFIER_WILDCARD;
	char *name, *value, until[CLOCK_TEXT_MAX];
	struct dns_wish wish;
	int64_t until_at = 0;
	struct err err;

	if (!ca->domains || !ca->domains[0]) {
		pass_find(pass, FINDING_FAILED, host, "dns-persist-01",
			  "issuer '%s' does not tell its names in the DNS: give them as "
			  "`caa:` of the issuer",
			  ca->issuer->name);
		return;
	}
	name = str_printf("_validation-persist.%s", identifier_base(host));
	value = acme_persist_record(ca->domains[0], ca->account_url, wildcard, 0);
	wish = (struct dns_wish){ name, "TXT", value };
	if (!persist_look(pass, &question, &until_at, &err)) {
		clock_format_people_local(until_at, until);
		pass_find_record(pass, FINDING_OK, host, &wish,
				 "%s lets our account at '%s' in%s%s", name,
				 ca->issuer->name,
				 until_at == CLOCK_NEVER ? "" : " until ",
				 until_at == CLOCK_NEVER ? "" : until);
	} else {
		pass_find_record(pass,
				 err.kind == ERR_CONFIG ? FINDING_FAILED : FINDING_NOTE,
				 host, &wish, "%s", err.text);
	}
	free(value);
	free(name);
}

static const char *const methods[] = {
	[HTTP_01] = "http-01",
	[DNS_01] = "dns-01",
	[TLS_ALPN_01] = "tls-alpn-01",
	[DNS_PERSIST_01] = "dns-persist-01",
};

static void look_at_caa(struct pass *pass, const char *host, const struct at_ca *ca)
{
	const struct certificate_config *certificate = pass->certificate;
	struct caa_question question = { .identifier = host,
					 .issuer_domains = ca->domains,
					 .account_url = ca->account_url };
	const struct caa_set *set;
	struct err err;
	int rc = -1;

	if (identifier_is_ip(host) || !ca->domains || !ca->domains[0])
		return;
	if (resolve_caa(pass, identifier_base(host), &set, &err)) {
		pass_find(pass, FINDING_NOTE, host, "CAA", "it cannot be seen: %s",
			  err.text);
		return;
	}
	for (size_t i = 0; rc && i < certificate->n_challenges; i++) {
		question.method = methods[certificate->challenges[i].type];
		rc = caa_check(set, &question, &err);
	}
	if (rc)
		pass_find(pass, FINDING_FAILED, host, "CAA", "%s", err.text);
	else if (set->at)
		pass_find(pass, FINDING_OK, host, "CAA",
			  "the records at '%s' let '%s' issue", set->at,
			  ca->issuer->name);
	else
		pass_find(pass, FINDING_NOTE, host, "CAA",
			  "there are none, so any CA may; to let in '%s' and our account "
			  "alone: %s CAA 0 issue \"%s; accounturi=%s\"",
			  ca->issuer->name, identifier_base(host), ca->domains[0],
			  ca->account_url);
}

static void look_for_issuer(struct pass *pass, const struct issuer_config *issuer)
{
	const struct certificate_config *certificate = pass->certificate;
	struct at_ca ca = { .issuer = issuer };
	const struct acme_directory *directory;
	struct acme_session *session;
	struct err err;

	if (sessions_get(pass->in->sessions, issuer, &session, &err) ||
	    acme_session_directory(session, &directory, &err)) {
		pass_find(pass, FINDING_FAILED, issuer->name, "account", "%s", err.text);
		return;
	}
	ca.account_url = acme_session_account_url(session);
	ca.domains = issuer->caa && issuer->caa[0]
			     ? issuer->caa
			     : (const char *const *)directory->caa_identities.items;
	for (size_t i = 0; certificate->hosts[i]; i++) {
		for (size_t k = 0; k < certificate->n_challenges; k++)
			if (certificate->challenges[k].type == DNS_PERSIST_01)
				look_at_persist(pass, certificate->hosts[i], &ca);
		look_at_caa(pass, certificate->hosts[i], &ca);
	}
}

/* ---- all of it --------------------------------------------------------------- */

static void look_at_challenge(struct pass *pass, const char *host,
			      const struct challenge *challenge)
{
	switch (challenge->type) {
	case DNS_01:
		if (!identifier_is_ip(host))
			look_at_dns01(pass, host, challenge);
		break;
	case HTTP_01:
	case TLS_ALPN_01:
		if (!identifier_is_ip(host))
			pass_find(pass, FINDING_NOTE, host, methods[challenge->type],
				  "nothing to publish but the address where it is "
				  "answered (A, AAAA)");
		break;
	case DNS_PERSIST_01:
		break; /* names the CA and the account: look_for_issuer() */
	}
}

int pass_publish(struct pass *pass, struct err *err)
{
	const struct certificate_config *certificate = pass->certificate;
	char first[1024] = "";
	unsigned failed;

	for (size_t i = 0; certificate->hosts[i]; i++)
		for (size_t k = 0; k < certificate->n_challenges; k++)
			look_at_challenge(pass, certificate->hosts[i],
					  &certificate->challenges[k]);
	for (size_t i = 0; certificate->issuers[i]; i++) {
		const struct issuer_config *issuer = config_issuer(
			pass->in->config, certificate->issuers[i]);

		if (issuer->type == ISSUER_ACME)
			look_for_issuer(pass, issuer);
		sessions_rest(pass->in->sessions);
	}
	if (!pass->out->findings)
		return err_set(err, ERR_NOT_FOUND,
			       "no issuer of '%s' is a CA that looks at the DNS: there "
			       "is nothing to publish",
			       certificate->name);
	failed = pass_findings_failed(pass, 0, first, sizeof(first));
	if (failed)
		return err_set(err, ERR_CONFIG, "%u of what '%s' needs is missing: %s",
			       failed, certificate->name, first);
	return 0;
}

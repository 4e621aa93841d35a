/* dns.c - which row answers for a provider; the provider's name in front of every
 * sentence, and no secret in any. */
#include "hooks/dns.h"

#include <assert.h>

#include "base/str.h"
#include "hooks/dns/provider.h"

static const struct dns_provider_kind *const kinds[] = {
	[DNS_RFC2136] = &dns_rfc2136, [DNS_ACME_DNS] = &dns_acme_dns,
	[DNS_HTTPREQ] = &dns_httpreq, [DNS_EXEC] = &dns_exec,
	[DNS_ACME_SH] = &dns_acme_sh, [DNS_CLOUDFLARE] = &dns_cloudflare,
	[DNS_ROUTE53] = &dns_route53,
};
static_assert(sizeof(kinds) == (DNS_ROUTE53 + 1) * sizeof(void *),
	      "a row for every type");

static const struct dns_provider_kind *kind_of(const struct dns_provider *provider)
{
	return kinds[provider->type];
}

static void hide(struct err *err, const struct secret *secret)
{
	if (secret->bytes)
		str_hide(err->text, secret->bytes, secret->len);
}

/* A peer or a program may have said one. */
static int told(const struct dns_provider *provider, struct err *err)
{
	hide(err, &provider->password);
	hide(err, &provider->token);
	hide(err, &provider->secret_access_key);
	hide(err, &provider->session_token);
	hide(err, &provider->tsig_secret);
	for (size_t i = 0; i < provider->n_environment; i++)
		if (!provider->environment[i].value)
			hide(err, &provider->environment[i].secret);
	return err_wrap(err, "DNS provider '%s'", provider->name);
}

int dns_present(const struct dns_work *work, const struct dns_answer *answer,
		struct err *err)
{
	if (kind_of(work->provider)->present(work, answer, err)) {
		err_wrap(err, "add TXT record '%s'", answer->record);
		return told(work->provider, err);
	}
	return 0;
}

int dns_withdraw(const struct dns_work *work, const struct dns_answer *answer,
		 struct err *err)
{
	if (kind_of(work->provider)->withdraw(work, answer, err)) {
		err_wrap(err, "remove TXT record '%s'", answer->record);
		return told(work->provider, err);
	}
	return 0;
}

int dns_check(const struct dns_work *work, const char *domain, struct err *err)
{
	const struct dns_provider_kind *kind = kind_of(work->provider);

	if (kind->check && kind->check(work, domain, err))
		return told(work->provider, err);
	return 0;
}

int dns_delegation(const struct dns_work *work, const char *domain, char **ret_name,
		   char **ret_target, struct err *err)
{
	const struct dns_provider_kind *kind = kind_of(work->provider);

	if (!kind->delegation) {
		*ret_name = *ret_target = NULL;
		return 0;
	}
	if (kind->delegation(work, domain, ret_name, ret_target, err))
		return told(work->provider, err);
	return 0;
}

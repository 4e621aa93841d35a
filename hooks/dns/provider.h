/* provider.h - the rows behind hooks/dns.h: one struct a kind of DNS provider.
 *
 * A row speaks of what it asks and of what it was told; dns.c puts the provider's name in
 * front of the sentence and takes secrets out of it. Same promises as in dns.h: adding
 * keeps the values of others, both directions are idempotent, `work` and the strings of
 * `answer` are borrowed. */
#ifndef HOOKS_DNS_PROVIDER_H
#define HOOKS_DNS_PROVIDER_H

#include "hooks/dns.h"

struct dns_provider_kind {
	int (*present)(const struct dns_work *work, const struct dns_answer *answer,
		       struct err *err);
	int (*withdraw)(const struct dns_work *work, const struct dns_answer *answer,
			struct err *err);
	int (*check)(const struct dns_work *work, const char *domain,
		     struct err *err); /* NULL: nothing to check */
	int (*delegation)(const struct dns_work *work, const char *domain,
			  char **ret_name, char **ret_target,
			  struct err *err); /* NULL: none needed */
};

extern const struct dns_provider_kind dns_rfc2136, dns_acme_dns, dns_httpreq, dns_exec,
	dns_acme_sh, dns_cloudflare, dns_route53;

#endif

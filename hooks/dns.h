/* dns.h - the dns-01 challenge (RFC 8555 8.4): a TXT record put into a zone by whoever
 * the operator's DNS answers to, and taken out again.
 *
 * Blocking, cancellable; one row a provider (dns/provider.h). Adding a value keeps the
 * others at the same name: a wildcard and its base name have two. Idempotent in both
 * directions: adding what is there and removing what is gone succeed. */
#ifndef HOOKS_DNS_H
#define HOOKS_DNS_H

#include "base/challenge.h"
#include "base/err.h"

struct cancel;
struct resolver;

struct dns_answer {         /* borrowed */
	const char *domain; /* the name being proven, without "*." */
	const char *record; /* where the record goes: "_acme-challenge.a.example", or
			       where its CNAME leads */
	const char *value;  /* the TXT record's text */
	const char *token, *key_authorization; /* for providers in raw mode */
};

struct dns_work { /* borrowed: what an errand needs */
	const struct dns_provider *provider;
	struct resolver *resolver; /* finds zones */
	const struct cancel *cancel;
	const char *alias; /* where the challenge says that records go, whatever CNAMEs
			      say; NULL: it does not */
};

/* Adds the record, durable at the provider when this returns. The sentences say what to
 * do: "update of zone 'a.example' at 127.0.0.1:53 refused (NOTAUTH: ...): ...". */
int dns_present(const struct dns_work *work, const struct dns_answer *answer,
		struct err *err);

/* Removes exactly that value. */
int dns_withdraw(const struct dns_work *work, const struct dns_answer *answer,
		 struct err *err);

/* Can it be asked at all, as far as can be seen without changing anything (a program is
 * there, a server answers, the account may see the zone of `domain`)? For preflight.
 * acme-dns: registers the domain if it is not yet, to be able to name the CNAME. */
int dns_check(const struct dns_work *work, const char *domain, struct err *err);

/* The CNAME that the operator has to make for this provider to answer for `domain`: gives
 * *ret_name and *ret_target; both NULL where none is needed. acme-dns: registers the
 * domain first if it is not yet. */
int dns_delegation(const struct dns_work *work, const char *domain, char **ret_name,
		   char **ret_target, struct err *err);

#endif

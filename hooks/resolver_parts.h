/* resolver_parts.h - what the resolver's own files share: one question and its answer,
 * asked by c-ares or by HTTPS. Everybody else uses hooks/resolver.h. */
#ifndef HOOKS_RESOLVER_PARTS_H
#define HOOKS_RESOLVER_PARTS_H

#include <stdint.h>

#include "base/str.h"
#include "hooks/dns/message.h"
#include "hooks/resolver.h"

struct http_client;

struct resolver {
	struct strlist servers; /* empty: the system's */
	char *ca_bundle;
	int64_t timeout_s;
	const struct cancel *cancel;
	struct http_client *https; /* made when first needed */
};

/* Asks the resolver's servers. Fills *ret (dns_message_release()): rcode NOERROR and
 * NXDOMAIN are answers. ERR_REFUSED for SERVFAIL and other refusals, ERR_TRANSIENT when
 * nobody answers, ERR_CANCELLED. */
int resolver_ask(struct resolver *resolver, const char *name, enum dns_type type,
		 struct dns_message *ret, struct err *err);

/* Asks one server of a zone, "192.0.2.53:53", without recursion. */
int resolver_ask_server(struct resolver *resolver, const char *server, const char *name,
			enum dns_type type, struct dns_message *ret, struct err *err);

#endif

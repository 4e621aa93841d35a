/* resolver_zone.c - what the tree above a name says: its zone and that one's servers, and
 * which CAs may issue for it. */
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/identifier.h"
#include "hooks/resolver_parts.h"

#define SERVERS_MAX 32
#define NAMES_MAX 16

static const char *parent(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : "";
}

/* ---- the zone ------------------------------------------------------------ */

static const char *zone_in(const struct resolver_answer *answer, const char *name)
{
	static const enum dns_section sections[] = { DNS_ANSWER, DNS_AUTHORITY };
	const struct dns_record *soa = NULL;

	for (int i = 0; i < 2; i++)
		while ((soa = dns_message_next(&answer->message, soa, sections[i], NULL,
					       DNS_TYPE_SOA)))
			if (dns_name_is_below(name, soa->name)) /* no CNAME's target's */
				return soa->name;
	return NULL;
}

/* Up the tree until a SOA record tells. */
static int find_zone(struct resolver *resolver, const char *name, char **ret_zone,
		     struct err *err)
{
	struct resolver_answer answer;
	const char *zone;

	for (const char *at = name; *at; at = parent(at)) {
		if (resolver_ask(resolver, at, DNS_TYPE_SOA, &answer, err))
			return -1;
		zone = zone_in(&answer, at);
		if (zone)
			*ret_zone = str_dup(zone);
		resolver_answer_release(&answer);
		if (zone)
			return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "no zone of the DNS has '%s'", name);
}

/* ---- its servers --------------------------------------------------------- */

/* The rule of resolver.h: one that we are told to ask at a port is asked there. */
static void add_server(const struct resolver *resolver, const char *address,
		       struct strlist *servers)
{
	char *host = str_printf(strchr(address, ':') ? "[%s]:" : "%s:", address);
	char *server = str_printf("%s53", host);

	for (size_t i = 0; i < resolver->servers.n; i++)
		if (str_starts(resolver->servers.items[i], host)) {
			free(server);
			server = str_dup(resolver->servers.items[i]);
			break;
		}
	if (servers->n < SERVERS_MAX && !strlist_has(servers, server))
		strlist_add(servers, server);
	free(server);
	free(host);
}

/* A name without addresses of one family, or of both, is no error. */
static int add_addresses(struct resolver *resolver, const char *name,
			 struct strlist *servers, struct err *err)
{
	static const enum dns_type types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
	const struct dns_record *record;
	struct resolver_answer answer;
	struct err ignored;

	for (int i = 0; i < 2; i++) {
		if (cancel_check(resolver->cancel, err))
			return -1;
		if (resolver_ask(resolver, name, types[i], &answer, &ignored))
			continue;
		record = NULL;
		while ((record = resolver_next(&answer, record, types[i])))
			add_server(resolver, record->text, servers);
		resolver_answer_release(&answer);
	}
	return 0;
}

static int add_servers(struct resolver *resolver, const char *zone,
		       struct strlist *servers, struct err *err)
{
	const struct dns_record *record = NULL;
	struct resolver_answer answer;
	int rc = 0;

	if (resolver_ask(resolver, zone, DNS_TYPE_NS, &answer, err))
		return -1;
	for (int i = 0; i < NAMES_MAX && !rc; i++) {
		record = resolver_next(&answer, record, DNS_TYPE_NS);
		if (!record)
			break;
		rc = add_addresses(resolver, record->text, servers, err);
	}
	resolver_answer_release(&answer);
	return rc;
}

int resolver_zone(struct resolver *resolver, const char *name, char **ret_zone,
		  struct strlist *servers, struct err *err)
{
	char *zone = NULL;

	if (find_zone(resolver, name, &zone, err))
		return -1;
	if (servers && add_servers(resolver, zone, servers, err)) {
		free(zone);
		return -1;
	}
	*ret_zone = zone;
	return 0;
}

/* ---- CAA ----------------------------------------------------------------- */

void caa_set_clear(struct caa_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		free(set->items[i].tag);
		free(set->items[i].value);
	}
	free(set->items);
	free(set->at);
	*set = (struct caa_set){ 0 };
}

static void take_caa(const struct resolver_answer *answer, struct caa_set *ret)
{
	const struct dns_record *record = NULL;

	while ((record = resolver_next(answer, record, DNS_TYPE_CAA))) {
		ret->items = mem_realloc(ret->items, (ret->n + 1) * sizeof(*ret->items));
		ret->items[ret->n++] = (struct caa_record){ record->critical,
							    str_dup(record->tag),
							    str_dup(record->text) };
	}
	if (ret->n)
		ret->at = str_dup(answer->owner);
}

int resolver_caa(struct resolver *resolver, const char *name, struct caa_set *ret,
		 struct err *err)
{
	struct resolver_answer answer;
	struct caa_set set = { 0 };

	if (identifier_is_ip(name)) { /* no CAA for addresses: BR 3.2.2.8 */
		*ret = set;
		return 0;
	}
	for (const char *at = identifier_base(name); *at && !set.n; at = parent(at)) {
		if (resolver_ask(resolver, at, DNS_TYPE_CAA, &answer, err))
			return err_wrap(err, "look for CAA records of '%s'", name);
		take_caa(&answer, &set);
		resolver_answer_release(&answer);
	}
	*ret = set;
	return 0;
}

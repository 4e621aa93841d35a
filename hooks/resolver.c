#include "hooks/resolver_parts.h"

#include <stdlib.h>
#include <string.h>

#include <ares.h>
#include <uv.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/http_client.h"

#define TIMEOUT_S 10
#define CNAMES_MAX 16
#define SERVERS_MAX 16
#define AWAIT_FIRST_MS 1000
#define AWAIT_MOST_MS 10000

static uv_once_t library_once = UV_ONCE_INIT;

static void start_library(void)
{
	ares_library_init(ARES_LIB_INIT_ALL); /* Windows: sockets and its registry */
}

int resolver_new(const struct resolver_options *options, const struct cancel *cancel,
		 struct resolver **ret, struct err *err)
{
	struct resolver *resolver = mem_calloc(1, sizeof(*resolver));

	(void)err;
	uv_once(&library_once, start_library);
	for (size_t i = 0; options->servers && options->servers[i]; i++)
		strlist_add(&resolver->servers, options->servers[i]);
	resolver->ca_bundle = str_dup(options->ca_bundle);
	resolver->timeout_s = options->timeout_s > 0 ? options->timeout_s : TIMEOUT_S;
	resolver->cancel = cancel;
	*ret = resolver;
	return 0;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	strlist_clear(&resolver->servers);
	http_client_free(resolver->https);
	free(resolver->ca_bundle);
	free(resolver);
}

static int no_such_name(const char *name, const char *what, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "DNS has no %s at '%s'", what, name);
}

int resolver_txt(struct resolver *resolver, const char *name, struct strlist *values,
		 struct err *err)
{
	struct dns_message answer;
	size_t before = values->n;

	if (resolver_ask(resolver, name, DNS_TYPE_TXT, &answer, err))
		return -1;
	for (size_t i = 0; i < answer.n; i++) /* behind CNAMEs too */
		if (answer.records[i].section == DNS_ANSWER &&
		    answer.records[i].type == DNS_TYPE_TXT && answer.records[i].text)
			strlist_add(values, answer.records[i].text);
	dns_message_release(&answer);
	return values->n == before ? no_such_name(name, "TXT record", err) : 0;
}

/* ---- CNAMEs -------------------------------------------------------------- */

int resolver_follow(struct resolver *resolver, const char *name, char **ret_name,
		    struct err *err)
{
	char *at = str_dup(name);

	for (int steps = 0; steps < CNAMES_MAX; steps++) {
		struct dns_message answer;
		const struct dns_record *alias;

		if (resolver_ask(resolver, at, DNS_TYPE_CNAME, &answer, err)) {
			free(at);
			return -1;
		}
		alias = dns_message_next(&answer, NULL, DNS_ANSWER, at, DNS_TYPE_CNAME);
		if (!alias || !alias->text) {
			dns_message_release(&answer);
			*ret_name = at;
			return 0;
		}
		free(at);
		at = str_dup(alias->text);
		dns_message_release(&answer);
	}
	free(at);
	return err_set(err, ERR_REFUSED,
		       "the CNAMEs from '%s' come to no end after %d: one of them leads "
		       "back",
		       name, CNAMES_MAX);
}

/* ---- zones and their servers --------------------------------------------- */

/* "192.0.2.53" -> "192.0.2.53:53", "[2001:db8::53]:53". A server that we are told to ask
 * at another port is asked there about its own zones too. */
static void add_server(const struct resolver *resolver, const char *address,
		       struct strlist *servers)
{
	bool v6 = strchr(address, ':') != NULL;
	char *prefix = str_printf(v6 ? "[%s]:" : "%s:", address);
	char *server = str_printf("%s53", prefix);

	for (size_t i = 0; i < resolver->servers.n; i++)
		if (str_starts(resolver->servers.items[i], prefix)) {
			free(server);
			server = str_dup(resolver->servers.items[i]);
			break;
		}
	if (servers->n < SERVERS_MAX && !strlist_has(servers, server))
		strlist_add(servers, server);
	free(server);
	free(prefix);
}

static void add_addresses(struct resolver *resolver, const char *host,
			  struct strlist *servers)
{
	static const enum dns_type types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
	struct dns_message answer;
	struct err ignored; /* one that has no address is not asked */

	for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++) {
		if (resolver_ask(resolver, host, types[t], &answer, &ignored))
			continue;
		for (size_t i = 0; i < answer.n; i++)
			if (answer.records[i].section == DNS_ANSWER &&
			    answer.records[i].type == (unsigned)types[t] &&
			    answer.records[i].text)
				add_server(resolver, answer.records[i].text, servers);
		dns_message_release(&answer);
	}
}

static int add_zone_servers(struct resolver *resolver, const char *zone,
			    struct strlist *servers, struct err *err)
{
	struct dns_message answer;

	if (resolver_ask(resolver, zone, DNS_TYPE_NS, &answer, err))
		return -1;
	for (size_t i = 0; i < answer.n; i++)
		if (answer.records[i].section == DNS_ANSWER &&
		    answer.records[i].type == DNS_TYPE_NS && answer.records[i].text)
			add_addresses(resolver, answer.records[i].text, servers);
	dns_message_release(&answer);
	return 0;
}

/* The SOA record says it, of the name itself or in the authority section. */
static int find_zone(struct resolver *resolver, const char *name, char **ret_zone,
		     struct err *err)
{
	const char *at = name;

	while (at && *at) {
		struct dns_message answer;
		const struct dns_record *soa;
		char *zone = NULL;

		if (resolver_ask(resolver, at, DNS_TYPE_SOA, &answer, err))
			return -1;
		soa = dns_message_next(&answer, NULL, DNS_ANSWER, at, DNS_TYPE_SOA);
		if (!soa)
			soa = dns_message_next(&answer, NULL, DNS_AUTHORITY, NULL,
					       DNS_TYPE_SOA);
		if (soa)
			zone = str_dup(soa->name);
		dns_message_release(&answer);
		if (zone) {
			*ret_zone = zone;
			return 0;
		}
		at = strchr(at, '.');
		at = at ? at + 1 : NULL;
	}
	return no_such_name(name, "zone", err);
}

int resolver_zone(struct resolver *resolver, const char *name, char **ret_zone,
		  struct strlist *servers, struct err *err)
{
	char *zone;

	if (find_zone(resolver, name, &zone, err))
		return -1;
	if (servers && add_zone_servers(resolver, zone, servers, err)) {
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

static void take_caa(const struct dns_message *answer, const char *at,
		     struct caa_set *ret)
{
	for (size_t i = 0; i < answer->n; i++) {
		const struct dns_record *each = &answer->records[i];

		if (each->section != DNS_ANSWER || each->type != DNS_TYPE_CAA ||
		    !each->tag)
			continue;
		ret->items = mem_realloc(ret->items, (ret->n + 1) * sizeof(*ret->items));
		ret->items[ret->n++] = (struct caa_record){ .critical = each->critical,
							    .tag = str_dup(each->tag),
							    .value = str_dup(
								    each->text) };
	}
	if (ret->n)
		ret->at = str_dup(at);
}

int resolver_caa(struct resolver *resolver, const char *name, struct caa_set *ret,
		 struct err *err)
{
	struct caa_set set = { 0 };

	for (const char *at = name; at && *at; at = strchr(at, '.')) {
		struct dns_message answer;

		at += *at == '.';
		if (!*at)
			break;
		if (resolver_ask(resolver, at, DNS_TYPE_CAA, &answer, err))
			return -1;
		take_caa(&answer, at, &set);
		dns_message_release(&answer);
		if (set.n)
			break;
	}
	*ret = set;
	return 0;
}

/* ---- is it there yet? ---------------------------------------------------- */

enum seen { SEEN, SEEN_OTHER, SEEN_NOTHING };

/* What one server (NULL: our resolver) has; `why` for what is not the value. */
static enum seen look(struct resolver *resolver, const char *server, const char *name,
		      const char *value, struct err *why)
{
	struct dns_message answer;
	bool found = false;
	int rc = server ? resolver_ask_server(resolver, server, name, DNS_TYPE_TXT,
					      &answer, why)
			: resolver_ask(resolver, name, DNS_TYPE_TXT, &answer, why);

	if (rc)
		return SEEN_NOTHING;
	for (size_t i = 0; i < answer.n && !found; i++)
		found = answer.records[i].type == DNS_TYPE_TXT &&
			str_equal(answer.records[i].text, value);
	if (!found)
		err_set(why, ERR_TRANSIENT, "%s",
			dns_message_next(&answer, NULL, DNS_ANSWER, NULL, DNS_TYPE_TXT)
				? "it has other TXT records there"
				: "it has no TXT record there");
	dns_message_release(&answer);
	return found ? SEEN : SEEN_OTHER;
}

/* One round. Gives who lacks it, in words; NULL: nobody. Where no server of the zone can
 * be reached (a firewall, a split DNS), our resolver is asked in their place. */
static char *who_lacks(struct resolver *resolver, const struct strlist *servers,
		       const char *name, const char *value)
{
	struct err why = { 0 };
	bool reached = false;
	struct buf text;

	buf_init(&text, 1200);
	for (size_t i = 0; i < servers->n; i++) {
		enum seen seen = look(resolver, servers->items[i], name, value, &why);

		reached = reached || seen != SEEN_NOTHING;
		if (seen != SEEN)
			buf_printf(&text, "%s%s: %.200s", text.len ? "; " : "",
				   servers->items[i], why.text);
	}
	if (!reached) {
		buf_clear(&text);
		if (look(resolver, NULL, name, value, &why) != SEEN)
			buf_printf(&text,
				   "the zone's own servers cannot be reached, and "
				   "the resolver says: %.200s",
				   why.text);
	}
	if (!text.len) {
		buf_release(&text);
		return NULL;
	}
	return buf_steal(&text);
}

int resolver_await(struct resolver *resolver, const char *name, const char *value,
		   int64_t timeout_s, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + timeout_s * 1000, pause_ms = AWAIT_FIRST_MS;
	struct strlist servers = { 0 };
	char *zone = NULL, *lacking;
	int rc = -1;

	if (resolver_zone(resolver, name, &zone, &servers, err))
		return err_wrap(err, "look for the record at '%s'", name);
	while ((lacking = who_lacks(resolver, &servers, name, value))) {
		int64_t left_ms = until_ms - clock_mono_ms();

		if (left_ms <= 0 ||
		    clock_sleep_ms(pause_ms < left_ms ? pause_ms : left_ms,
				   resolver->cancel))
			break;
		pause_ms = pause_ms * 2 < AWAIT_MOST_MS ? pause_ms * 2 : AWAIT_MOST_MS;
		free(lacking);
	}
	if (!lacking)
		rc = 0;
	else if (!cancel_check(resolver->cancel, err))
		err_set(err, ERR_TRANSIENT,
			"the record at '%s' is not seen everywhere after %lld s: %s",
			name, (long long)timeout_s, lacking);
	free(lacking);
	strlist_clear(&servers);
	free(zone);
	return rc;
}

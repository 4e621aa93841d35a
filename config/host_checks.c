/* host_checks.c - what wildcards and IP addresses among a certificate's hosts ask of its
 * challenges and its targets. */
#include "base/arena.h"
#include "base/identifier.h"
#include "base/str.h"
#include "config/certificate_checks.h"
#include "config/issuer_types.h"
#include "config/sections.h"

/* ---- challenges ----------------------------------------------------------- */

/* RFC 8555 8.3 and 8.4, RFC 8737, RFC 8738 7. */
static const struct {
	bool address, wildcard;
} proves[] = {
	[HTTP_01] = { .address = true },
	[DNS_01] = { .wildcard = true },
	[TLS_ALPN_01] = { .address = true },
	[DNS_PERSIST_01] = { .wildcard = true },
};

static bool can_prove(const struct certificate_config *certificate, const char *host)
{
	enum identifier_kind kind = identifier_kind(host);

	for (size_t i = 0; i < certificate->n_challenges; i++) {
		enum challenge_type type = certificate->challenges[i].type;

		if (kind == IDENTIFIER_DNS ||
		    (kind == IDENTIFIER_WILDCARD ? proves[type].wildcard
						 : proves[type].address))
			return true;
	}
	return false;
}

/* What is no host was complained about. */
static bool was_taken(const struct certificate_config *certificate, const char *host)
{
	for (size_t i = 0; certificate->hosts[i]; i++) {
		if (str_equal(certificate->hosts[i], host))
			return true;
	}
	return false;
}

/* Was every challenge's type one that exists? Else it was complained about. */
static bool types_are_right(const struct node *challenge,
			    const struct certificate_config *certificate)
{
	const struct node *item = challenge;

	if (challenge && challenge->type == NODE_LIST)
		item = challenge->first;
	for (size_t i = 0; i < certificate->n_challenges && item; i++) {
		enum challenge_type type = certificate->challenges[i].type;

		if (!node_is_word(node_member(item, "type"), challenge_name(type)))
			return false;
		item = item->next;
	}
	return certificate->n_challenges > 0;
}

void certificate_check_hosts(struct reading *r, const struct frame *frame,
			     const struct node *map,
			     const struct certificate_config *certificate)
{
	const struct node *hosts = node_member(map, "hosts"), *item;

	if (!certificate->hosts || !(issuer_types_of(r, map) & 1U << ISSUER_ACME) ||
	    !types_are_right(node_member(map, "challenge"), certificate))
		return;
	for (item = hosts->first; item; item = item->next) {
		if (item->type != NODE_SCALAR || !was_taken(certificate, item->text) ||
		    can_prove(certificate, item->text))
			continue;
		if (identifier_is_ip(item->text))
			field_problem(r, frame, "hosts", item->place,
				      "has the IP address '%s', which no challenge here "
				      "can prove: add one of 'type: http-01' or 'type: "
				      "tls-alpn-01' to 'challenge'",
				      item->text);
		else
			field_problem(r, frame, "hosts", item->place,
				      "has the wildcard '%s', which no challenge here "
				      "can prove: add one of 'type: dns-01' (with one of "
				      "'dns_providers') or 'type: dns-persist-01' to "
				      "'challenge'",
				      item->text);
	}
}

/* ---- targets -------------------------------------------------------------- */

/* No server name can be told from a wildcard; an IP address has none (RFC 6066 3). */
static void name_endpoint(struct reading *r, struct node *entry,
			  struct endpoint *endpoint, const struct target *target,
			  const char *host)
{
	struct node_source source = { FROM_DEFAULT, entry->place };
	bool address = identifier_is_ip(host);

	if (identifier_kind(host) == IDENTIFIER_WILDCARD) {
		problem_at(r->problems, entry->place,
			   "target '%.64s' has an address under 'verify' without "
			   "'server_name', and the first host is the wildcard '%s': "
			   "write the name that is asked for there, or none",
			   target->name ? target->name : "?", host);
		return;
	}
	endpoint->server_name = address ? NULL : host;
	node_insert(entry, node_member(entry, "connect"),
		    node_from_scalar(r->values.arena, source, "server_name",
				     address ? "none" : host));
}

void certificate_name_target(struct reading *r, const struct node *item,
			     struct target *target, const char *host)
{
	struct endpoint *endpoints = (struct endpoint *)target->verify;
	const struct node *verify = node_member(item, "verify");
	struct node *entry = verify ? verify->first : NULL;

	target->subject_alt_name = host;
	for (size_t i = 0; i < target->n_verify && entry; i++, entry = entry->next) {
		if (entry->type == NODE_MAP && !node_member(entry, "server_name"))
			name_endpoint(r, entry, &endpoints[i], target, host);
	}
	if (target->preset && identifier_is_ip(host))
		problem_at(r->problems, item->place,
			   "target '%.64s' is a product that wants a host name in the "
			   "certificate's common name, and the first host is the IP "
			   "address '%s': put a host name in front of it",
			   target->name ? target->name : "?", host);
}

/* section_challenge.c - a certificate's challenge: one way to show a CA that we hold the
 * names. Which suits which host is seen in host_checks.c. */
#include "base/arena.h"
#include "base/challenge.h"
#include "base/str.h"
#include "config/sections.h"

#define AT(member) .offset = offsetof(struct challenge, member)

static const struct choice challenge_types[] = {
	{ "http-01", HTTP_01 },
	{ "dns-01", DNS_01 },
	{ "tls-alpn-01", TLS_ALPN_01 },
	{ "dns-persist-01", DNS_PERSIST_01 },
	{ NULL, 0 },
};

static const struct field challenge_fields[] = {
	{ .key = "type",
	  .type = FIELD_CHOICE,
	  AT(type),
	  .fallback = "http-01",
	  .choices = challenge_types,
	  .help = "how the CA is shown that we hold the names: over HTTP, by a TXT "
		  "record, "
		  "in a TLS handshake, or by a TXT record that stays" },
	{ .key = "listen",
	  .type = FIELD_LISTEN,
	  AT(listen),
	  .fallback = FIELD_OPTIONAL,
	  .only = "http-01 tls-alpn-01",
	  .help = "answer by ourselves here, only while the CA asks; `:80` for http-01 "
		  "unless webroot is given, `:443` for tls-alpn-01" },
	{ .key = "webroot",
	  .type = FIELD_ABSOLUTE,
	  AT(webroot),
	  .fallback = FIELD_OPTIONAL,
	  .only = "http-01",
	  .help = "answer by files below this folder, which a web server serves" },
	{ .key = "provider",
	  .type = FIELD_PROVIDER,
	  AT(provider),
	  .only = "dns-01",
	  .help = "which of 'dns_providers' puts the record there" },
	{ .key = "alias",
	  .type = FIELD_DNS_NAME,
	  AT(alias),
	  .fallback = FIELD_OPTIONAL,
	  .only = "dns-01",
	  .help = "put the record at this name, which _acme-challenge is a CNAME to; "
		  "found by following it when not given" },
};

static void default_to(struct reading *r, struct node *map, const char *key,
		       const char *text)
{
	struct node_source source = { FROM_DEFAULT, map->key_place };

	if (!node_member(map, key))
		node_append(map, node_from_scalar(r->values.arena, source, key, text));
}

/* Our own responder is the default, and shown as such. */
static void before_challenge(struct reading *r, struct node *map)
{
	const struct node *type;

	default_to(r, map, "type", "http-01");
	type = node_member(map, "type");
	if (node_is_word(type, "tls-alpn-01"))
		default_to(r, map, "listen", ":443");
	else if (node_is_word(type, "http-01") && !node_member(map, "webroot"))
		default_to(r, map, "listen", ":80");
}

static void check_challenge(struct reading *r, const struct frame *frame,
			    struct node *map, void *base)
{
	const struct node *webroot = node_member(map, "webroot");

	(void)base;
	if (webroot && node_member(map, "listen"))
		field_problem(r, frame, "webroot", webroot->key_place,
			      "is given beside 'listen': keep one of them");
}

const struct section challenge_section = {
	.what = "challenge",
	.fields = challenge_fields,
	.n_fields = N_FIELDS(challenge_fields),
	.size = sizeof(struct challenge),
	.none_ok = true,
	.before = before_challenge,
	.after = check_challenge,
};

const char *challenge_name(enum challenge_type type)
{
	return challenge_types[type].name;
}

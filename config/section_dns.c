/* section_dns.c - who answers DNS for the operator, and how it is told of a record. */
#include "base/arena.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "base/challenge.h"
#include "base/str.h"
#include "config/proxy.h"
#include "config/sections.h"
#include "config/system.h"

#define AT(member) .offset = offsetof(struct dns_provider, member)

#define CLOUDFLARE_MIN_TTL_S 60

static const struct choice provider_types[] = {
	{ "rfc2136", DNS_RFC2136 }, { "acme-dns", DNS_ACME_DNS },
	{ "httpreq", DNS_HTTPREQ }, { "exec", DNS_EXEC },
	{ "acme.sh", DNS_ACME_SH }, { "cloudflare", DNS_CLOUDFLARE },
	{ "route53", DNS_ROUTE53 }, { NULL, 0 },
};

/* ---- tsig ----------------------------------------------------------------- */

static const struct choice tsig_algorithms[] = {
	{ "hmac-sha256", TSIG_HMAC_SHA256 },
	{ "hmac-sha512", TSIG_HMAC_SHA512 },
	{ NULL, 0 },
};

static const struct field tsig_fields[] = {
	{ .key = "key",
	  .type = FIELD_DNS_NAME,
	  AT(tsig_key),
	  .help = "the key's name, as the server knows it" },
	{ .key = "algorithm",
	  .type = FIELD_CHOICE,
	  AT(tsig_algorithm),
	  .fallback = "hmac-sha256",
	  .choices = tsig_algorithms,
	  .help = "the MAC that both sides use" },
	{ .key = "secret",
	  .type = FIELD_SECRET,
	  AT(tsig_secret),
	  .help = "where the key itself is found, base64 as tsig-keygen prints it" },
};

static void check_tsig(struct reading *r, const struct frame *frame, struct node *map,
		       void *base)
{
	const struct dns_provider *provider = base;
	struct buf key;

	if (!provider->tsig_secret.bytes)
		return;
	buf_init_secret(&key, SECRET_MAX_BYTES);
	if (base64_any_decode(provider->tsig_secret.bytes, &key) || !key.len)
		field_problem(r, frame, "secret", node_member(map, "secret")->place,
			      "from %s is not base64: give what stands between the "
			      "quotes behind 'secret' in the key file alone",
			      provider->tsig_secret.source);
	buf_release(&key);
}

static const struct section tsig_section = {
	.what = "tsig",
	.fields = tsig_fields,
	.n_fields = N_FIELDS(tsig_fields),
	.after = check_tsig,
};

/* ---- the provider --------------------------------------------------------- */

static const struct choice modes[] = {
	{ "default", false },
	{ "raw", true },
	{ NULL, 0 },
};

static const struct field dns_fields[] = {
	{ .key = "type",
	  .type = FIELD_CHOICE,
	  AT(type),
	  .choices = provider_types,
	  .help = "how the record is put into the DNS: a dynamic update, an acme-dns "
		  "server, a web service or a program in lego's form, a script of "
		  "acme.sh's, Cloudflare, or Amazon Route 53" },
	{ .key = "server",
	  .type = FIELD_DNS_SERVER,
	  AT(server),
	  .only = "rfc2136",
	  .help = "the primary server of the zone" },
	{ .key = "tsig",
	  .type = FIELD_SECTION,
	  .fallback = FIELD_OPTIONAL,
	  .section = &tsig_section,
	  .only = "rfc2136",
	  .help = "the key that updates are signed with; unsigned without it" },
	{ .key = "url",
	  .type = FIELD_SERVICE_URL,
	  AT(url),
	  .fallback = FIELD_OPTIONAL,
	  .only = "acme-dns httpreq cloudflare route53",
	  .help = "where the service is; acme-dns and httpreq need it, of the others it "
		  "is "
		  "known; http:// on this machine only" },
	{ .key = "username",
	  .type = FIELD_TEXT,
	  AT(username),
	  .fallback = FIELD_OPTIONAL,
	  .max = 256,
	  .only = "acme-dns httpreq",
	  .help = "our account there; acme-dns: we register one for each name when not "
		  "given" },
	{ .key = "password",
	  .type = FIELD_SECRET,
	  AT(password),
	  .fallback = FIELD_OPTIONAL,
	  .only = "acme-dns httpreq",
	  .help = "its password" },
	{ .key = "subdomain",
	  .type = FIELD_DNS_NAME,
	  AT(subdomain),
	  .fallback = FIELD_OPTIONAL,
	  .only = "acme-dns",
	  .help = "the account's subdomain" },
	{ .key = "accounts",
	  .type = FIELD_PATH,
	  AT(accounts),
	  .fallback = FIELD_OPTIONAL,
	  .only = "acme-dns",
	  .help = "file that accounts are kept in, as lego and acme-dns-client write it; "
		  "`dns/NAME.json` in the state folder when not given" },
	{ .key = "mode",
	  .type = FIELD_FLAG,
	  AT(raw),
	  .fallback = "default",
	  .choices = modes,
	  .only = "httpreq exec",
	  .help = "what is handed over: the record's name and value, or domain, token "
		  "and "
		  "key authorization" },
	{ .key = "command",
	  .type = FIELD_COMMAND,
	  AT(program.argv),
	  .min = 1,
	  .max = 64,
	  .only = "exec",
	  .help = "the program by its absolute path, and its arguments; no shell" },
	{ .key = "script",
	  .type = FIELD_SCRIPT,
	  AT(program.argv),
	  .only = "acme.sh",
	  .help = "a dns_NAME.sh of acme.sh" },
	{ .key = "environment",
	  .type = FIELD_ENVIRONMENT,
	  AT(environment),
	  .fallback = "{}",
	  .max = 64,
	  .count = offsetof(struct dns_provider, n_environment),
	  .only = "exec acme.sh",
	  .help = "variables that it finds, each a value or a secret" },
	{ .key = "token",
	  .type = FIELD_SECRET,
	  AT(token),
	  .only = "cloudflare",
	  .help = "an API token with the rights Zone.Zone:Read and Zone.DNS:Edit" },
	{ .key = "access_key_id",
	  .type = FIELD_TEXT,
	  AT(access_key_id),
	  .max = 128,
	  .only = "route53",
	  .help = "the access key's identifier" },
	{ .key = "secret_access_key",
	  .type = FIELD_SECRET,
	  AT(secret_access_key),
	  .only = "route53",
	  .help = "and its secret" },
	{ .key = "session_token",
	  .type = FIELD_SECRET,
	  AT(session_token),
	  .fallback = FIELD_OPTIONAL,
	  .only = "route53",
	  .help = "where the access key is a temporary one" },
	{ .key = "region",
	  .type = FIELD_TEXT,
	  AT(region),
	  .fallback = "us-east-1",
	  .max = 64,
	  .only = "route53",
	  .help = "the region that requests are signed for" },
	{ .key = "zone",
	  .type = FIELD_DNS_NAME,
	  AT(zone),
	  .fallback = FIELD_OPTIONAL,
	  .only = "rfc2136 cloudflare route53",
	  .help = "the zone that the records are in; found by asking when not given" },
	{ .key = "ttl",
	  .type = FIELD_DURATION,
	  AT(ttl_s),
	  .fallback = "60s",
	  .min = 1 * SECONDS,
	  .max = 1 * DAYS,
	  .only = "rfc2136 cloudflare route53",
	  .help = "how long others may remember the record" },
	{ .key = "timeout",
	  .type = FIELD_DURATION,
	  AT(timeout_s),
	  .fallback = "60s",
	  .min = 1 * SECONDS,
	  .max = 30 * MINUTES,
	  .help = "how long one request, or one run of the program, may take" },
	{ .key = "propagation",
	  .type = FIELD_PATIENCE,
	  AT(propagation_s),
	  .fallback = "2m",
	  .min = 1 * SECONDS,
	  .max = 2 * HOURS,
	  .help = "how long the record is looked for at the zone's own servers before "
		  "the "
		  "CA is told; that it is not seen is a warning" },
	{ .key = "ca_bundle",
	  .type = FIELD_TRUSTED,
	  AT(ca_bundle),
	  .fallback = FIELD_OPTIONAL,
	  .only = "acme-dns httpreq cloudflare route53",
	  .help = "PEM file of roots trusted for it besides the system's" },
	{ .key = "proxy",
	  .type = FIELD_PROXY,
	  AT(proxy),
	  .fallback = FIELD_OPTIONAL,
	  .only = "acme-dns httpreq cloudflare route53",
	  .help = "HTTP proxy on the way to it; on Windows the system's when not given" },
};

/* ---- checks of a single type ---------------------------------------------- */

static void check_url(struct reading *r, const struct frame *frame,
		      const struct node *map)
{
	if (!node_member(map, "url"))
		problem_at(r->problems, map->key_place,
			   "'url' is missing in %s (where the service is)", frame->label);
}

/* An account of acme-dns is its three parts, or a file of accounts. */
static void check_acme_dns(struct reading *r, const struct frame *frame,
			   const struct node *map)
{
	static const char *const parts[] = { "username", "password", "subdomain" };
	const struct node *accounts = node_member(map, "accounts");
	const char *given = NULL, *lacking = NULL;

	for (size_t i = 0; i < N_FIELDS(parts); i++) {
		if (node_member(map, parts[i]))
			given = parts[i];
		else if (!lacking)
			lacking = parts[i];
	}
	if (given && lacking)
		field_problem(r, frame, given, node_member(map, given)->key_place,
			      "is given without '%s': an account of acme-dns is "
			      "'username', 'password' and 'subdomain'; leave all three "
			      "out to have one registered",
			      lacking);
	if (given && accounts)
		field_problem(r, frame, "accounts", accounts->key_place,
			      "is given beside '%s': keep the one account, or the file",
			      given);
}

static void check_httpreq(struct reading *r, const struct frame *frame,
			  const struct node *map)
{
	const struct node *password = node_member(map, "password");
	const struct node *username = node_member(map, "username");

	if (!username != !password)
		field_problem(r, frame, username ? "username" : "password",
			      (username ? username : password)->key_place,
			      "is given without '%s': give both or neither",
			      username ? "password" : "username");
}

static void check_cloudflare(struct reading *r, const struct frame *frame,
			     const struct node *map, const struct dns_provider *provider)
{
	const struct node *ttl = node_member(map, "ttl");

	if (ttl && provider->ttl_s && provider->ttl_s < CLOUDFLARE_MIN_TTL_S)
		field_problem(r, frame, "ttl", ttl->place,
			      "is '%s': Cloudflare takes 60s and more", ttl->text);
}

static void complete_program(struct reading *r, struct dns_provider *provider)
{
	provider->program.timeout_s = provider->timeout_s;
	provider->program.changes = arena_calloc(r->values.arena, 1, sizeof(char *));
}

static void complete_proxy(struct reading *r, const struct frame *frame, struct node *map,
			   struct dns_provider *provider)
{
	static const char *const known[] = {
		[DNS_CLOUDFLARE] = "https://api.cloudflare.com/",
		[DNS_ROUTE53] = "https://route53.amazonaws.com/",
	};
	const char *url = provider->url ? provider->url : known[provider->type];

	if (!node_member(map, "proxy"))
		provider->proxy = proxy_of_system(r, frame, map, url);
}

static void complete_dns(struct reading *r, const struct frame *frame, struct node *map,
			 void *base)
{
	struct dns_provider *provider = base;
	const struct node *type = node_member(map, "type");
	const char *lacking = system_lacks_shell();

	if (!type || (provider->type == DNS_RFC2136 && !node_is_word(type, "rfc2136")))
		return; /* which was complained about */
	if (provider->type == DNS_ACME_DNS || provider->type == DNS_HTTPREQ)
		check_url(r, frame, map);
	if (provider->type == DNS_ACME_DNS)
		check_acme_dns(r, frame, map);
	else if (provider->type == DNS_HTTPREQ)
		check_httpreq(r, frame, map);
	else if (provider->type == DNS_CLOUDFLARE)
		check_cloudflare(r, frame, map, provider);
	if (provider->type == DNS_ACME_SH && lacking)
		field_problem(r, frame, "type", type->place, "is 'acme.sh', which %s",
			      lacking);
	if (provider->type == DNS_EXEC || provider->type == DNS_ACME_SH)
		complete_program(r, provider);
	else if (provider->type != DNS_RFC2136)
		complete_proxy(r, frame, map, provider);
}

const struct section dns_section = {
	.what = "DNS provider",
	.fields = dns_fields,
	.n_fields = N_FIELDS(dns_fields),
	.size = sizeof(struct dns_provider),
	.after = complete_dns,
};

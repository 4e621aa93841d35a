/* addresses_dns.c - what certificates are for, and what is said about the DNS: names,
 * servers, resolvers. */
#include <string.h>

#include "base/arena.h"
#include "base/identifier.h"
#include "base/str.h"
#include "config/addresses.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-_"
#define NAME_MAX_BYTES 253

/* ---- identifiers ---------------------------------------------------------- */

/* Wildcards stand for one label (RFC 6125 6.4.3), and clients want two behind them. */
static const char *wildcard(const struct value_context *context, const char *text,
			    const char **ret_why)
{
	const char *base = address_host(context, identifier_base(text), ret_why);

	if (!base)
		return NULL;
	if (!strchr(base, '.')) {
		*ret_why = "is a wildcard for a whole top level domain: no client "
			   "accepts it";
		return NULL;
	}
	if (strlen(base) + strlen("*.") > NAME_MAX_BYTES) {
		*ret_why = "is longer than 253 characters";
		return NULL;
	}
	return arena_printf(context->arena, "*.%s", base);
}

const char *address_identifier(const struct value_context *context, const char *text,
			       const char **ret_why)
{
	char address[IDENTIFIER_TEXT_MAX];

	if (!identifier_ip_text(text, address))
		return arena_strdup(context->arena, address);
	if (text[0] == '[') {
		*ret_why = "has brackets: write the IP address without them";
		return NULL;
	}
	if (strchr(text, ':') && strchr(text, '%')) {
		*ret_why = "has a zone behind '%': no certificate carries that";
		return NULL;
	}
	if (str_starts(text, "*.") && !strchr(text + 2, '*'))
		return wildcard(context, text, ret_why);
	if (strchr(text, '*')) {
		*ret_why = "has a '*' in it: a wildcard is '*.' in front of a name, for "
			   "one label";
		return NULL;
	}
	return address_host(context, text, ret_why);
}

/* ---- names, servers, resolvers -------------------------------------------- */

static bool is_dns_name(const char *name)
{
	if (strlen(name) > NAME_MAX_BYTES)
		return false;
	for (;;) {
		size_t n = strcspn(name, ".");

		if (n < 1 || n > 63 || strspn(name, NAME_CHARACTERS) < n)
			return false;
		if (!name[n])
			return true;
		name += n + 1;
	}
}

const char *address_dns_name(const struct value_context *context, const char *text,
			     const char **ret_why)
{
	size_t n = strlen(text);
	char *name;

	(void)ret_why;
	if (n > 1 && text[n - 1] == '.')
		n--;
	name = arena_strndup(context->arena, text, n);
	for (char *c = name; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	return is_dns_name(name) ? name : NULL;
}

const char *address_dns_server(const struct value_context *context, const char *text,
			       const char **ret_why)
{
	const char *server;

	if (identifier_kind(text) == IDENTIFIER_IPV6)
		return arena_printf(context->arena, "[%s]:53", text);
	server = address_endpoint(context, text, ret_why);
	if (server)
		return server;
	return address_endpoint(context, arena_printf(context->arena, "%s:53", text),
				ret_why);
}

/* Is the host of "host:port" an address? */
static bool is_at_address(struct arena *arena, const char *server)
{
	size_t n = (size_t)(strrchr(server, ':') - server);

	if (server[0] == '[')
		return identifier_is_ip(arena_strndup(arena, server + 1, n - 2));
	return identifier_is_ip(arena_strndup(arena, server, n));
}

const char *address_resolver(const struct value_context *context, const char *text,
			     const char **ret_why)
{
	const char *server;

	if (strstr(text, "://"))
		return address_https(context, text, ret_why);
	server = address_dns_server(context, text, ret_why);
	if (!server || is_at_address(context->arena, server))
		return server;
	*ret_why = "is no IP address: a resolver cannot be found by asking it";
	return NULL;
}

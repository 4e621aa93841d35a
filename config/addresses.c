#include "config/addresses.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/idn.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define HEX "0123456789abcdefABCDEF"

/* ---- hosts --------------------------------------------------------------- */

static bool is_ipv4(const char *text)
{
	for (int i = 0; i < 4; i++) {
		size_t n = strspn(text, DIGITS);

		if (n < 1 || n > 3 || strtol(text, NULL, 10) > 255)
			return false;
		text += n;
		if (i < 3 && *text++ != '.')
			return false;
	}
	return !*text;
}

/* Enough to tell it from a name; whether it can be bound is seen when it is. */
static bool is_ipv6(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && strchr(colon + 1, ':') && strspn(text, HEX ":.%") >= 2 &&
	       strspn(text, HEX ":.") == strcspn(text, "%");
}

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

static bool is_label(const char *label, size_t n)
{
	if (n < 1 || n > 63 || label[0] == '-' || label[n - 1] == '-')
		return false;
	return strspn(label, LOWER DIGITS "-") >= n;
}

/* Letters, digits and hyphens, in labels of 1..63 (RFC 1123 2.1). */
static bool is_host_name(const char *host)
{
	for (;;) {
		size_t n = strcspn(host, ".");

		if (!is_label(host, n))
			return false;
		if (!host[n])
			return true;
		host += n + 1;
	}
}

/* No top level domain is a number (RFC 3696 2). */
static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *label = dot ? dot + 1 : host;

	return strspn(label, DIGITS) == strlen(label);
}

static char *lower(struct arena *arena, const char *text)
{
	char *out = arena_strdup(arena, text);

	for (char *c = out; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	return out;
}

static const char *host_refusal(const char *text)
{
	if (str_starts(text, "*."))
		return "is a wildcard: name one host";
	if (is_ipv4(text) || is_ipv6(text) || text[0] == '[')
		return "is an IP address: expected a host name such as a.example.com";
	if (strstr(text, "://") || strchr(text, '/'))
		return "looks like a URL: give the host name alone";
	if (str_ends(text, "."))
		return "ends in a dot: leave it out";
	if (strlen(text) > 1024)
		return "is longer than any host name";
	return NULL;
}

const char *address_host(const struct value_context *context, const char *text,
			 const char **ret_why)
{
	const char *host = text, *refusal = host_refusal(text), *why = NULL;
	char *ascii = NULL;

	if (refusal) {
		*ret_why = refusal;
		return NULL;
	}
	if (!is_ascii(text)) {
		if (idn_to_ascii(text, &ascii, &why)) {
			*ret_why = arena_printf(context->arena,
						"is no international host name: %s", why);
			return NULL;
		}
		host = ascii;
	}
	host = lower(context->arena, host);
	free(ascii);
	if (strlen(host) > 253) {
		*ret_why = "is longer than 253 characters";
		return NULL;
	}
	if (!is_host_name(host))
		return NULL;
	if (ends_in_number(host)) {
		*ret_why = "ends in a number: it is neither a host name nor an IP "
			   "address";
		return NULL;
	}
	return host;
}

/* ---- host and port ------------------------------------------------------- */

static bool is_port(const char *text)
{
	int64_t port;

	return strlen(text) <= 5 && !value_number(text, &port) && port >= 1 &&
	       port <= 65535;
}

/* Splits at the last colon; brackets are taken off. False: not of that shape. */
static bool split(struct arena *arena, const char *text, const char **ret_host,
		  bool *ret_bracketed)
{
	const char *colon = strrchr(text, ':');
	size_t n;

	if (!colon || !is_port(colon + 1))
		return false;
	n = (size_t)(colon - text);
	*ret_bracketed = n >= 2 && text[0] == '[' && text[n - 1] == ']';
	*ret_host = *ret_bracketed ? arena_strndup(arena, text + 1, n - 2)
				   : arena_strndup(arena, text, n);
	return true;
}

const char *address_endpoint(const struct value_context *context, const char *text,
			     const char **ret_why)
{
	const char *host;
	bool bracketed;

	(void)ret_why;
	if (!split(context->arena, text, &host, &bracketed))
		return NULL;
	if (bracketed ? !is_ipv6(host) : !is_host_name(lower(context->arena, host)))
		return NULL;
	return arena_strdup(context->arena, text);
}

const char *address_listen(const struct value_context *context, const char *text,
			   const char **ret_why)
{
	const char *host;
	bool bracketed;

	(void)ret_why;
	if (!split(context->arena, text, &host, &bracketed))
		return NULL;
	if (bracketed ? !is_ipv6(host) : *host && !is_ipv4(host))
		return NULL;
	return arena_strdup(context->arena, text);
}

/* ---- URLs ---------------------------------------------------------------- */

/* The host of a URL that begins with `scheme`; NULL when the text is no such URL. */
static const char *url_host(const struct value_context *context, const char *text,
			    const char *scheme, const char **ret_why)
{
	const char *authority = text + strlen(scheme), *host, *port = NULL;
	size_t n = strcspn(authority, "/?#"), end;
	bool bracketed;

	if (strlen(text) > 2048 || !str_starts(text, scheme) || strpbrk(text, " \"<>\\"))
		return NULL;
	authority = arena_strndup(context->arena, authority, n);
	if (strchr(authority, '@')) {
		*ret_why = "has a user name or password in it: URLs are logged, leave it "
			   "out";
		return NULL;
	}
	end = authority[0] == '[' ? strcspn(authority, "]") : strcspn(authority, ":");
	port = strchr(authority + end, ':');
	if (!port) /* any, so that split() can judge the rest */
		authority = arena_printf(context->arena, "%s:443", authority);
	if (!split(context->arena, authority, &host, &bracketed) || !*host)
		return NULL;
	if (bracketed ? !is_ipv6(host) : !is_host_name(lower(context->arena, host)))
		return NULL;
	return host;
}

const char *address_https(const struct value_context *context, const char *text,
			  const char **ret_why)
{
	if (!url_host(context, text, "https://", ret_why))
		return NULL;
	return arena_strdup(context->arena, text);
}

static bool is_loopback(const char *host)
{
	return str_equal_nocase(host, "localhost") || str_equal(host, "::1") ||
	       (is_ipv4(host) && str_starts(host, "127."));
}

/* http:// stays on this machine; NULL, and no reason, for any other URL. */
static const char *local_http(const struct value_context *context, const char *text,
			      const char *refusal, const char **ret_why)
{
	const char *host = url_host(context, text, "http://", ret_why);

	if (host && is_loopback(host))
		return arena_strdup(context->arena, text);
	if (host)
		*ret_why = refusal;
	return NULL;
}

const char *address_webhook(const struct value_context *context, const char *text,
			    const char **ret_why)
{
	const char *url = local_http(
		context, text,
		"would send alerts in the clear: only https:// leaves this machine",
		ret_why);

	return url ? url : address_https(context, text, ret_why);
}

const char *address_service(const struct value_context *context, const char *text,
			    const char **ret_why)
{
	const char *url = local_http(
		context, text,
		"would be asked in the clear: only https:// leaves this machine",
		ret_why);

	return url ? url : address_https(context, text, ret_why);
}

const char *address_proxy(const struct value_context *context, const char *text,
			  const char **ret_why)
{
	if (!url_host(context, text, "http://", ret_why) &&
	    !url_host(context, text, "https://", ret_why))
		return NULL;
	return arena_strdup(context->arena, text);
}

const char *address_contact(const struct value_context *context, const char *text,
			    const char **ret_why)
{
	const char *at = strchr(text, '@');

	(void)ret_why;
	if (!str_starts(text, "mailto:") || !at || at == text + strlen("mailto:") ||
	    !at[1] || strpbrk(text, " ,<>?") || !is_ascii(text))
		return NULL;
	return arena_strdup(context->arena, text);
}

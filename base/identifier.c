#include "base/identifier.h"

#include <stdio.h>
#include <string.h>

#include <uv.h> /* inet_pton() of every system */

#include "base/str.h"

static bool is_ipv4(const char *text, unsigned char out[4])
{
	return uv_inet_pton(AF_INET, text, out) == 0;
}

/* uv_inet_pton() takes a zone ("%eth0") off; no certificate has one. */
static bool is_ipv6(const char *text, unsigned char out[16])
{
	return !strchr(text, '%') && uv_inet_pton(AF_INET6, text, out) == 0;
}

enum identifier_kind identifier_kind(const char *text)
{
	unsigned char bytes[IDENTIFIER_IP_MAX];

	if (is_ipv4(text, bytes))
		return IDENTIFIER_IPV4;
	if (is_ipv6(text, bytes))
		return IDENTIFIER_IPV6;
	return str_starts(text, "*.") ? IDENTIFIER_WILDCARD : IDENTIFIER_DNS;
}

bool identifier_is_ip(const char *text)
{
	unsigned char bytes[IDENTIFIER_IP_MAX];

	return identifier_ip_bytes(text, bytes) > 0;
}

size_t identifier_ip_bytes(const char *text, unsigned char out[IDENTIFIER_IP_MAX])
{
	if (is_ipv4(text, out))
		return 4;
	return is_ipv6(text, out) ? 16 : 0;
}

int identifier_ip_text(const char *text, char out[IDENTIFIER_TEXT_MAX])
{
	unsigned char bytes[IDENTIFIER_IP_MAX];
	size_t n = identifier_ip_bytes(text, bytes);

	return identifier_ip_from_bytes(bytes, n, out);
}

int identifier_ip_from_bytes(const unsigned char *bytes, size_t n,
			     char out[IDENTIFIER_TEXT_MAX])
{
	if (n != 4 && n != 16)
		return -1;
	return uv_inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, out, IDENTIFIER_TEXT_MAX)
		       ? -1
		       : 0;
}

bool identifier_equal(const char *a, const char *b)
{
	unsigned char left[IDENTIFIER_IP_MAX], right[IDENTIFIER_IP_MAX];
	size_t n = identifier_ip_bytes(a, left);

	if (n)
		return identifier_ip_bytes(b, right) == n && !memcmp(left, right, n);
	return str_equal_nocase(a, b);
}

int identifier_ip_reverse(const char *text, char out[IDENTIFIER_TEXT_MAX])
{
	unsigned char bytes[IDENTIFIER_IP_MAX];
	size_t n = identifier_ip_bytes(text, bytes), at = 0;

	if (!n)
		return -1;
	for (size_t i = n; i-- > 0;) {
		unsigned byte = bytes[i];

		at += (size_t)(n == 4 ? snprintf(out + at, IDENTIFIER_TEXT_MAX - at,
						 "%u.", byte)
				      : snprintf(out + at, IDENTIFIER_TEXT_MAX - at,
						 "%x.%x.", byte & 15U, byte >> 4));
	}
	snprintf(out + at, IDENTIFIER_TEXT_MAX - at, "%s.arpa",
		 n == 4 ? "in-addr" : "ip6");
	return 0;
}

const char *identifier_base(const char *text)
{
	return str_starts(text, "*.") ? text + 2 : text;
}

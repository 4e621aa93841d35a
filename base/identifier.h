/* identifier.h - what a certificate is for: a DNS name, a wildcard, an IP address, as one
 * text. "a.example" (A-labels, lower case), "*.a.example", "192.0.2.7", "2001:db8::1"
 * (RFC 5952). Pure. */
#ifndef BASE_IDENTIFIER_H
#define BASE_IDENTIFIER_H

#include <stdbool.h>
#include <stddef.h>

#define IDENTIFIER_IP_MAX 16
#define IDENTIFIER_TEXT_MAX 256

enum identifier_kind {
	IDENTIFIER_DNS,
	IDENTIFIER_WILDCARD,
	IDENTIFIER_IPV4,
	IDENTIFIER_IPV6,
};

/* What is it, by its looks? Whatever is no address and begins with no "*." is a name. */
enum identifier_kind identifier_kind(const char *text);
bool identifier_is_ip(const char *text);

/* The bytes of an IP address in network order, 4 or 16 of them; 0 when it is none. */
size_t identifier_ip_bytes(const char *text, unsigned char out[IDENTIFIER_IP_MAX]);

/* The one spelling of an IP address (RFC 5952). -1 when it is none. */
int identifier_ip_text(const char *text, char out[IDENTIFIER_TEXT_MAX]);

/* The same of its bytes in network order. -1 unless they are 4 or 16. */
int identifier_ip_from_bytes(const unsigned char *bytes, size_t n,
			     char out[IDENTIFIER_TEXT_MAX]);

/* Do they mean the same: addresses in any spelling, names in any case? */
bool identifier_equal(const char *a, const char *b);

/* What a TLS client says as server name to prove an IP address (RFC 8738 6):
 * "7.2.0.192.in-addr.arpa". -1 when it is none. */
int identifier_ip_reverse(const char *text, char out[IDENTIFIER_TEXT_MAX]);

/* The name without "*.": where its DNS records are. Borrowed from `text`. */
const char *identifier_base(const char *text);

#endif

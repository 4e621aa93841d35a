/* addresses.h - host names, host:port and URLs, as an operator writes them, made into
 * what goes over the wire. Pure but for memory: no name is ever resolved. */
#ifndef CONFIG_ADDRESSES_H
#define CONFIG_ADDRESSES_H

#include "config/values.h"

/* A host to order a certificate for: lower-case A-labels. Refused with the reason: IP
 * addresses, wildcards (http-01 cannot prove them, RFC 8555 8.3), trailing dots, more
 * than 63 characters in a label or 253 in all. */
value_converter address_host;

/* "127.0.0.1:443", "[::1]:443", "name:443". */
value_converter address_endpoint;

/* ":80", "127.0.0.1:8080", "[::1]:8080": no names, a listener cannot be "somewhere". */
value_converter address_listen;

/* https:// with a host, without user name and password. */
value_converter address_https;

/* https://, or http:// to this machine. */
value_converter address_webhook;

/* http:// or https:// with a host, of a proxy. */
value_converter address_proxy;

/* "mailto:ops@example.com". */
value_converter address_contact;

#endif

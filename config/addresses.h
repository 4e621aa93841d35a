/* addresses.h - host names, host:port and URLs, as an operator writes them, made into
 * what goes over the wire. Pure but for memory: no name is ever resolved. */
#ifndef CONFIG_ADDRESSES_H
#define CONFIG_ADDRESSES_H

#include "config/values.h"

/* A host name: lower-case A-labels. Refused with the reason: IP addresses, wildcards,
 * trailing dots, more than 63 characters in a label or 253 in all. */
value_converter address_host;

/* What a certificate is for (base/identifier.h): a host name, a wildcard for one label
 * below at least two, or an IP address in its one spelling. */
value_converter address_identifier;

/* A name in the DNS, where '_' is allowed: lower case, without the dot at its end. */
value_converter address_dns_name;

/* "ns1.example.com" becomes "ns1.example.com:53", "::1" becomes "[::1]:53". */
value_converter address_dns_server;

/* The same for IP addresses alone; or an https:// URL (RFC 8484). */
value_converter address_resolver;

/* "127.0.0.1:443", "[::1]:443", "name:443". */
value_converter address_endpoint;

/* ":80", "127.0.0.1:8080", "[::1]:8080": no names, a listener cannot be "somewhere". */
value_converter address_listen;

/* https:// with a host, without user name and password. */
value_converter address_https;

/* https://, or http:// to this machine. */
value_converter address_webhook, address_service;

/* http:// or https:// with a host, of a proxy. */
value_converter address_proxy;

/* "mailto:ops@example.com". */
value_converter address_contact;

#endif

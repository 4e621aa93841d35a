/* challenge.h - the vocabulary of proving control of a name, as plain facts: what the
 * operator says about a challenge and about who answers DNS for him.
 *
 * As in target.h: config/ fills the structs, hooks/ acts on them, daemon/ hands them
 * over; no functions. Owned by the arena of the configuration and const after load.
 */
#ifndef BASE_CHALLENGE_H
#define BASE_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "base/target.h"

enum dns_provider_type {
	DNS_RFC2136,    /* dynamic update of a server of ours, signed by TSIG */
	DNS_ACME_DNS,   /* an acme-dns server, to which _acme-challenge is delegated */
	DNS_HTTPREQ,    /* POST to a web service of ours, in lego's form */
	DNS_EXEC,       /* a program, in lego's form */
	DNS_ACME_SH,    /* a script dns_*.sh of acme.sh (POSIX) */
	DNS_CLOUDFLARE, /* Cloudflare's API */
	DNS_ROUTE53,    /* Amazon Route 53 */
};

enum tsig_algorithm { TSIG_HMAC_SHA256, TSIG_HMAC_SHA512 };

struct environment_value { /* of a program: NAME=value */
	const char *name;
	const char *value;    /* NULL: it is a secret */
	struct secret secret; /* bytes NULL: it is a value */
};

struct dns_provider {
	const char *name; /* of the operator's choice */
	enum dns_provider_type type;
	int64_t ttl_s;         /* of the record */
	int64_t timeout_s;     /* of one request or one run */
	int64_t propagation_s; /* how long the record is looked for at the zone's own
				  servers before the CA is told; 0: not looked for */
	const char *ca_bundle, *proxy; /* of those that are asked by https; NULL: none */
	const char *url;  /* acme-dns, httpreq: where; cloudflare, route53: instead of the
			     public one; NULL: not given */
	const char *zone; /* rfc2136, cloudflare, route53: the zone that the record is in;
			     NULL: found by asking */

	/* DNS_RFC2136 */
	const char *server;   /* "ns.example.com:53", "127.0.0.1:5353" */
	const char *tsig_key; /* its name; NULL: updates are not signed */
	enum tsig_algorithm tsig_algorithm;
	struct secret tsig_secret; /* base64, as tsig-keygen prints it */

	/* DNS_ACME_DNS, DNS_HTTPREQ */
	const char *username; /* NULL: none; acme-dns: accounts are kept in `accounts` */
	struct secret password; /* bytes NULL: none */
	const char *subdomain;  /* DNS_ACME_DNS with a username */
	const char *accounts;   /* DNS_ACME_DNS without one: a file of ours, in the form
				   of lego and acme-dns-client; who is missing there is
				   registered. DNS_ACME_SH: what the script saved */

	/* DNS_HTTPREQ, DNS_EXEC */
	bool raw; /* hand over domain, token and key authorization instead of the record
		   */

	/* DNS_EXEC, DNS_ACME_SH */
	struct program program; /* DNS_ACME_SH: argv[0] is the script */
	const struct environment_value *environment;
	size_t n_environment;

	/* DNS_CLOUDFLARE */
	struct secret token; /* with the rights Zone.Zone:Read and Zone.DNS:Edit */

	/* DNS_ROUTE53 */
	const char *access_key_id;
	struct secret secret_access_key, session_token; /* token: bytes NULL: none */
	const char *region;
};

enum challenge_type { HTTP_01, DNS_01, TLS_ALPN_01, DNS_PERSIST_01 };

struct challenge { /* one way to prove control; several are tried in their order */
	enum challenge_type type;
	const char *listen;  /* HTTP_01, TLS_ALPN_01: where we answer; NULL: by webroot */
	const char *webroot; /* HTTP_01 by files below this folder */
	const struct dns_provider *provider; /* DNS_01 */
	const char *alias; /* DNS_01: put the record here, where _acme-challenge's CNAME
			      leads; NULL: found by following it */
};

#endif

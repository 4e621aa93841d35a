/* authorization.h - the authorization object (RFC 8555 7.1.4), with the one challenge of
 * it that we answer: of the first solver whose type the CA offers and that can prove the
 * identifier. */
#ifndef ACME_AUTHORIZATION_H
#define ACME_AUTHORIZATION_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "acme/order.h"
#include "acme/solver.h"
#include "base/err.h"

struct authorization {
	char *url, *identifier; /* as ordered: "*.a.example" of a wildcard */
	enum acme_status status;
	const struct acme_solver *solver; /* borrowed; NULL: the CA offers nothing that
					     one of ours can answer */
	char *challenge_url, *token;      /* token: NULL for dns-persist-01 */
	struct strlist issuer_domains; /* dns-persist-01: the CA's names, any will do */
	char *account_uri; /* dns-persist-01: whose record the CA looks for; NULL: not
			    * said
			    */
	enum acme_status challenge_status;
	char *offered; /* the types that are, for sentences: "dns-01, tls-alpn-01" */
	struct err
		failure; /* what the CA says of a failed challenge; ERR_NONE: nothing */
	char *key_authorization;
	char *dns_value; /* dns-01; NULL else */
	bool presented;  /* the solver's present() was called */
};

struct solvers { /* borrowed, in order of preference */
	const struct acme_solver *items;
	size_t n;
};

/* Parses an authorization object. Fills *ret, whose url stays NULL;
 * authorization_release(). ERR_REFUSED when the identifier is missing, or what the chosen
 * challenge consists of is not fit for use. */
int authorization_parse(const cJSON *json, struct solvers solvers,
			struct authorization *ret, struct err *err);
void authorization_release(struct authorization *authorization);

/* RFC 8555 8.3: base64url alphabet only, 1 to 256 characters; it may become a file name.
 */
bool token_is_usable(const char *token);

#endif

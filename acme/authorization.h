/* authorization.h - the authorization object (RFC 8555 7.1.4), with the one challenge of
 * it that we answer. */
#ifndef ACME_AUTHORIZATION_H
#define ACME_AUTHORIZATION_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "acme/order.h"
#include "base/err.h"

struct authorization {
	char *url, *identifier;
	enum acme_status status;
	char *challenge_url, *token; /* NULL: no challenge of the type is offered */
	enum acme_status challenge_status;
	char *offered; /* the types that are, for sentences: "dns-01, tls-alpn-01" */
	struct err
		failure; /* what the CA says of a failed challenge; ERR_NONE: nothing */
	char *key_authorization;
	bool presented; /* the solver's present() was called */
};

/* Parses an authorization object, taking the challenge of type `type`. Fills *ret, whose
 * url stays NULL; authorization_release(). ERR_REFUSED when the identifier is missing, or
 * the challenge's URL or token is not fit for use. */
int authorization_parse(const cJSON *json, const char *type, struct authorization *ret,
			struct err *err);
void authorization_release(struct authorization *authorization);

/* RFC 8555 8.3: base64url alphabet only, 1 to 256 characters; it may become a file name.
 */
bool token_is_usable(const char *token);

#endif

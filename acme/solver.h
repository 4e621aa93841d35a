/* solver.h - how a challenge is answered, as acme/ sees it. daemon/ supplies them from
 * hooks/: one for each way that the operator allows, in order of preference. */
#ifndef ACME_SOLVER_H
#define ACME_SOLVER_H

#include <stdbool.h>

#include "base/err.h"

struct acme_challenge {         /* borrowed for the call */
	const char *type;       /* "http-01", "dns-01", "tls-alpn-01", "dns-persist-01" */
	const char *identifier; /* as ordered: "*.a.example", "192.0.2.7" */
	const char *token; /* checked: base64url alphabet only, 1..256 characters; NULL
			      for dns-persist-01 */
	const char *key_authorization; /* RFC 8555 8.1; NULL for dns-persist-01 */
	const char *dns_value;   /* dns-01: the TXT record's text, base64url(SHA-256(key
				    authorization)) */
	const char *account_url; /* dns-persist-01: what must be published ... */
	const char *const *issuer_domains; /* ... with one of these; NULL-terminated */
};

struct acme_solver {
	void *ctx;
	const char *type; /* the challenge type it can answer */
	/* Can it prove this identifier at all (a wildcard, an address)? NULL: any. */
	bool (*suits)(void *ctx, const char *identifier);
	/* Makes the answer visible to the CA before returning. */
	int (*present)(void *ctx, const struct acme_challenge *challenge,
		       struct err *err);
	/* All answers of the order are presented, the CA has not been told yet: waits
	 * until they can be seen from outside. NULL: nothing to wait for. A failure here
	 * is for the solver to tell as a warning; only ERR_CANCELLED stops the order. */
	int (*settle)(void *ctx, struct err *err);
	/* Takes it away again: called once for every present() that was called,
	 * successful or not, when the order is ready or has failed. */
	void (*cleanup)(void *ctx, const struct acme_challenge *challenge);
};

#endif

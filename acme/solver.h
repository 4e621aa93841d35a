/* solver.h - how a challenge is answered, as acme/ sees it. daemon/ supplies one from
 * hooks/ (http-01 by our responder or by a webroot). */
#ifndef ACME_SOLVER_H
#define ACME_SOLVER_H

#include "base/err.h"

struct acme_challenge {         /* borrowed for the call */
	const char *type;       /* "http-01" */
	const char *identifier; /* the name being proven */
	const char *token;      /* checked: base64url alphabet only, 1..256 characters */
	const char *key_authorization; /* RFC 8555 8.1 */
};

struct acme_solver {
	void *ctx;
	const char *type; /* the challenge type it can answer */
	/* Makes the answer visible to the CA before returning. */
	int (*present)(void *ctx, const struct acme_challenge *challenge,
		       struct err *err);
	/* Takes it away again: called once for every present() that was called,
	 * successful or not, when the order is ready or has failed. */
	void (*cleanup)(void *ctx, const struct acme_challenge *challenge);
};

#endif

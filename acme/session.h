/* session.h - one kept connection to one CA: directory, nonces, signed requests.
 *
 * Below the account: session_exchange() signs as it is told and hands back whatever
 * answer came. Requests in the account's name go through account.h. */
#ifndef ACME_SESSION_H
#define ACME_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "acme/acme.h"
#include "acme/nonces.h"
#include "base/cancel.h"
#include "base/http_client.h"

struct acme_session {
	const struct acme_issuer *issuer; /* borrowed until freed */
	const struct cancel *cancel;
	EVP_PKEY *key;
	char *account_url; /* NULL: not known */
	struct http_client *client;
	struct nonces nonces;
	struct acme_directory directory;
	bool have_directory, directory_is_old; /* old: what it named is not there */
	int64_t directory_read_ms;             /* monotonic */
	bool answered;                         /* did the last request get any answer? */
	bool standing_checked; /* the CA was asked whether the account has ended */
};

struct session_request {
	const char *url;
	const char *payload;   /* JSON; "" is POST-as-GET */
	const char *accept;    /* NULL: anything */
	bool with_jwk;         /* identify by the key, not by the account's URL */
	EVP_PKEY *sign_with;   /* borrowed; NULL: the account's key */
	bool existing_account; /* account.h: never register one for this */
};

/* One signed POST, with a nonce of the pool or a new one; badNonce is answered with the
 * nonce of that error, 10 tries in all. Fills *ret whatever the status is; the caller
 * releases it. Fails when no answer came or every nonce was refused. */
int session_exchange(struct acme_session *session, const struct session_request *request,
		     struct http_response *ret, struct err *err);

/* One unsigned GET. Fills *ret whatever the status is; the caller releases it. */
int session_get(struct acme_session *session, const char *url, int max_redirects,
		struct http_response *ret, struct err *err);

/* The directory as read_directory() keeps it, to be read anew: what it named is gone. */
void session_forget_directory(struct acme_session *session);

#endif

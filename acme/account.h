/* account.h - requests in the account's name (RFC 8555 6.2: `kid`). */
#ifndef ACME_ACCOUNT_H
#define ACME_ACCOUNT_H

#include "acme/session.h"

/* session_exchange() as the account. An account that is not known yet is looked up or
 * registered first; one that the CA does not know any more is registered again, once.
 * With
 * request->existing_account none is registered: ERR_NOT_FOUND. An account that has ended
 * at the CA is ERR_CONFIG in words. Fills *ret whatever the status is; the caller
 * releases it. */
int account_exchange(struct acme_session *session, const struct session_request *request,
		     struct http_response *ret, struct err *err);

/* The same with payload `payload` ("" fetches), for answers that must be 2xx: fills *ret,
 * or fails in the CA's own words. */
int account_post(struct acme_session *session, const char *url, const char *payload,
		 struct http_response *ret, struct err *err);

#endif

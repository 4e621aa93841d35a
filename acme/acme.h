/* acme.h - how a certificate is obtained: RFC 8555 as a client speaks it.
 *
 * Blocking, cancellable, straight down; knows no files of ours and no policy. Whatever
 * must be on disk before a request goes out is handed to the caller through
 * `struct acme_record` first, so that the order of persistence is decided in one place
 * (daemon/pipeline.c) and visible here.
 *
 *     acme_session_new(&issuer, account_key, account_url, cancel, &session, &err)
 *     acme_register(session, &account_url, &err)           once; or it is known
 *     acme_obtain(session, &request, &chain, &err)         per certificate
 *     acme_session_free(session)
 *
 * A session is one kept connection to one CA with its nonces; it belongs to one worker.
 */
#ifndef ACME_ACME_H
#define ACME_ACME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "acme/directory.h"
#include "acme/solver.h"
#include "base/buf.h"
#include "base/cert.h"
#include "base/err.h"

struct cancel;
struct acme_session;

enum acme_eab_algorithm { ACME_EAB_HS256, ACME_EAB_HS384, ACME_EAB_HS512 };

struct acme_issuer { /* borrowed strings; must outlive the session */
	const char *directory_url;
	const char *ca_bundle, *proxy; /* NULL: none */
	const char *const *contact;    /* NULL-terminated; NULL or empty: none sent */
	bool agree_to_terms;
	const char *eab_key_id;   /* NULL: no external account binding */
	const char *eab_hmac_key; /* as the CA handed it out: base64 or base64url */
	enum acme_eab_algorithm eab_algorithm;
	int64_t request_timeout_s, order_timeout_s;
};

/* Gives *ret_session; no request is sent yet. Borrows `issuer` until freed, takes a
 * reference of `account_key` (EC P-256: ES256, RSA: RS256), copies `account_url` (NULL
 * when it is not known yet), keeps `cancel`. */
int acme_session_new(const struct acme_issuer *issuer, EVP_PKEY *account_key,
		     const char *account_url, const struct cancel *cancel,
		     struct acme_session **ret_session, struct err *err);
void acme_session_free(struct acme_session *session); /* NULL is fine */

/* The directory, fetched on first use and kept for a day (RFC 8555 7.1.1). Borrowed until
 * the next call on the session. */
int acme_session_directory(struct acme_session *session,
			   const struct acme_directory **ret_directory, struct err *err);

/* Ensures an account for the session's key (RFC 8555 7.3): asks with onlyReturnExisting
 * first, then registers with terms and EAB. Gives *ret_url (free()).
 * ERR_CONFIG when terms must be agreed to or an EAB is required, in words that say which
 * key of the configuration does it. */
int acme_register(struct acme_session *session, char **ret_url, struct err *err);

/* The account's URL as the session knows it now: it changes when the CA had lost the
 * account and the session registered again. NULL before acme_register(). Borrowed. */
const char *acme_session_account_url(const struct acme_session *session);

struct acme_account_facts {
	char status[32];                  /* "valid", "deactivated", "revoked" */
	char *url, *contact, *orders_url; /* contact: joined by ", "; NULL when absent */
};
/* What the CA says about the account. Gives the strings; acme_account_facts_clear(). */
int acme_account_read(struct acme_session *session, struct acme_account_facts *ret,
		      struct err *err);
void acme_account_facts_clear(struct acme_account_facts *facts);

/* What the caller must make durable, and what it may show. Each int function is called
 * before the request that depends on it; when it fails the order stops there. */
struct acme_record {
	void *ctx;
	/* newOrder was answered: this URL resumes it. */
	int (*order_created)(void *ctx, const char *order_url, struct err *err);
	/* finalize goes out next: count a certificate as issued. */
	int (*before_finalize)(void *ctx, struct err *err);
	/* Something to show: "order", "authorize", "challenge", "finalize", "download"
	 * with a detail for people. May be NULL. */
	void (*progress)(void *ctx, const char *stage, const char *detail);
};

struct acme_request {
	const char *const *names; /* DNS names, A-labels, NULL-terminated */
	const char *order_url;    /* resume this order instead of making one; NULL: new */
	const char *replaces;     /* RFC 9773 5: certID of the predecessor; NULL: none */
	EVP_PKEY *key;            /* the leaf's key, already durable */
	bool common_name; /* first name that fits 64 characters into the subject */
	struct acme_solver solver;
	struct acme_record record;
};

/* One order from start to certificate. Resuming: an order that is gone, expired or
 * invalid at the CA is given up and a new one is made (order_created tells); one that is
 * already valid is only downloaded (then `key` must be the key it was finalized with: a
 * certificate for another key is ERR_REFUSED "... is for another key").
 * Gives   *ret_pem in the initialised buffer `pem`: the PEM chain as the CA sent it, at
 *         most CERT_MAX_CHAIN certificates; that it fits key and names is for
 *         daemon/accept.h to judge.
 * Fails   ERR_REFUSED  the CA's problem, with its subproblems, in its own words
 *         ERR_TRANSIENT  with retry_after_s when the CA gave one
 *         ERR_CONFIG, ERR_CANCELLED. Authorizations that this run left pending are
 *         deactivated (not when cancelled: then the order is resumed later). */
int acme_obtain(struct acme_session *session, const struct acme_request *request,
		struct buf *pem, struct err *err);

struct acme_renewal_info {         /* RFC 9773 4.2 */
	int64_t start_at, end_at;  /* start < end */
	int64_t retry_after_s;     /* clamped to 1 min .. 1 day; 6 h when not given */
	char explanation_url[512]; /* "" without one */
};
/* Asks the CA when to renew (RFC 9773 4.1). ERR_NOT_FOUND when the CA has no renewalInfo.
 * Any failure is advice missing, never a reason not to renew. */
int acme_renewal_info(struct acme_session *session, const char *cert_id,
		      struct acme_renewal_info *ret, struct err *err);

/* The newest Date header and the monotonic time of its arrival; false without any. */
bool acme_session_date(const struct acme_session *session, int64_t *ret_date,
		       int64_t *ret_mono_ms);

/* Requests sent and connections opened so far. */
void acme_session_counts(const struct acme_session *session, unsigned long *ret_requests,
			 unsigned long *ret_connections);

#endif

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
#include "base/str.h"

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
	/* newOrder goes out next, with `replaces` or without. Once for each: an order
	 * that was to be resumed may have to be made anew. May be NULL. */
	int (*before_order)(void *ctx, bool replaces, struct err *err);
	/* newOrder was answered: this URL resumes it. */
	int (*order_created)(void *ctx, const char *order_url, struct err *err);
	/* finalize goes out next: count a certificate as issued. */
	int (*before_finalize)(void *ctx, struct err *err);
	/* Something to show: "order", "authorize", "challenge", "finalize", "download"
	 * with a detail for people. May be NULL. */
	void (*progress)(void *ctx, const char *stage, const char *detail);
};

struct acme_request {
	const char *const *names; /* base/identifier.h: names in A-labels, wildcards, IP
				     addresses; NULL-terminated */
	const char *order_url;    /* resume this order instead of making one; NULL: new */
	const char *replaces;     /* RFC 9773 5: certID of the predecessor; NULL: none */
	EVP_PKEY *key; /* the leaf's key, already durable; with `csr` its public
			  part is enough */
	const char
		*csr; /* a finished request, base64url of its DER; NULL: made of `key` */
	bool common_name;    /* first name that fits 64 characters into the subject */
	const char *profile; /* sent only where the directory advertises it; NULL: none */
	bool profile_required; /* ERR_CONFIG with the advertised ones when it is not */
	int64_t not_before, not_after; /* RFC 8555 7.4; 0: not sent. A CA that refuses the
					  order with them is asked once more without */
	const char *chain; /* the chain that has this common name among its issuers, or
			      whose last certificate was issued by it; NULL: the CA's
			      default, and that is taken when no chain has it */
	const struct acme_solver *solvers; /* in order of preference: each identifier is
					      proven by the first that the CA offers and
					      that suits it */
	size_t n_solvers;
	struct acme_record record;
};

struct acme_result { /* what became known on the way, whether it succeeded or not */
	/* the PEM chain as the CA sent it; at most CERT_MAX_CHAIN */
	struct buf pem;
	/* identifiers whose challenge failed at the CA: another type may succeed */
	struct strlist challenged;
	/* The issuer names at the top of each chain that was looked at, the one that was
	 * taken first; others than the CA's default only where `chain` asks for one. */
	struct strlist chains;
	/* what was asked for and not had, a sentence each: a profile, dates, `replaces`,
	 * a chain */
	struct strlist notes;
};
/* An empty one; acme_result_clear() releases. */
void acme_result_init(struct acme_result *result);
void acme_result_clear(struct acme_result *result);

/* One order from start to certificate. Resuming: an order that is gone, expired or
 * invalid at the CA is given up and a new one is made (order_created tells); one that is
 * already valid is only downloaded (then `key` must be the key it was finalized with: a
 * certificate for another key is ERR_REFUSED "... is for another key").
 * Gives   result->pem, and fills the rest of the initialised `result` also when it
 *         fails; that the chain fits key and names is for daemon/accept.h to judge.
 *         At most 3 newOrder requests.
 * Fails   ERR_REFUSED  the CA's problem, with its subproblems, in its own words
 *         ERR_TRANSIENT  with retry_after_s when the CA gave one
 *         ERR_CONFIG, ERR_CANCELLED. Where the CA refused, authorizations that this
 *         run left pending are deactivated; else the order is resumed later. */
int acme_obtain(struct acme_session *session, const struct acme_request *request,
		struct acme_result *result, struct err *err);

/* ---- the account, and certificates that must go --------------------------- */

/* Does the CA know an account with the session's key (RFC 8555 7.3.1)? Makes none. Sets
 * *ret_found; where it is true acme_session_account_url() tells its URL. */
int acme_account_find(struct acme_session *session, bool *ret_found, struct err *err);

/* Replaces the account's contacts (RFC 8555 7.3.2); an empty list removes them. Like the
 * two below: ERR_NOT_FOUND when the CA knows no account with the session's key. */
int acme_account_set_contact(struct acme_session *session, const char *const *contact,
			     struct err *err);

/* Changes the account's key (RFC 8555 7.3.5). `new_key` must be durable beside the old
 * one before. On success the session signs with it. ERR_TRANSIENT: it is not known which
 * key counts now; acme_account_find() with a session of the new key tells. */
int acme_account_change_key(struct acme_session *session, EVP_PKEY *new_key,
			    struct err *err);

/* Ends the account for good (RFC 8555 7.3.6). */
int acme_account_deactivate(struct acme_session *session, struct err *err);

enum acme_revocation { /* RFC 5280 5.3.1, as far as subscribers may say it */
		       REVOKE_UNSPECIFIED = 0,
		       REVOKE_KEY_COMPROMISE = 1,
		       REVOKE_AFFILIATION_CHANGED = 3,
		       REVOKE_SUPERSEDED = 4,
		       REVOKE_CESSATION_OF_OPERATION = 5,
};
/* Revokes the leaf (RFC 8555 7.6), signed by the account, or with `certificate_key` by
 * that. One that is revoked already (alreadyRevoked) is a success. */
int acme_revoke(struct acme_session *session, const struct cert *cert,
		enum acme_revocation reason, EVP_PKEY *certificate_key, struct err *err);

/* The self-signed certificate that answers tls-alpn-01 (RFC 8737 3): the identifier alone
 * as its name, the digest in the critical acmeIdentifier extension. `key` signs. Gives
 * *ret_cert (X509_free). */
int acme_tls_alpn_certificate(const char *identifier, const char *key_authorization,
			      EVP_PKEY *key, X509 **ret_cert, struct err *err);

/* The TXT record of dns-persist-01 for _validation-persist.<name>: "<issuer domain>;
 * accounturi=<url>[; policy=wildcard][; persistUntil=<unix>]". persist_until 0: without.
 * Gives. */
char *acme_persist_record(const char *issuer_domain, const char *account_url,
			  bool wildcard, int64_t persist_until);
/* Does `text` allow this account at one of these issuer domains? Sets *ret_until, when it
 * ends (CLOCK_NEVER: not said), and *ret_wildcard. */
bool acme_persist_matches(const char *text, const char *const *issuer_domains,
			  const char *account_url, int64_t *ret_until,
			  bool *ret_wildcard);

struct acme_renewal_info {         /* RFC 9773 4.2 */
	int64_t start_at, end_at;  /* start < end */
	int64_t retry_after_s;     /* clamped to 1 min .. 1 day; 6 h when not given */
	char explanation_url[512]; /* "" without one */
};
/* Asks the CA when to renew (RFC 9773 4.1); where nothing is at that address any more
 * the directory is read anew. Any failure is advice missing, never a reason not to renew:
 *   ERR_NOT_FOUND  the CA has no renewalInfo, or the certificate no identifier
 *   ERR_TRANSIENT  passing (RFC 9773 4.3.3: 5xx, 429, no answer): ask again after pauses
 *                  that grow, not before err->retry_after_s
 *   anything else  lasting (4xx, an object that is none): ask again after 6 hours */
int acme_renewal_info(struct acme_session *session, const char *cert_id,
		      struct acme_renewal_info *ret, struct err *err);

/* The newest Date header and the monotonic time of its arrival; false without any. */
bool acme_session_date(const struct acme_session *session, int64_t *ret_date,
		       int64_t *ret_mono_ms);

/* Requests sent and connections opened so far. */
void acme_session_counts(const struct acme_session *session, unsigned long *ret_requests,
			 unsigned long *ret_connections);

#endif

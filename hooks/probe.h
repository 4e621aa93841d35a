/* probe.h - what an endpoint really serves: the proof that a deployment stands on.
 *
 * A TLS handshake without trusting anything (the question is *which* certificate is
 * served, not whether we like it); the application gets no byte beyond the handshake. */
#ifndef HOOKS_PROBE_H
#define HOOKS_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cert.h"
#include "base/err.h"
#include "base/target.h"

struct cancel;

enum probe_kind {
	PROBE_NOTHING, /* refused, timed out, unresolvable, or it hung up */
	PROBE_PLAIN,   /* something listens and does not speak TLS (plain HTTP) */
	PROBE_TLS,     /* it presented a certificate */
};

struct probe_result {
	enum probe_kind kind;
	char sha1[CERT_SHA1_HEX], sha256[CERT_SHA256_HEX]; /* PROBE_TLS */
	int64_t not_before, not_after;                     /* PROBE_TLS */
	bool chain_complete; /* what it sent links up to its root, or all but the root */
	char issuers[512];   /* PROBE_TLS: who issued the leaf and what was sent above it,
				by common name, up to the top: "R10 < ISRG Root X1" */
	char detail[256];    /* for people: why nothing, or issuer of what was seen */
};

const char *probe_kind_name(enum probe_kind kind); /* "nothing", "plain", "tls" */

/* Is `name` one of those in `issuers`? Exact. And the last of them, borrowed. */
bool probe_issuers_have(const char *issuers, const char *name);
const char *probe_issuers_top(const char *issuers);

/* Asks one endpoint once, within timeout_s (connect and handshake together); every
 * address of a name is tried. Cannot fail: *ret says what was seen. A server that asks
 * for a client certificate has shown its own by then: PROBE_TLS. */
void probe_endpoint(const struct endpoint *endpoint, int64_t timeout_s,
		    const struct cancel *cancel, struct probe_result *ret);

/* Does plain HTTP answer at "host:port" (any status, 401 included)? ERR_TRANSIENT with
 * what was seen instead. */
int probe_http(const char *connect, int64_t timeout_s, const struct cancel *cancel,
	       struct err *err);

/* Waits until three handshakes in a row on every endpoint show the leaf `sha256`, at most
 * timeout_s altogether. `baseline` (n results, or NULL): an incomplete chain fails when
 * endpoint.chain_required or when the baseline's was complete.
 * ERR_TRANSIENT names the endpoint, what it shows and what was expected:
 * "127.0.0.1:1338 still serves B4C9... (expires 2026-11-23 03:31 UTC), not 77AF...". */
int probe_verify(const struct endpoint *endpoints, size_t n, const struct cert *cert,
		 const struct probe_result *baseline, int64_t timeout_s,
		 const struct cancel *cancel, struct err *err);

#endif

/* probe_parts.h - what the probe's own files share: deadlines, connections, and a look at
 * an endpoint with everything that it sent. dns/exchange.c borrows the connections;
 * everybody else uses hooks/probe.h.
 *
 * Sockets are OpenSSL's, because those are the same on every system. They never block: a
 * wait is a slice of at most a second, after which cancel and deadline are looked at. */
#ifndef HOOKS_PROBE_PARTS_H
#define HOOKS_PROBE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/x509.h>

#include "base/cert.h"
#include "base/err.h"
#include "base/target.h"
#include "hooks/probe.h"

struct cancel;

struct probe_deadline {
	int64_t at_ms; /* monotonic */
	const struct cancel *cancel;
};

/* `timeout_s` from now. Keeps `cancel`. */
struct probe_deadline probe_deadline_in(int64_t timeout_s, const struct cancel *cancel);

/* Milliseconds that are left, 0 when it has passed. */
int64_t probe_deadline_left_ms(const struct probe_deadline *deadline);

/* Waits a slice, or until `fd` can be read (or written). 0: look again. -1: ERR_TRANSIENT
 * "no answer in time" or ERR_CANCELLED. */
int probe_wait(const struct probe_deadline *deadline, int fd, bool for_read,
	       struct err *err);

/* Is called with a connected socket and the deadline of this address, and closes nothing.
 * Returns 0 when it has seen what there is to see, -1 with the reason for "try the next
 * address". */
typedef int probe_visit(void *ctx, int fd, const struct probe_deadline *deadline,
			struct err *err);

/* Connects to the addresses of "host:port" one after the other until a visit returns 0;
 * each gets its share of the time that is left. -1 with the last address's reason. */
int probe_each_address(const char *connect, const struct probe_deadline *deadline,
		       probe_visit *visit, void *ctx, struct err *err);

/* A result with everything that was sent. */
struct probe_look {
	struct probe_result result;
	X509 *leaf;
	STACK_OF(X509) * sent; /* NULL, or the leaf and what came with it */
};

/* probe_endpoint(), and what was sent; the caller releases *ret. */
void probe_look_at(const struct endpoint *endpoint, const struct probe_deadline *deadline,
		   struct probe_look *ret);
void probe_look_release(struct probe_look *look);

/* Does what was sent lead from the leaf to a root that was sent or that this system
 * trusts? `lenient`: an unknown issuer of an intermediate is taken for a root. */
bool probe_chain_links(const struct probe_look *look, bool lenient);

/* The names of probe_result.issuers; those that do not fit any more are left out. */
void probe_chain_issuers(const struct probe_look *look, char *out, size_t size);

/* Was every intermediate of `cert` sent? */
bool probe_chain_has_all(const struct probe_look *look, const struct cert *cert);

#endif

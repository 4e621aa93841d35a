/* probe_verify.c - waiting until an application shows the new certificate, and saying
 * what it shows instead. */
#include "hooks/probe_parts.h"

#include <string.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/str.h"

#define HANDSHAKES 3
#define SHORTEST_MS 1000 /* of one look */
#define LONGEST_MS 10000
#define BETWEEN_MS 100
#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 1000

static int wrong_leaf(const struct endpoint *endpoint, const struct probe_result *seen,
		      const struct cert *cert, const struct probe_result *before,
		      struct err *err)
{
	bool still = before && before->kind == PROBE_TLS &&
		     str_equal(before->sha256, seen->sha256);
	char expires[CLOCK_TEXT_MAX];

	clock_format_people(seen->not_after, expires);
	return err_set(err, ERR_TRANSIENT, "%s %s %s (expires %s), not %s",
		       endpoint->connect, still ? "still serves" : "serves", seen->sha1,
		       expires, cert_sha1(cert));
}

static int incomplete(const struct endpoint *endpoint, const struct cert *cert,
		      struct err *err)
{
	return err_set(err, ERR_TRANSIENT,
		       "%s serves %s without its intermediate certificates: give the "
		       "application fullchain.pem",
		       endpoint->connect, cert_sha1(cert));
}

/* One handshake: is it what we want to see? */
static int look_once(const struct endpoint *endpoint, const struct cert *cert,
		     const struct probe_result *before,
		     const struct probe_deadline *deadline, struct err *err)
{
	bool chain_matters = endpoint->chain_required ||
			     (before && before->kind == PROBE_TLS &&
			      before->chain_complete);
	struct probe_look look;
	int rc = -1;

	probe_look_at(endpoint, deadline, &look);
	if (cancel_check(deadline->cancel, err))
		goto out;
	if (look.result.kind == PROBE_NOTHING)
		err_set(err, ERR_TRANSIENT, "%s does not answer: %s", endpoint->connect,
			look.result.detail);
	else if (look.result.kind == PROBE_PLAIN)
		err_set(err, ERR_TRANSIENT, "%s answers, but does not speak TLS",
			endpoint->connect);
	else if (!str_equal(look.result.sha256, cert_sha256(cert)))
		wrong_leaf(endpoint, &look.result, cert, before, err);
	else if (chain_matters && !probe_chain_has_all(&look, cert) &&
		 !probe_chain_links(&look, false))
		incomplete(endpoint, cert, err);
	else
		rc = 0;
out:
	probe_look_release(&look);
	return rc;
}

/* Never less than a second: the last look shall be a fair one. */
static struct probe_deadline one_handshake(const struct probe_deadline *deadline)
{
	int64_t left = probe_deadline_left_ms(deadline);
	struct probe_deadline one = probe_deadline_in(0, deadline->cancel);

	one.at_ms += left < SHORTEST_MS  ? SHORTEST_MS
		     : left > LONGEST_MS ? LONGEST_MS
					 : left;
	return one;
}

/* Three in a row, or the last reason why not when the time is up. */
static int verify_endpoint(const struct endpoint *endpoint, const struct cert *cert,
			   const struct probe_result *before,
			   const struct probe_deadline *deadline, struct err *err)
{
	int64_t pause = FIRST_PAUSE_MS;
	int in_a_row = 0;

	while (in_a_row < HANDSHAKES) {
		struct probe_deadline one = one_handshake(deadline);

		if (!look_once(endpoint, cert, before, &one, err)) {
			in_a_row++;
			clock_sleep_ms(BETWEEN_MS, deadline->cancel);
			continue;
		}
		if (err->kind == ERR_CANCELLED || !probe_deadline_left_ms(deadline))
			return -1;
		in_a_row = 0;
		clock_sleep_ms(pause, deadline->cancel);
		pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
	}
	return 0;
}

int probe_verify(const struct endpoint *endpoints, size_t n, const struct cert *cert,
		 const struct probe_result *baseline, int64_t timeout_s,
		 const struct cancel *cancel, struct err *err)
{
	struct probe_deadline deadline = probe_deadline_in(timeout_s, cancel);

	for (size_t i = 0; i < n; i++) {
		if (verify_endpoint(&endpoints[i], cert, baseline ? &baseline[i] : NULL,
				    &deadline, err))
			return -1;
	}
	return 0;
}

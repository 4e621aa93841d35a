/* healing.h - what is remembered of a target so that drift can be told from an operator's
 * work, and put back without harm: certificates/<name>/targets/<target>/healing.json.
 *
 * tls.json as we wrote it for each certificate, by its hash; and when the application was
 * restarted last to heal it. A hint: without the file nothing is recognised as ours of
 * before, so it is told and left. */
#ifndef DAEMON_HEALING_H
#define DAEMON_HEALING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cert.h"
#include "base/err.h"

#define HEALING_WRITTEN 32

struct healing_written {
	char sha1[CERT_SHA1_HEX];     /* a certificate that we brought in */
	char sha256[CERT_SHA256_HEX]; /* of tls.json then; "" where there is none */
};

struct healing {
	struct healing_written written[HEALING_WRITTEN]; /* the newest last */
	size_t n_written;
	int64_t restarted_at; /* the last restart for healing; 0: never */
	int64_t retry_at;     /* healing failed: not before then */
	unsigned failures;    /* in a row */
	/* A restart did not help: no other one for this certificate until a day later. */
	char rests_sha1[CERT_SHA1_HEX];
};

/* Missing: zeroed. Damaged: set aside, zeroed, err->kind ERR_CONFIG with the sentence to
 * report (else ERR_NONE). -1: it can neither be read nor set aside. */
int healing_read(const char *folder, const char *target, struct healing *ret,
		 struct err *err);

/* Replaces it, durable. */
int healing_write(const char *folder, const char *target, const struct healing *healing,
		  struct err *err);

/* Is it an earlier certificate of ours, another than `current`? Pure. */
bool healing_is_before(const struct healing *healing, const char *sha1,
		       const char *current);

/* Are these the bytes of a tls.json that we wrote for another certificate than `current`?
 * Gives that one's thumbprint, borrowed; NULL: no. Pure. */
const char *healing_wrote(const struct healing *healing, const char *sha256,
			  const char *current);

/* Notes that certificate and tls.json were brought in; the oldest gives way. Returns
 * whether that is news. Pure. */
bool healing_note(struct healing *healing, const char *sha1, const char *sha256);

/* Hash of the file at `path` (NULL or missing: ""). */
int healing_hash(const char *path, char ret[CERT_SHA256_HEX], struct err *err);

#endif

/* foresight.h - a CA changes before certificates fail: what it said yesterday held
 * against what it says today, and what each change means for us.
 *
 * Once a day a pass with nothing else to do asks each ACME issuer of its certificate for
 * the directory; accounts/<issuer>/foresight.json keeps what it said and the chains that
 * it issued from. Other certificates of the same issuer find that the day is done.
 * Announced dates are in foresight_dates.h. */
#ifndef DAEMON_FORESIGHT_H
#define DAEMON_FORESIGHT_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "acme/directory.h"
#include "base/cert.h"
#include "config/config.h"

/* ---- what changed, pure (foresight.c, foresight_chain.c) --------------------- */

struct foresight_change {
	enum severity severity;
	char *what;       /* "the terms of service changed: 'a' -> 'b'" */
	const char *todo; /* what it means; borrowed, NULL: nothing to do */
};

struct foresight_changes {
	struct foresight_change *items;
	size_t n;
};
void foresight_changes_clear(struct foresight_changes *changes);

/* Appends one. Takes `what`. */
void foresight_add(struct foresight_changes *changes, enum severity severity, char *what,
		   const char *todo);

/* What of a directory is remembered. Gives. */
cJSON *foresight_view(const struct acme_directory *directory);

struct foresight_use { /* a profile that a certificate asks this CA for; borrowed */
	const char *profile, *certificate;
};

/* Appends what is different between two views. NULL as the older one: nothing. */
void foresight_compare(const cJSON *before, const cJSON *now,
		       const struct foresight_use *uses, size_t n_uses,
		       struct foresight_changes *changes);

/* Adds the CA certificates of a chain to `seen`, an array of {"name", "issuer", "spki",
 * "since"}, and appends those that are new there; nothing when `seen` was empty. Returns
 * whether `seen` has changed. */
bool foresight_see_chain(cJSON *seen, const struct cert *cert, int64_t now,
			 struct foresight_changes *changes);

/* ---- accounts/<issuer>/foresight.json (foresight_file.c) ---------------------- */

/* Reads it. Gives *ret_json: {"ask_again_at", "seen_at", "view": {...}, "chain": [...]},
 * an empty object when there is none, or when it was damaged and set aside: then
 * err->kind is ERR_CONFIG with the sentence to report (else ERR_NONE). */
int foresight_read(const char *state_dir, const struct issuer_config *issuer,
		   cJSON **ret_json, struct err *err);

/* Is it time to ask, and nobody else asking? Then nobody asks before `next_at`, unless
 * foresight_learn() says otherwise; durable. */
bool foresight_claim(const char *state_dir, const struct issuer_config *issuer,
		     int64_t now, int64_t next_at, struct err *err);

struct foresight_news {
	const struct acme_directory *directory; /* NULL: not asked */
	int64_t ask_again_at;                   /* with `directory` */
	const struct cert *cert;                /* NULL: none of this issuer */
	const struct foresight_use *uses;
	size_t n_uses;
	int64_t now;
};
/* Compares with what is remembered, appends the changes and remembers the news, durable.
 * Writes only what is new. Thread-safe among our workers. */
int foresight_learn(const char *state_dir, const struct issuer_config *issuer,
		    const struct foresight_news *news, struct foresight_changes *changes,
		    struct err *err);

#endif

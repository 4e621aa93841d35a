/* job.h - what is remembered of one certificate between runs:
 * certificates/<name>/job.json.
 *
 * A hint, never the truth: what is true is read from the certificate, the store and the
 * port. A damaged file is set aside and rebuilt from the versions' folders. */
#ifndef DAEMON_JOB_H
#define DAEMON_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cert.h"
#include "base/err.h"

struct failures { /* in a row, of one kind of work */
	unsigned count;
	int64_t first_at, last_at, next_at; /* next_at: not before then; 0: none */
	char text[2048];     /* whole: a link in it is of no use when cut */
	unsigned by_breaker; /* 1: next_at is the circuit breaker's, and nobody else's */
};

#define JOB_ISSUERS 8

struct issuer_record {     /* how it went with one issuer */
	char name[64];     /* "": an unused row */
	unsigned refusals; /* in a row, since the last renewal */
	int64_t failed_at; /* last; 0: never */
	char text[2048];   /* what it failed with last */
};

#define JOB_TARGETS 16

struct target_record {            /* how it went with one target */
	char target[64];          /* "": an unused row */
	struct failures fallback; /* plain HTTP did not come up, or its guard failed */
	int64_t older_version;    /* the older one that is tried, because what is served
				     has expired; those between it and the newest were; 0 */
	struct failures older;    /* tries of that one */
};

struct job {
	int64_t version; /* newest folder below versions/; 0: none yet */

	/* An order under way: resumed, not made again. */
	char order_url[512];       /* "" none */
	char order_issuer[64];     /* whose order it is ... */
	char order_directory[512]; /* ... and at which CA: a name may move */
	int64_t order_version;     /* the folder that holds its key */

	/* ARI: the moment picked inside the CA's window, bound to its certificate. */
	char ari_id[256];
	int64_t ari_at, ari_start, ari_end, ari_ask_again_at; /* 0: none */
	unsigned ari_failures;                                /* to ask, in a row */
	char ari_explanation[512];

	struct failures renewal, deployment;
	unsigned rounds_since_expiry; /* whole rounds through the issuers that failed */
	int64_t inspected_files_at, inspected_endpoints_at;
	int64_t heal_at; /* a maintenance window begins, in which what drifted is put
			    back; 0: none is waited for */
	int64_t last_renewed_at;
	char last_issuer[64];
	char last_directory[512]; /* of the CA that issued the one in hand; "" none */
	char chain_root[256];     /* the issuer's name at the top of its chain */
	char told_notes[2048];    /* what was asked for and not had, as told last */
	char told_sha1[CERT_SHA1_HEX]; /* `renewed` was told of it last; "" not known */
	char told_runs[1024]; /* those that moved the targets' journals last and have told
				 what came of it, with blanks between; "-": none did;
				 "": not known */
	struct issuer_record issuers[JOB_ISSUERS];
	struct target_record targets[JOB_TARGETS];
	int64_t spares_try_at; /* an account at the others of them; 0: at once */

	/* dns-persist-01's record, as seen last. */
	int64_t persist_until, persist_look_at; /* 0: it does not end; look at once */
	unsigned persist_step;                  /* enum persist_step that was told */

	/* The revocation that the operator asked for last: repeated until the CA has
	 * answered, and followed by a renewal. */
	char revoke_sha1[CERT_SHA1_HEX]; /* of which certificate; "" none */
	int64_t revoke_reason;           /* enum acme_revocation */
	int64_t revoke_with_key;         /* signed by its own key, not by the account */
	int64_t revoked_at;              /* 0: the CA has not confirmed it yet */
	char revoked[512];               /* thumbprints that nothing goes back to */
	char burnt_keys[1024]; /* SHA-256 of public keys that are never used again */
};

/* The row of that issuer, made if need be; the one that failed longest ago gives way. */
struct issuer_record *job_issuer(struct job *job, const char *name);

/* The row of that target, because what one fails with must not keep the others from it.
 * Made if need be; the one that failed longest ago gives way. */
struct target_record *job_target(struct job *job, const char *target);
/* The same to look at: zeroed where there is none. Borrowed. */
const struct target_record *job_target_of(const struct job *job, const char *target);

/* Failures of plain HTTP of that target: in its row. */
struct failures *job_fallback(struct job *job, const char *target);
/* The same to look at: zeroed where there were none. Borrowed. */
const struct failures *job_fallback_of(const struct job *job, const char *target);

/* There is a new certificate: what failed with the one before counts no more. */
void job_forget_failures(struct job *job);

/* Is the certificate in hand from this issuer, at this directory? A name may move. */
bool job_came_from(const struct job *job, const char *issuer, const char *directory);

/* Reads <folder>/job.json. Missing: zeroed but for `version`, success. Damaged: set aside
 * as job.json.damaged-<time>, the same, *ret_damaged true with the reason in err->text.
 * Zeroed when it fails.
 */
int job_read(const char *folder, struct job *ret, bool *ret_damaged, struct err *err);

/* Replaces <folder>/job.json, synced; makes the folder when it is missing. */
int job_write(const char *folder, const struct job *job, struct err *err);

#endif

/* journal.h - the write-ahead record of a deployment: of a certificate, of a target, of a
 * fallback to plain HTTP.
 *
 * One type for the three, because to a restart they are the same: what was completed,
 * what was under way, in which direction, and how everything looked before. The record in
 * memory is changed freely while it is prepared; it counts when journal_move() has made
 * it durable, and journal_move() alone does that: set, write, sync, then tell.
 *
 *     certificate   <folder>/journal.json
 *     target        <folder>/targets/<target>/journal.json
 *     fallback      <folder>/targets/<target>/fallback.json
 *
 * Internal to hooks/. */
#ifndef HOOKS_JOURNAL_H
#define HOOKS_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cert.h"
#include "base/err.h"
#include "base/str.h"
#include "hooks/deploy.h"
#include "hooks/probe.h"
#include "hooks/saved.h"

/* Completed states and intents, in the order in which any journal passes them. */
enum journal_step {
	STEP_NONE,
	STEP_STORED,
	STEP_GUARDED, /* fallback: before_fallback has run */
	STEP_COPIED,  /* fallback: the settings are copied */
	STEP_MOVED,   /* fallback: tls.json is in the state directory */
	STEP_POINTED,
	STEP_RESTARTED,
	STEP_ANSWERED, /* fallback: plain HTTP answers */
	STEP_VERIFIED,
	STEP_RELEASED, /* the way back: after_fallback has run */
	STEP_RETIRED,
};
const char *journal_step_name(enum journal_step step); /* "none", "stored", ... */

struct journal_baseline { /* what an endpoint showed before the first change */
	char *connect;
	struct probe_result seen;
};

/* One that came before the certificate, and that is not retired yet. */
struct journal_replaced {
	char sha1[CERT_SHA1_HEX];
	int64_t version; /* its folder's number; 0: not known */
	int64_t at;      /* since when another is served everywhere; 0: not yet */
};

struct journal {
	char *path, *folder;                 /* of the file, and its folder */
	const char *target;                  /* NULL: certificate level; borrowed */
	const struct deployment *deployment; /* borrowed */
	bool exists;                         /* there is one on disk */

	char run[64];
	char new_sha1[CERT_SHA1_HEX], old_sha1[CERT_SHA1_HEX];
	int64_t version;
	enum journal_step state, intent; /* completed; under way, STEP_NONE: nothing */
	bool back;                       /* direction */
	enum deploy_end end;
	char why[1024];   /* the last failure's sentence */
	bool from_http;   /* target: the way back from plain HTTP */
	bool by_operator; /* target: rolled back by command */
	bool old_missing; /* target: tls.json named a certificate that is not there */
	int64_t old_not_after; /* of the old certificate; 0: not known */
	int64_t verified_at, retire_at;
	int64_t soak_until; /* target: watched until then; 0: not, or no more */
	struct saved *files;
	size_t n_files;
	struct journal_baseline *baseline;
	size_t n_baseline;
	struct strlist created; /* certificate: targets whose store this run filled */
	struct journal_replaced *replaced; /* certificate: oldest first */
	size_t n_replaced;
};

/* Prepares `journal` for `file` ("journal.json") of a target (NULL: of the certificate)
 * and reads it. Keeps deployment and target. Without a file it is empty and `exists` is
 * false. A damaged one is set aside as "<file>.damaged-<run>", said in `damaged` (may be
 * NULL) and as a note, and reads as absent. Fails only when it cannot be read or moved.
 * Release with journal_release(), after failure too. */
int journal_open(struct journal *journal, const struct deployment *deployment,
		 const char *target, const char *file, struct strlist *damaged,
		 struct err *err);
void journal_release(struct journal *journal);

/* Forgets everything but where it lives: before a new transaction. */
void journal_reset(struct journal *journal);

struct journal_change {
	enum journal_step state, intent;
	bool back;
	enum deploy_end end;
	const char *text; /* one sentence for people */
};

/* The one way in which a journal changes: takes over `change`, writes the whole record,
 * synced, then notes the text. On failure the record on disk is the old one. */
int journal_move(struct journal *journal, const struct journal_change *change,
		 struct err *err);

/* Removes the file, synced: its transaction left nothing to remember. */
int journal_remove(struct journal *journal, struct err *err);

/* Did it die in the middle? */
bool journal_unfinished(const struct journal *journal);

/* Is it about this certificate? */
bool journal_is_about(const struct journal *journal, const struct material *material);

/* The record about `path`, NULL if there is none. Borrowed. */
struct saved *journal_file(const struct journal *journal, const char *path);

/* Appends a record (taken) or a baseline (copied). */
void journal_add_file(struct journal *journal, struct saved *saved);
void journal_add_baseline(struct journal *journal, const char *connect,
			  const struct probe_result *seen);

/* Appends one (copied), and forgets one: nothing when it is not there. */
void journal_add_replaced(struct journal *journal,
			  const struct journal_replaced *replaced);
void journal_drop_replaced(struct journal *journal, const char *sha1);

/* What `connect` showed; PROBE_NOTHING when it is not in the journal. Borrowed. */
const struct probe_result *journal_seen(const struct journal *journal,
					const char *connect);

/* Forgets the records of files: what they were saved for is over. */
void journal_forget_files(struct journal *journal);

/* Removes the saved copies below <folder>/`saved` that no record of `journal` names. */
int journal_sweep(const struct journal *journal, const char *saved, struct err *err);

/* Notes a sentence that changes no journal. `target` may be NULL. */
void deploy_say(const struct deployment *deployment, const char *target, const char *step,
		const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The record as JSON (gives), and back: -1 when it makes no sense. */
cJSON *journal_to_json(const struct journal *journal);
int journal_from_json(const cJSON *json, struct journal *journal);

#endif

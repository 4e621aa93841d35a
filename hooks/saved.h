/* saved.h - how one path looked before a deployment changed it, and the way back.
 *
 * The journal holds one `struct saved` per change: what was there (nothing, a file with
 * hash and copy, a link), and what we put there. With both, undo can tell its own work
 * from an operator's: a path that shows neither is nobody's business but theirs.
 * Internal to hooks/: the transaction and the fallback use it. */
#ifndef HOOKS_SAVED_H
#define HOOKS_SAVED_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"
#include "hooks/change.h"

#define SAVED_HASH_MAX FILE_HASH_MAX
#define SAVED_MAX_BYTES FILE_HASH_MAX_BYTES /* of one file that we save */

enum saved_was { WAS_ABSENT, WAS_FILE, WAS_LINK };

struct saved {
	char *path;
	enum change_kind kind;
	enum saved_was was;
	char sha256[SAVED_HASH_MAX]; /* WAS_FILE: of its bytes */
	char *copy;                  /* WAS_FILE: name of the copy, below the folder */
	char *link_target;           /* WAS_LINK */
	uint32_t mode;               /* WAS_FILE: permission bits */
	char owner[64];              /* WAS_FILE */
	char *made_folder; /* WAS_ABSENT: the topmost folder that was missing; NULL: none
			    */
	char new_sha256[SAVED_HASH_MAX]; /* what we put; "absent", or "" while not known
					  */
	char *new_link;                  /* CHANGE_LINK: what we put */
	bool theirs; /* somebody changed it before we could: we never did */
};

/* Looks at change->path and keeps what is there: a file's bytes go to `folder`/`copy`,
 * synced, readable by us alone. What the change will put is noted too (CHANGE_WATCHED:
 * not known yet). Fills *ret; release with saved_release(). */
int saved_take(const struct change *change, const char *folder, const char *copy,
	       struct saved *ret, struct err *err);

/* Notes what a program step has left at the path as ours. */
int saved_note_new(struct saved *saved, struct err *err);

enum saved_look {
	LOOK_SAVED,   /* as it was before (or never changed) */
	LOOK_OURS,    /* as we made it */
	LOOK_FOREIGN, /* neither: somebody else was here */
};

/* How does the path look now? */
int saved_look(const struct saved *saved, enum saved_look *ret, struct err *err);

/* change_apply() for the path, if it is as it was saved, or as we made it. Somebody else
 * was faster: ERR_TRANSIENT says when, nothing is overwritten, and the record is theirs.
 */
int saved_apply(struct saved *saved, const struct change *change, struct err *err);

/* Puts back what was there, absence and folders that we made included. Idempotent; the
 * caller has looked; who writes a file between that look and ours is not overwritten:
 * ERR_TRANSIENT as file_replace_if(). `folder` is the one given to saved_take(). */
int saved_restore(const struct saved *saved, const char *folder, struct err *err);

/* Appends the saved bytes to `ret` (WAS_FILE only) and checks them against the hash.
 * ERR_CONFIG when the copy is damaged. */
int saved_read(const struct saved *saved, const char *folder, struct buf *ret,
	       struct err *err);

/* As a journal's JSON, and back; -1 when the JSON makes no sense. Gives. */
cJSON *saved_to_json(const struct saved *saved);
int saved_from_json(const cJSON *json, struct saved *ret);

/* A deep copy, to be released too. */
struct saved saved_dup(const struct saved *saved);

void saved_release(struct saved *saved);

#endif

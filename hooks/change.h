/* change.h - one path that a deployment changes: planned, saved, applied, undone.
 *
 * tls.json, the link of a directory store, a key file with a fixed name, a file that a
 * program step rewrites, a setting that the product reset: to the transaction they are
 * all the same. The plan is made before anything is touched; the journal holds path, hash
 * and saved copy of each; undo puts the saved bytes (or the absence) back. */
#ifndef HOOKS_CHANGE_H
#define HOOKS_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"

enum change_kind {
	CHANGE_FILE,    /* the file gets `content` */
	CHANGE_LINK,    /* the symbolic link gets `link_target` */
	CHANGE_WATCHED, /* a program step will write it; we only save and restore */
};

struct change {
	enum change_kind kind;
	char *path;
	struct buf content; /* CHANGE_FILE; secret buffer for keys */
	char *link_target;  /* CHANGE_LINK */
	enum file_audience audience;
	char *owner, *group; /* NULL: keep, or the folder's for a new file */
	uint32_t mode;       /* 0: keep, or by audience for a new file */
};

struct change_list {
	struct change *items;
	size_t n;
};

/* Appends an empty change of that kind for `path` (copied) and returns it, borrowed until
 * the next append. FILE_SECRET makes its content a secret buffer (64 KiB; else 1 MiB). */
struct change *change_add(struct change_list *list, enum change_kind kind,
			  const char *path, enum file_audience audience);
void change_list_clear(struct change_list *list);

/* Does it already look as the change wants it? (CHANGE_WATCHED: never.) */
bool change_is_applied(const struct change *change);

/* Applies it: file_replace_if() what is there is `expected` (NULL: whatever is there)
 * plus access, or link_replace(). Idempotent. */
int change_apply(const struct change *change, const char *expected, struct err *err);

/* Removes what a run that died while it changed `path` has left beside it: half a file,
 * or the old one, which may be a key. Best effort: done when a death is resumed, when the
 * old certificate is retired, and by the next change of the path. */
void change_tidy(enum change_kind kind, const char *path);

#endif

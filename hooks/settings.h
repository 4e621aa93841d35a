/* settings.h - files of an application beside tls.json that name its certificate by the
 * thumbprint too: the Configuration Server's, say. Nobody has documented which they are,
 * so they are found by what they carry: every *.json below the folders of
 * target->settings with a string that is the old thumbprint, in either case.
 *
 * The two thumbprints are of one length, so a new one is written over the old one and
 * every other byte stays: byte order mark, line endings, number literals. Internal to
 * hooks/. */
#ifndef HOOKS_SETTINGS_H
#define HOOKS_SETTINGS_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "base/target.h"
#include "hooks/change.h"
#include "hooks/journal.h"

/* Writes `new_sha1` over every string value of a JSON document that is `old_sha1`, in
 * lower case where the old one is. Returns how many there were. The caller has checked
 * that it is JSON: a name of a member is no value and is left. */
size_t settings_rename(void *data, size_t len, const char *old_sha1,
		       const char *new_sha1);

struct settings_request { /* all borrowed */
	const struct target *target;
	const char *old_sha1, *new_sha1;
	const struct journal *before; /* an interrupted attempt: what it changed already
					 stays part of the plan; NULL: none */
	struct strlist *notes;        /* may be NULL */
};

/* Appends a change for each file that carries the old thumbprint, unless the list has one
 * for that path already. A file that carries it and cannot be changed (it is no JSON,
 * somebody else could have planted it) is left alone and noted. */
int settings_plan(const struct settings_request *request, struct change_list *list,
		  struct err *err);

/* Paths of the files that carry `sha1`, for those who only look. */
int settings_find(const struct target *target, const char *sha1, struct strlist *ret,
		  struct err *err);

#endif

#include "hooks/saved.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "base/str.h"

#define ABSENT "absent"

/* Reads the file behind trusted links. Gives *ret_real. *ret_facts says whether there was
 * one; anything but a file or nothing is an error. */
static int read_real(const char *path, char **ret_real, struct file_facts *ret_facts,
		     struct buf *ret, struct err *err)
{
	char *real = NULL;
	int rc = -1;

	if (file_resolve_trusted(path, &real, err) || file_inspect(real, ret_facts, err))
		goto out;
	if (ret_facts->type != FILE_ABSENT && ret_facts->type != FILE_REGULAR) {
		err_set(err, ERR_CONFIG, "'%s' is not a file", real);
		goto out;
	}
	if (ret_facts->type == FILE_REGULAR && file_read(real, ret, err))
		goto out;
	*ret_real = real;
	real = NULL;
	rc = 0;
out:
	free(real);
	return rc;
}

/* The hash of what is at the path now, or "absent". */
static int hash_path(const char *path, char out[SAVED_HASH_MAX], struct err *err)
{
	struct file_facts facts;
	struct buf bytes;
	char *real = NULL;
	int rc = -1;

	buf_init_secret(&bytes, SAVED_MAX_BYTES);
	if (read_real(path, &real, &facts, &bytes, err))
		goto out;
	if (facts.type == FILE_ABSENT)
		memcpy(out, ABSENT, sizeof(ABSENT));
	else
		bytes_hash(bytes.data, bytes.len, out);
	rc = 0;
out:
	free(real);
	buf_release(&bytes);
	return rc;
}

/* The topmost missing folder above `path`, NULL when its folder is there. Gives. */
static char *first_missing_folder(const char *path)
{
	char *folder = path_parent(path), *missing = NULL, *up;
	struct file_facts facts;
	struct err ignored;

	while (!file_inspect(folder, &facts, &ignored) && facts.type == FILE_ABSENT) {
		up = path_parent(folder);
		free(missing);
		missing = folder;
		folder = up;
	}
	free(folder);
	return missing;
}

static int take_link(struct saved *saved, struct err *err)
{
	struct file_facts facts;

	if (file_inspect(saved->path, &facts, err))
		return -1;
	if (facts.type == FILE_ABSENT) {
		saved->was = WAS_ABSENT;
		saved->made_folder = first_missing_folder(saved->path);
		return 0;
	}
	if (facts.type != FILE_LINK)
		return err_set(err, ERR_CONFIG, "'%s' is not a link: move it away",
			       saved->path);
	saved->was = WAS_LINK;
	return link_read(saved->path, &saved->link_target, err);
}

static int take_file(struct saved *saved, const char *folder, const char *copy,
		     struct err *err)
{
	struct file_facts facts;
	struct buf bytes;
	char *real = NULL, *to = path_join(folder, copy), *parent = path_parent(to);
	int rc = -1;

	buf_init_secret(&bytes, SAVED_MAX_BYTES);
	if (read_real(saved->path, &real, &facts, &bytes, err))
		goto out;
	if (facts.type == FILE_ABSENT) {
		saved->was = WAS_ABSENT;
		saved->made_folder = first_missing_folder(real);
		rc = 0;
		goto out;
	}
	if (dir_make(parent, FILE_SECRET, err) ||
	    file_replace(to, bytes.data, bytes.len, FILE_SECRET, err))
		goto out;
	saved->was = WAS_FILE;
	saved->copy = str_dup(copy);
	saved->mode = facts.mode;
	memcpy(saved->owner, facts.owner, sizeof(saved->owner));
	bytes_hash(bytes.data, bytes.len, saved->sha256);
	rc = 0;
out:
	buf_release(&bytes);
	free(parent);
	free(to);
	free(real);
	return rc;
}

int saved_take(const struct change *change, const char *folder, const char *copy,
	       struct saved *ret, struct err *err)
{
	struct saved saved = { .kind = change->kind };
	int rc;

	saved.path = str_dup(change->path);
	if (change->kind == CHANGE_LINK) {
		saved.new_link = str_dup(change->link_target);
		rc = take_link(&saved, err);
	} else {
		if (change->kind == CHANGE_FILE)
			bytes_hash(change->content.data, change->content.len,
				   saved.new_sha256);
		rc = take_file(&saved, folder, copy, err);
	}
	if (rc) {
		saved_release(&saved);
		return err_wrap(err, "save '%s'", change->path);
	}
	*ret = saved;
	return 0;
}

int saved_note_new(struct saved *saved, struct err *err)
{
	if (saved->kind != CHANGE_WATCHED)
		return 0;
	return hash_path(saved->path, saved->new_sha256, err);
}

static int look_at_link(const struct saved *saved, enum saved_look *ret, struct err *err)
{
	struct file_facts facts;
	char *target = NULL;

	if (file_inspect(saved->path, &facts, err))
		return -1;
	*ret = LOOK_FOREIGN;
	if (facts.type == FILE_ABSENT && saved->was == WAS_ABSENT)
		*ret = LOOK_SAVED;
	if (facts.type != FILE_LINK)
		return 0;
	if (link_read(saved->path, &target, err))
		return -1;
	if (saved->was == WAS_LINK && str_equal(target, saved->link_target))
		*ret = LOOK_SAVED;
	else if (str_equal(target, saved->new_link))
		*ret = LOOK_OURS;
	free(target);
	return 0;
}

int saved_look(const struct saved *saved, enum saved_look *ret, struct err *err)
{
	char now[SAVED_HASH_MAX];

	if (saved->kind == CHANGE_LINK)
		return look_at_link(saved, ret, err);
	if (hash_path(saved->path, now, err))
		return -1;
	if (str_equal(now, saved->was == WAS_ABSENT ? ABSENT : saved->sha256))
		*ret = LOOK_SAVED;
	else if (!saved->new_sha256[0] || str_equal(now, saved->new_sha256))
		*ret = LOOK_OURS; /* not known: our program died while writing it */
	else
		*ret = LOOK_FOREIGN;
	return 0;
}

int saved_read(const struct saved *saved, const char *folder, struct buf *ret,
	       struct err *err)
{
	char *from = path_join(folder, saved->copy), hash[SAVED_HASH_MAX];
	int rc = -1;

	if (file_read(from, ret, err))
		goto out;
	bytes_hash(ret->data, ret->len, hash);
	if (!str_equal(hash, saved->sha256)) {
		err_set(err, ERR_CONFIG, "'%s' is damaged: it is no copy of '%s'", from,
			saved->path);
		goto out;
	}
	rc = 0;
out:
	free(from);
	return rc;
}

/* Removes the folders that we made, as far as they are empty again. */
static int remove_made_folders(const struct saved *saved, const char *real,
			       struct err *err)
{
	char *folder = path_parent(real), *up;
	bool last = !saved->made_folder;
	struct strlist names = { 0 };
	int rc = 0;

	while (!last && !rc) {
		last = str_equal(folder, saved->made_folder);
		if (dir_list(folder, &names, err))
			rc = err->kind == ERR_NOT_FOUND ? 0 : -1;
		else if (names.n > 0)
			last = true; /* somebody uses it */
		else
			rc = tree_remove(folder, err);
		strlist_clear(&names);
		up = path_parent(folder);
		last = last || str_equal(up, folder);
		free(folder);
		folder = up;
	}
	free(folder);
	return rc;
}

static int restore_absence(const struct saved *saved, struct err *err)
{
	char *real = NULL;
	int rc = -1;

	if (saved->kind == CHANGE_LINK)
		real = str_dup(saved->path);
	else if (file_resolve_trusted(saved->path, &real, err))
		return -1;
	if (!file_remove(real, err) && !remove_made_folders(saved, real, err))
		rc = 0;
	free(real);
	return rc;
}

static int restore_access(const struct saved *saved, struct err *err)
{
	struct file_facts facts;
	char *real = NULL;
	int rc = -1;

	if (file_resolve_trusted(saved->path, &real, err) ||
	    file_inspect(real, &facts, err))
		goto out;
	rc = 0;
	if (facts.mode != saved->mode || !str_equal(facts.owner, saved->owner))
		rc = file_set_access(real, saved->owner, NULL, saved->mode, err);
out:
	free(real);
	return rc;
}

/* What file_replace_if() shall find at a path that looks like this. NULL: not known. */
static const char *expected_of(const struct saved *saved, enum saved_look look)
{
	if (look == LOOK_SAVED)
		return saved->was == WAS_ABSENT ? "" : saved->sha256;
	if (!saved->new_sha256[0])
		return NULL;
	return str_equal(saved->new_sha256, ABSENT) ? "" : saved->new_sha256;
}

int saved_apply(struct saved *saved, const struct change *change, struct err *err)
{
	enum saved_look look;
	struct err ignored;

	if (saved_look(saved, &look, err))
		return -1;
	if (look != LOOK_FOREIGN && !change_apply(change, expected_of(saved, look), err))
		return 0;
	if (look != LOOK_FOREIGN &&
	    (saved_look(saved, &look, &ignored) || look != LOOK_FOREIGN))
		return -1; /* it failed for another reason */
	saved->theirs = true;
	if (saved->kind != CHANGE_LINK &&
	    file_check_same(saved->path, expected_of(saved, LOOK_SAVED), err))
		return -1;
	return err_set(err, ERR_TRANSIENT,
		       "'%s' was changed by somebody else while it was to be replaced; "
		       "nothing was overwritten",
		       saved->path);
}

static int restore_file(const struct saved *saved, const char *folder, struct err *err)
{
	struct file_new back = {
		.audience = saved->mode & 077 ? FILE_PUBLIC : FILE_SECRET,
		.expected = expected_of(saved, LOOK_OURS),
	};
	enum saved_look look;
	struct buf bytes;
	int rc = -1;

	buf_init_secret(&bytes, SAVED_MAX_BYTES);
	if (saved_read(saved, folder, &bytes, err))
		goto out;
	back.data = bytes.data;
	back.len = bytes.len;
	if (saved_look(saved, &look, err) ||
	    (look != LOOK_SAVED && file_replace_if(saved->path, &back, err)) ||
	    restore_access(saved, err))
		goto out;
	rc = 0;
out:
	buf_release(&bytes);
	return rc;
}

int saved_restore(const struct saved *saved, const char *folder, struct err *err)
{
	int rc = -1;

	switch (saved->was) {
	case WAS_ABSENT:
		rc = restore_absence(saved, err);
		break;
	case WAS_LINK:
		rc = link_replace(saved->path, saved->link_target, err);
		break;
	case WAS_FILE:
		rc = restore_file(saved, folder, err);
		break;
	}
	return rc ? err_wrap(err, "put '%s' back", saved->path) : 0;
}

struct saved saved_dup(const struct saved *saved)
{
	struct saved copy = *saved;

	copy.path = str_dup(saved->path);
	copy.copy = str_dup(saved->copy);
	copy.link_target = str_dup(saved->link_target);
	copy.made_folder = str_dup(saved->made_folder);
	copy.new_link = str_dup(saved->new_link);
	return copy;
}

void saved_release(struct saved *saved)
{
	free(saved->path);
	free(saved->copy);
	free(saved->link_target);
	free(saved->made_folder);
	free(saved->new_link);
	*saved = (struct saved){ 0 };
}

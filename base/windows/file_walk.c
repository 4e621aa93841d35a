/* file_walk.c - walks a path without trusting it.
 *
 * A link counts as planted unless one of ours (SYSTEM, Administrators, TrustedInstaller,
 * this account) owns it and nobody else may exchange it. What exchanges a name is the
 * right to delete it, or its folder's children, or to change either's permissions; the
 * right to add names, which every user has in "C:\", exchanges nothing that is there. */
#include "base/windows/file_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/windows/security.h"
#include "base/windows/wide.h"

#define MAX_LINKS 40
#define TO_LOOK (FILE_READ_ATTRIBUTES | READ_CONTROL)
#define TO_WRITE (FILE_WRITE_DATA | FILE_APPEND_DATA | RIGHTS_TO_CHANGE)

struct walk {
	const char *path; /* as the caller named it, for sentences */
	enum place_trust trust;
	struct place at; /* the folder we stand in */
	char *todo;      /* what is still to be walked: owned */
	int links;
};

void place_release(struct place *place)
{
	while (place->n > 0)
		CloseHandle(place->held[--place->n]);
	free(place->held);
	free(place->dir);
	free(place->name);
	*place = (struct place){ 0 };
}

char *place_path(const struct place *place)
{
	return *place->name ? path_join(place->dir, place->name) : str_dup(place->dir);
}

static void hold(struct place *place, HANDLE node, char *dir)
{
	place->held = mem_realloc(place->held, (place->n + 1) * sizeof(*place->held));
	place->held[place->n++] = node;
	free(place->dir);
	place->dir = dir;
}

/* A share mode counts only for who reads, writes or deletes: hence the right to list.
 * Where that is refused, the handle alone keeps the folder's name on NTFS. */
static HANDLE open_folder(const char *path)
{
	const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE;
	HANDLE node = node_open(path, TO_LOOK | FILE_LIST_DIRECTORY, share);

	if (node == INVALID_HANDLE_VALUE && (GetLastError() == ERROR_ACCESS_DENIED ||
					     GetLastError() == ERROR_SHARING_VIOLATION))
		node = node_open(path, TO_LOOK, SHARE_ALL);
	return node;
}

int place_enter(struct place *place, char *dir)
{
	HANDLE node = open_folder(dir);
	DWORD attributes = 0;

	if (node == INVALID_HANDLE_VALUE || node_attributes(node, &attributes))
		goto fail;
	if (!(attributes & FILE_ATTRIBUTE_DIRECTORY) ||
	    attributes & FILE_ATTRIBUTE_REPARSE_POINT) {
		SetLastError(ERROR_DIRECTORY);
		goto fail;
	}
	hold(place, node, dir);
	return 0;
fail:
	if (node != INVALID_HANDLE_VALUE)
		CloseHandle(node);
	free(dir);
	return -1;
}

/* Gives the part of an absolute path that names its volume. */
static char *root_of(const char *path)
{
	char *at = str_dup(path), *up = path_parent(at);

	while (!str_equal(at, up)) {
		free(at);
		at = up;
		up = path_parent(at);
	}
	free(up);
	return at;
}

/* Begins at the volume of `path`, an absolute one with "." and ".." resolved. */
static int walk_from_root(struct walk *walk, const char *path, struct err *err)
{
	wchar_t *wide = wide_path(path);
	char *whole = strncmp(path, "\\\\?\\", 4) ? path_from_wide(wide) : str_dup(path);
	char *root = root_of(whole);

	free(walk->todo);
	walk->todo = str_dup(whole + strlen(root));
	free(wide);
	free(whole);
	place_release(&walk->at);
	if (place_enter(&walk->at, str_dup(root))) {
		err_os(err, "open '%s'", root);
		free(root);
		return -1;
	}
	free(root);
	return 0;
}

/* Takes the next component off `todo`; NULL at the end. *ret_last: nothing is behind. */
static char *next_component(struct walk *walk, bool *ret_last)
{
	char *from = walk->todo + strspn(walk->todo, "\\");
	size_t len = strcspn(from, "\\");
	char *name = len ? str_ndup(from, len) : NULL;

	from += len + strspn(from + len, "\\");
	*ret_last = !*from;
	memmove(walk->todo, from, strlen(from) + 1);
	return name;
}

static char *others_with(HANDLE node, DWORD rights)
{
	PSECURITY_DESCRIPTOR descriptor = node_security(node);
	char *who;

	if (!descriptor)
		return str_dup("somebody (its permissions cannot be read)");
	who = descriptor_others_with(descriptor, rights, file_mapping());
	LocalFree(descriptor);
	return who;
}

/* Gives who could exchange the entry `child` (INVALID_HANDLE_VALUE: absent, and then
 * `to_add` is the right to make it) of the folder we stand in. */
static char *planter(const struct walk *walk, HANDLE child, bool link, DWORD to_add)
{
	HANDLE dir = walk->at.held[walk->at.n - 1];
	const DWORD to_exchange = FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER;
	const DWORD to_redirect = FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES;
	char *who;

	if (child == INVALID_HANDLE_VALUE)
		return others_with(dir, to_exchange | to_add);
	who = others_with(dir, to_exchange);
	return who ? who
		   : others_with(child, RIGHTS_TO_CHANGE | (link ? to_redirect : 0));
}

/* ERR_DENIED if somebody else could have put `name` where it is, or can exchange it. */
static int judge_entry(const struct walk *walk, const char *name, HANDLE child, bool link,
		       bool last, struct err *err)
{
	char *who, *entry;

	if (walk->trust == PLACE_TRUST_LINKS && !link)
		return 0;
	who = planter(walk, child, link, last ? FILE_ADD_FILE : FILE_ADD_SUBDIRECTORY);
	if (!who)
		return 0;
	entry = path_join(walk->at.dir, name);
	if (link)
		err_set(err, ERR_DENIED,
			"'%s' leads through the link '%s', which %s could have planted: "
			"name the real path",
			walk->path, entry, who);
	else
		err_set(err, ERR_DENIED,
			"'%s' is not safe: '%s' can be exchanged by %s; let only SYSTEM "
			"and Administrators change it and its folder",
			walk->path, entry, who);
	free(entry);
	free(who);
	return -1;
}

/* The file or folder at the end of the walk, by its own owner and permissions. */
static int judge_last(const struct walk *walk, HANDLE node, struct err *err)
{
	char *who;

	if (walk->trust == PLACE_TRUST_LINKS)
		return 0;
	who = others_with(node, TO_WRITE);
	if (!who)
		return 0;
	err_set(err, ERR_DENIED,
		"'%s' is writable by %s; let only SYSTEM and Administrators write it",
		walk->path, who);
	free(who);
	return -1;
}

/* Puts the target of the open link in front of what is still to be walked. */
static int follow(struct walk *walk, const char *name, HANDLE link, struct err *err)
{
	char *target = NULL, *named = NULL, *from, *whole;
	bool relative = false;
	int rc;

	if (node_link(link, &target, &named, &relative))
		return err_os(err, "read link '%s' in '%s'", name, walk->at.dir);
	if (++walk->links > MAX_LINKS) {
		free(target);
		free(named);
		return err_set(err, ERR_IO, "too many links in '%s'", walk->path);
	}
	from = relative ? path_join(walk->at.dir, target) : str_dup(target);
	whole = *walk->todo ? path_join(from, walk->todo) : str_dup(from);
	rc = walk_from_root(walk, whole, err);
	free(whole);
	free(from);
	free(target);
	free(named);
	return rc;
}

/* Moves the walk's result to *ret; `name` is below the folder we stand in. */
static void arrive(struct walk *walk, char *name, bool exists, DWORD attributes,
		   struct place *ret)
{
	*ret = walk->at;
	ret->name = name;
	ret->exists = exists;
	ret->attributes = attributes;
	walk->at = (struct place){ 0 };
}

static int step_into(struct walk *walk, const char *name, bool last, HANDLE child,
		     struct place *ret, struct err *err)
{
	DWORD attributes = 0;
	bool link;

	if (node_attributes(child, &attributes))
		return err_os(err, "look at '%s' in '%s'", name, walk->at.dir);
	link = (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
	if (judge_entry(walk, name, child, link, last, err))
		return -1;
	if (link)
		return follow(walk, name, child, err) ? -1 : 1;
	if (!last) {
		if (place_enter(&walk->at, path_join(walk->at.dir, name)))
			return err_os(err, "open folder '%s' in '%s'", name,
				      walk->at.dir);
		return 1;
	}
	if (judge_last(walk, child, err))
		return -1;
	arrive(walk, str_dup(name), true, attributes, ret);
	return 0;
}

/* One component. 1: there is more to walk, 0: arrived, -1: refused. The child stays open
 * while its folder is entered: the two opens see one and the same. */
static int step(struct walk *walk, const char *name, bool last, struct place *ret,
		struct err *err)
{
	char *path = path_join(walk->at.dir, name);
	HANDLE child = node_open(path, TO_LOOK, SHARE_ALL);
	int more;

	if (child == INVALID_HANDLE_VALUE && !code_is_absent(GetLastError())) {
		err_os(err, "look at '%s'", path);
		free(path);
		return -1;
	}
	free(path);
	if (child != INVALID_HANDLE_VALUE) {
		more = step_into(walk, name, last, child, ret, err);
		CloseHandle(child);
		return more;
	}
	if (judge_entry(walk, name, child, false, last, err))
		return -1;
	arrive(walk, last ? str_dup(name) : path_join(name, walk->todo), false, 0, ret);
	return 0;
}

/* The path was a volume's root: the place is the folder we stand in. */
static int arrive_in_folder(struct walk *walk, struct place *ret, struct err *err)
{
	if (judge_last(walk, walk->at.held[walk->at.n - 1], err))
		return -1;
	arrive(walk, str_dup(""), true, FILE_ATTRIBUTE_DIRECTORY, ret);
	return 0;
}

int place_find(const char *path, enum place_trust trust, struct place *ret,
	       struct err *err)
{
	struct walk walk = { .path = path, .trust = trust };
	bool last = false;
	char *name;
	int more;

	if (!*path)
		return err_set(err, ERR_CONFIG, "an empty path");
	more = walk_from_root(&walk, path, err) ? -1 : 1;
	while (more > 0) {
		name = next_component(&walk, &last);
		more = name ? step(&walk, name, last, ret, err)
			    : arrive_in_folder(&walk, ret, err);
		free(name);
	}
	place_release(&walk.at);
	free(walk.todo);
	return more;
}

/* file_parts.h - what the twin files of files.h share on Windows. Private to
 * base/windows.
 *
 * The centre is the walk, as on POSIX: a path is opened component by component from its
 * volume, links never followed by the system. Each folder stays open without the right to
 * delete being shared, so that nobody can move it away or put a junction in its place
 * between our judging and our using it. */
#ifndef BASE_WINDOWS_FILE_PARTS_H
#define BASE_WINDOWS_FILE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <windows.h>

#include "base/files.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

enum place_trust {
	PLACE_TRUST_LINKS, /* only links must be beyond suspicion */
	PLACE_TRUST_ALL,   /* every folder on the way must be, and the file itself */
};

struct place {
	HANDLE *held; /* the folders of `dir`, from its volume on */
	size_t n;
	char *dir;  /* the real path of the deepest folder of the path that exists */
	char *name; /* below it: "x"; "a\b\x" when folders are missing; "" the folder
		       itself */
	bool exists;
	DWORD attributes; /* of dir\name when it exists; never a link */
};

/* Walks `path` and gives *ret; release with place_release(). A missing file or folder is
 * no error. ERR_DENIED names the link or folder, and the account that could plant it. */
int place_find(const char *path, enum place_trust trust, struct place *ret,
	       struct err *err);
void place_release(struct place *place);

/* Gives the real path of the place. */
char *place_path(const struct place *place);

/* Opens the folder `dir` below the place's and holds it: it becomes the place's folder.
 * Takes `dir`. -1 and GetLastError(). */
int place_enter(struct place *place, char *dir);

/* Opens what the name itself is, a link or a folder too, for `access`, with `share`.
 * INVALID_HANDLE_VALUE and GetLastError(). */
HANDLE node_open(const char *path, DWORD access, DWORD share);

/* Attributes, with the mark of a reparse point only where it is a link: a symbolic link
 * or a junction. -1 and GetLastError(). */
int node_attributes(HANDLE node, DWORD *ret);

/* Gives the target of an open link as the system follows it (*ret_relative: from the
 * link's folder), and as it was named. -1 and GetLastError(): ERROR_NOT_A_REPARSE_POINT
 * when it is none. */
int node_link(HANDLE node, char **ret_target, char **ret_named, bool *ret_relative);

/* Gives owner and DACL of what is open, LocalFree(); NULL and GetLastError(). */
PSECURITY_DESCRIPTOR node_security(HANDLE node);

/* Does the code mean that there is no such name? */
bool code_is_absent(DWORD code);

/* Another program holds the file: sleeps a little longer each time, for about ten seconds
 * in all. false: it is something else, or the time is over. *waited_ms begins with 0. */
bool wait_for_holder(DWORD code, unsigned *waited_ms);

/* Writes everything and flushes it to the disk. -1 and GetLastError(). */
int write_synced(HANDLE file, const void *data, size_t len);

/* Flushes the folder that `path` lies in, where the file system can. */
void sync_parent(const char *path);

/* Renames `from` over `to`, written through, waiting for who holds `to` open. */
int move_over(const char *from, const char *to, struct err *err);

/* One attempt without waiting; without `replace` only if there is no `to`. 0 or the
 * system's code. */
DWORD move_once(const char *from, const char *to, bool replace);

#endif

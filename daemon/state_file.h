/* state_file.h - our JSON files in the state directory: read, or set aside.
 *
 * Such a file is a hint. When it is damaged (not JSON, not an object, too large, members
 * of another type) it is renamed to `<path>.damaged-<time>`, reported, and begun anew;
 * only a disk that does not let us is an error. */
#ifndef DAEMON_STATE_FILE_H
#define DAEMON_STATE_FILE_H

#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

struct file_lock;

struct state_reader { /* of one kind of file */
	size_t max_bytes;
	const char *is; /* what it should be, in words: "a list of rehearsals" */
	/* Into the caller's `ret`, as it came; -1: its members are not ours. */
	int (*parse)(const cJSON *file, void *ret);
	/* Empties again what a parse began that failed; NULL: it has begun nothing. */
	void (*clear)(void *ret);
};

/* Reads such a file into `ret`, which stays as it is when there is nothing to read:
 * err->kind then is ERR_NONE (no such file) or ERR_CONFIG (it was damaged: the sentence
 * says how and where it is now). -1 when it can neither be read nor set aside. */
int state_file_load(const char *path, const struct state_reader *reader, void *ret,
		    struct err *err);

/* The first half of it: reads a JSON object of at most `max_bytes`. Gives *ret_json
 * (cJSON_Delete), or NULL when there is nothing to read: err->kind then is ERR_NONE (no
 * such file) or ERR_CONFIG (it was damaged: the sentence says how and where it is now).
 * -1 when the file can neither be read nor set aside. */
int state_file_read(const char *path, size_t max_bytes, cJSON **ret_json,
		    struct err *err);

/* Sets aside the file at `path`, whose damage err->text tells, and adds to that where it
 * went. Returns 0 with kind ERR_CONFIG, or -1 when it cannot be renamed. */
int state_file_set_aside(const char *path, struct err *err);

/* Takes the lock file that guards a state file which several workers write, waiting some
 * seconds for the others. Gives; file_lock_release() after. */
int state_file_lock(const char *lock_path, struct file_lock **ret, struct err *err);

/* Removes what writers that died have left in a folder of the state directory, which
 * nobody else writes to now. A missing folder is empty. */
int state_file_sweep(const char *folder, struct err *err);

#endif

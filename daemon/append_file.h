/* append_file.h - a file that only grows, and that others may read, rename and remove
 * while we have it open. Twin files; private to log_file.c. */
#ifndef DAEMON_APPEND_FILE_H
#define DAEMON_APPEND_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct append_file;

/* Opens `path`, making it for administrators alone (0600); a link is refused. Gives *ret,
 * and how long it is. */
int append_file_open(const char *path, struct append_file **ret, int64_t *ret_bytes,
		     struct err *err);

/* Writes at the end. -1 when not all of it went out. */
int append_file_write(struct append_file *file, const void *data, size_t len);

/* Closes it; NULL is fine. */
void append_file_close(struct append_file *file);

/* Renames within a folder, replacing `to`, without syncing: a log is worth no wait. -1
 * when a reader that does not share keeps it. */
int append_file_rename(const char *from, const char *to);

#endif

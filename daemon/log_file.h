/* log_file.h - the log in a file that never grows beyond its limit: when it would, it
 * becomes FILE.1, that one FILE.2 and so on, and the oldest goes. Not thread-safe. */
#ifndef DAEMON_LOG_FILE_H
#define DAEMON_LOG_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct log_file;

/* Opens it for appending, making it and its folder for administrators alone. `keep` old
 * ones stay beside it. Gives *ret. */
int log_file_open(const char *path, int64_t max_bytes, int64_t keep,
		  struct log_file **ret, struct err *err);

/* Writes `line` with a line end. What the disk does not take is lost: there is nobody
 * left to tell. Borrows `line`. */
void log_file_write(struct log_file *log, const char *line);

/* Closes it; NULL is fine. */
void log_file_close(struct log_file *log);

#endif

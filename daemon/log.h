/* log.h - the one place that prints for operators: text or JSON lines on standard error
 * (journald and `run` in a console), and in a file where there is one, the level first,
 * `cert=` and `run=` on every line that has them. Thread-safe. Everything else returns
 * errors and lets the top log once.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include "base/err.h"
#include "config/config.h"

enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Chooses the format. Text to a journal carries "<6>"-style priorities and no time, text
 * elsewhere the time first (RFC 3339). */
void log_open(enum log_format format);

/* What the daemon's configuration says: log_open(), and the file, which is
 * `default_file` where it names none; NULL: none at all. When a new file cannot be opened
 * the old one stays. */
int log_configure(const struct config *config, const char *default_file, struct err *err);

/* One line. cert and run may be NULL. */
void log_line(enum log_level level, const char *cert, const char *run, const char *fmt,
	      ...) PRINTF_LIKE(4, 5);

#endif

#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/journal_stream.h"
#include "daemon/log_file.h"

#define MESSAGE_MAX 4096

static const struct {
	const char *name;
	int priority; /* syslog's, for the journal */
} levels[] = {
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_ERROR] = { "error", 3 },
};

/* The only state of the process that any line may touch. */
static struct {
	uv_once_t once;
	uv_mutex_t mutex; /* over the rest, and over a line on its way out */
	enum log_format format;
	bool journal;
	struct log_file *file; /* NULL: none */
} logger = { .once = UV_ONCE_INIT };

static void logger_init(void)
{
	if (uv_mutex_init(&logger.mutex))
		abort();
}

static void logger_lock(void)
{
	uv_once(&logger.once, logger_init);
	uv_mutex_lock(&logger.mutex);
}

void log_open(enum log_format format)
{
	logger_lock();
	logger.format = format;
	logger.journal = stderr_is_journal();
	uv_mutex_unlock(&logger.mutex);
}

int log_configure(const struct config *config, const char *default_file, struct err *err)
{
	const char *path = config->log_file ? config->log_file : default_file;
	struct log_file *file = NULL, *before;

	log_open(config->log_format);
	if (path &&
	    log_file_open(path, config->log_max_bytes, config->log_keep, &file, err))
		return -1;
	logger_lock();
	before = logger.file;
	logger.file = file;
	uv_mutex_unlock(&logger.mutex);
	log_file_close(before);
	return 0;
}

/* Gives the line as JSON. */
static char *line_json(enum log_level level, const char *cert, const char *run,
		       const char *message)
{
	cJSON *line = cJSON_CreateObject();
	char now[CLOCK_TEXT_MAX], *text;

	if (!line)
		abort();
	clock_format_rfc3339(clock_wall(), now);
	json_set_string(line, "time", now);
	json_set_string(line, "level", levels[level].name);
	if (cert)
		json_set_string(line, "cert", cert);
	if (run)
		json_set_string(line, "run", run);
	json_set_string(line, "message", message);
	text = json_print(line);
	cJSON_Delete(line);
	return text;
}

/* Gives the line as text; `journal`: the priority instead of the time. */
static char *line_text(enum log_level level, const char *cert, const char *run,
		       const char *message, bool journal)
{
	char head[CLOCK_TEXT_MAX + 8];

	if (journal)
		snprintf(head, sizeof(head), "<%d>", levels[level].priority);
	else
		clock_format_rfc3339(clock_wall(), head);
	return str_printf("%s%s%-5s%s%s%s%s %s", head, journal ? "" : " ",
			  levels[level].name, cert ? " cert=" : "", cert ? cert : "",
			  run ? " run=" : "", run ? run : "", message);
}

/* Gives the line as it is printed, or as it is kept in the file. */
static char *line_for(enum log_level level, const char *cert, const char *run,
		      const char *message, bool journal)
{
	if (logger.format == LOG_FORMAT_JSON)
		return line_json(level, cert, run, message);
	return line_text(level, cert, run, message, journal);
}

void log_line(enum log_level level, const char *cert, const char *run, const char *fmt,
	      ...)
{
	char message[MESSAGE_MAX], *line;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	str_make_printable(message);

	logger_lock();
	line = line_for(level, cert, run, message, logger.journal);
	fprintf(stderr, "%s\n", line);
	fflush(stderr);
	if (logger.file) {
		free(line);
		line = line_for(level, cert, run, message, false);
		log_file_write(logger.file, line);
	}
	uv_mutex_unlock(&logger.mutex);
	free(line);
}

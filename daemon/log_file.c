#include "daemon/log_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/str.h"
#include "daemon/append_file.h"

struct log_file {
	struct append_file *file; /* NULL: could not be opened again */
	char *path;
	int64_t bytes, max_bytes, keep;
	int64_t rotate_at_bytes; /* later than max_bytes after a rotation that failed */
};

int log_file_open(const char *path, int64_t max_bytes, int64_t keep,
		  struct log_file **ret, struct err *err)
{
	struct log_file *log = mem_calloc(1, sizeof(*log));
	char *folder = path_parent(path);
	int rc = -1;

	log->path = str_dup(path);
	log->max_bytes = log->rotate_at_bytes = max_bytes;
	log->keep = keep;
	if (dir_make(folder, FILE_SECRET, err) ||
	    append_file_open(path, &log->file, &log->bytes, err)) {
		err_wrap(err, "log file");
		goto out;
	}
	*ret = log;
	log = NULL;
	rc = 0;
out:
	free(folder);
	log_file_close(log);
	return rc;
}

/* FILE.<number>; gives. */
static char *numbered(const struct log_file *log, int64_t number)
{
	return str_printf("%s.%lld", log->path, (long long)number);
}

static int rename_numbered(const struct log_file *log, int64_t from, int64_t to)
{
	char *old = numbered(log, from), *new = numbered(log, to);
	int rc = append_file_rename(old, new);

	free(old);
	free(new);
	return rc;
}

/* The file itself goes first, to FILE.0: when a reader does not let it go, the older ones
 * have not moved. */
static int put_aside(struct log_file *log)
{
	char *first = numbered(log, 0);
	struct err ignored;
	int rc = append_file_rename(log->path, first);

	if (!rc && !log->keep)
		(void)file_remove(first, &ignored);
	for (int64_t i = log->keep - 1; !rc && i >= 0; i--)
		(void)rename_numbered(log, i, i + 1);
	free(first);
	return rc;
}

static void rotate(struct log_file *log)
{
	struct err ignored;

	append_file_close(log->file);
	log->file = NULL;
	log->rotate_at_bytes = log->max_bytes;
	if (put_aside(log)) /* not for every line until the reader is done */
		log->rotate_at_bytes = log->bytes + log->max_bytes / 16;
	log->bytes = 0;
	if (append_file_open(log->path, &log->file, &log->bytes, &ignored))
		log->file = NULL;
}

void log_file_write(struct log_file *log, const char *line)
{
	char *whole = str_printf("%s\n", line);
	size_t len = strlen(whole);

	if (!log->file ||
	    (log->bytes && log->bytes + (int64_t)len > log->rotate_at_bytes))
		rotate(log);
	if (log->file && !append_file_write(log->file, whole, len))
		log->bytes += (int64_t)len;
	free(whole);
}

void log_file_close(struct log_file *log)
{
	if (!log)
		return;
	append_file_close(log->file);
	free(log->path);
	free(log);
}

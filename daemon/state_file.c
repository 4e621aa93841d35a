#include "daemon/state_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/str.h"

#define LOCK_WAIT_MS 10000

static void err_none(struct err *err)
{
	err->kind = ERR_NONE;
	err->retry_after_s = 0;
	err->text[0] = '\0';
}

/* Gives a name that says when and is not taken yet: what was set aside before stays. */
static char *name_aside(const char *path)
{
	char now[CLOCK_TEXT_MAX], *aside;
	struct file_facts facts;
	struct err ignored;

	clock_format_basic(clock_wall(), now);
	aside = str_printf("%s.damaged-%s", path, now);
	for (unsigned n = 2; n < 100; n++) {
		if (file_inspect(aside, &facts, &ignored) || facts.type == FILE_ABSENT)
			break;
		free(aside);
		aside = str_printf("%s.damaged-%s-%u", path, now, n);
	}
	return aside;
}

int state_file_set_aside(const char *path, struct err *err)
{
	char *aside = name_aside(path);
	struct err why = *err;
	int rc;

	rc = file_rename(path, aside, err);
	if (rc == 0)
		err_set(err, ERR_CONFIG, "%s: set aside as '%s'", why.text, aside);
	else
		err_wrap(err, "%s: set aside", why.text);
	free(aside);
	return rc;
}

/* Reading failed otherwise than by content: is it the name or the size that is wrong? */
static bool is_no_file_of_ours(const char *path, size_t max_bytes)
{
	struct file_facts facts;
	struct err ignored;

	if (file_inspect(path, &facts, &ignored))
		return false;
	return facts.type != FILE_REGULAR || facts.size_bytes > (int64_t)max_bytes;
}

int state_file_read(const char *path, size_t max_bytes, cJSON **ret_json, struct err *err)
{
	err_none(err);
	if (json_read_file(path, max_bytes, ret_json, err) == 0)
		return 0;
	if (err->kind == ERR_NOT_FOUND) {
		err_none(err);
		*ret_json = NULL;
		return 0;
	}
	if (err->kind != ERR_CONFIG && !is_no_file_of_ours(path, max_bytes))
		return -1;
	if (state_file_set_aside(path, err))
		return -1;
	*ret_json = NULL;
	return 0;
}

int state_file_load(const char *path, const struct state_reader *reader, void *ret,
		    struct err *err)
{
	cJSON *file = NULL;
	int rc = state_file_read(path, reader->max_bytes, &file, err);

	if (!rc && file && reader->parse(file, ret)) {
		if (reader->clear)
			reader->clear(ret);
		err_set(err, ERR_CONFIG, "damaged: '%s': not %s", path, reader->is);
		rc = state_file_set_aside(path, err);
	}
	cJSON_Delete(file);
	return rc;
}

static bool is_half_written(const void *ctx, const char *name)
{
	(void)ctx;
	return str_ends(name, FILE_NEW_SUFFIX);
}

int state_file_sweep(const char *folder, struct err *err)
{
	const struct dir_leftovers leftovers = { .is = is_half_written };

	return dir_sweep(folder, &leftovers, err);
}

/* A lock on disk needs no shared mutex. */
int state_file_lock(const char *lock_path, struct file_lock **ret, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + LOCK_WAIT_MS;

	while (file_lock_take(lock_path, ret, err)) {
		if (err->kind != ERR_TRANSIENT || clock_mono_ms() > until_ms)
			return -1;
		clock_sleep_ms(5, NULL);
	}
	return 0;
}

/* Before plain HTTP: how everything looks that the application will reset, with copies;
 * and listener.json, which keeps others away where the application has one. */
#include "hooks/fallback_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/random.h"
#include "hooks/listener.h"

static int add_record(struct fall *fall, const struct change *change, const char *id,
		      struct err *err)
{
	struct journal *kept = &fall->member->kept;
	struct saved saved;
	char *copy;
	int rc;

	if (journal_file(kept, change->path))
		return 0;
	copy = str_printf("settings/%s/%zu", id, kept->n_files);
	rc = saved_take(change, kept->folder, copy, &saved, err);
	if (!rc)
		journal_add_file(kept, &saved);
	free(copy);
	return rc;
}

static int add_copy(struct fall *fall, const char *path, const char *id, struct err *err)
{
	char *name = str_dup(path);
	const struct change change = { .kind = CHANGE_WATCHED, .path = name };
	int rc = add_record(fall, &change, id, err);

	free(name);
	return rc;
}

/* Who could listen to plain HTTP is not known: no better than a guard that failed. */
static int judge_listener(struct fall *fall, int rc, struct err *err)
{
	const struct target *target = fall->member->target;

	if (!rc || !target->even_if_guard_fails || err->kind == ERR_CANCELLED)
		return rc;
	fall_say(fall, "it falls back all the same (even_if_guard_fails): %s", err->text);
	return 0;
}

/* Notes how listener.json is and how it will be, where it is open to everybody. */
static int copy_listener(struct fall *fall, const char *id, struct err *err)
{
	const char *path = fall->member->target->listener_json;
	struct change_list list = { 0 };
	bool open;
	int rc = 0;

	if (!path)
		return 0;
	rc = listener_plan(path, &list, &open, err);
	for (size_t i = 0; i < list.n && !rc; i++)
		rc = add_record(fall, &list.items[i], id, err);
	change_list_clear(&list);
	return judge_listener(fall, rc, err);
}

int fall_close_listener(struct fall *fall, struct err *err)
{
	const char *path = fall->member->target->listener_json;
	struct saved *saved = path ? journal_file(&fall->member->kept, path) : NULL;
	struct change_list list = { 0 };
	enum saved_look look;
	bool open;
	int rc;

	if (!saved)
		return 0;
	if (saved_look(saved, &look, err))
		return -1;
	if (look != LOOK_SAVED) {
		change_tidy(saved->kind, path);
		return 0;
	}
	rc = listener_plan(path, &list, &open, err);
	for (size_t i = 0; i < list.n && !rc; i++)
		rc = saved_apply(saved, &list.items[i], err);
	change_list_clear(&list);
	return judge_listener(fall, rc, err);
}

/* Theobald's settings: `config/server*` below the installation, or above tls.json. */
static char *settings_pattern(const struct target *target)
{
	char *folder, *config, *pattern;

	if (target->install_dir)
		return str_printf("%s/config/server*", target->install_dir);
	folder = path_parent(target->tls_json);
	config = path_parent(folder);
	pattern = path_join(config, "server*");
	free(config);
	free(folder);
	return pattern;
}

static int copy_settings(struct fall *fall, const char *id, struct err *err)
{
	char *pattern = settings_pattern(fall->member->target);
	struct strlist folders = { 0 };
	int rc = dir_glob(pattern, &folders, err);

	for (size_t i = 0; i < folders.n && !rc; i++) {
		struct strlist files = { 0 };

		rc = dir_find(folders.items[i], ".json", &files, err);
		for (size_t j = 0; j < files.n && !rc; j++)
			rc = add_copy(fall, files.items[j], id, err);
		strlist_clear(&files);
	}
	strlist_clear(&folders);
	free(pattern);
	return rc;
}

/* tls.json is the first; where a file cannot be read, every difference stays the
 * product's. */
void fall_note_reset(struct fall *fall)
{
	struct journal *kept = &fall->member->kept;
	struct err err;

	for (size_t i = 1; i < kept->n_files; i++)
		if (saved_note_new(&kept->files[i], &err))
			fall_say(fall, "an edit of '%s' will not be seen: %s",
				 kept->files[i].path, err.text);
}

int fall_copy_all(struct fall *fall, struct err *err)
{
	struct journal *kept = &fall->member->kept;
	char id[9];

	random_hex(id, 8);
	if (add_copy(fall, fall->member->target->tls_json, id, err) ||
	    copy_settings(fall, id, err) || copy_listener(fall, id, err))
		return err_wrap(err, "copy the settings");
	memcpy(kept->files[0].new_sha256, "absent", sizeof("absent"));
	return 0;
}

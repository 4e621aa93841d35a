/* notice_folders.c - in which folders the files of a certificate's targets lie. */
#include "daemon/notice.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"

#define FIRST_GAP_MS 2000
#define LAST_GAP_MS 300000
#define CALM_MS 60000

void notice_folders_clear(struct notice_folders *folders)
{
	for (size_t i = 0; i < folders->n; i++) {
		free(folders->items[i].path);
		strlist_clear(&folders->items[i].names);
	}
	free(folders->items);
	*folders = (struct notice_folders){ 0 };
}

static struct notice_folder *folder_at(struct notice_folders *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_equal(list->items[i].path, path))
			return &list->items[i];
	return NULL;
}

/* `name` NULL: all of them. A folder that is listened to as a whole stays so. */
static void add(struct notice_folders *list, const char *path, const char *name)
{
	struct notice_folder *folder = folder_at(list, path);

	if (folder) {
		if (!name)
			strlist_clear(&folder->names);
		else if (folder->names.n && !strlist_has(&folder->names, name))
			strlist_add(&folder->names, name);
		return;
	}
	if (list->n == NOTICE_FOLDERS_MAX)
		return;
	list->items = mem_realloc(list->items, (list->n + 1) * sizeof(*list->items));
	folder = &list->items[list->n++];
	*folder = (struct notice_folder){ .path = str_dup(path) };
	if (name)
		strlist_add(&folder->names, name);
}

static void add_file(struct notice_folders *list, const char *path)
{
	char *parent;
	size_t len;

	if (!path)
		return;
	parent = path_parent(path);
	len = strlen(parent);
	while (path[len] == '/' || path[len] == '\\')
		len++;
	add(list, parent, path + len);
	free(parent);
}

static void add_store(struct notice_folders *list, const struct store *store)
{
	switch (store->type) {
	case STORE_DIRECTORY:
		add_file(list, store->path);
		add(list, store->path, NULL); /* behind the link: the current version */
		break;
	case STORE_FILES:
		add_file(list, store->key);
		add_file(list, store->cert);
		add_file(list, store->chain);
		add_file(list, store->fullchain);
		break;
	case STORE_WINDOWS: /* the registry and the system's own folders */
	case STORE_NONE:
		break;
	}
}

static void add_settings(struct notice_folders *list, const struct target *target)
{
	const char *const *pattern = target->settings;
	struct strlist folders = { 0 }, files = { 0 };
	struct err ignored;

	for (; pattern && *pattern; pattern++)
		(void)dir_glob(*pattern, &folders, &ignored);
	for (size_t i = 0; i < folders.n; i++)
		(void)dir_find(folders.items[i], ".json", &files, &ignored);
	for (size_t i = 0; i < files.n; i++) {
		char *parent = path_parent(files.items[i]);

		add(list, parent, "*.json");
		free(parent);
	}
	strlist_clear(&files);
	strlist_clear(&folders);
}

void notice_folders_find(const struct certificate_config *certificate,
			 struct notice_folders *ret)
{
	*ret = (struct notice_folders){ 0 };
	for (size_t i = 0; i < certificate->n_targets; i++) {
		const struct target *target = &certificate->targets[i];

		add_file(ret, target->tls_json);
		add_store(ret, &target->store);
		add_settings(ret, target);
	}
}

bool notice_matters(const struct notice_folder *folder, const char *name)
{
	if (!name || !folder->names.n)
		return true;
	for (size_t i = 0; i < folder->names.n; i++) {
		const char *wanted = folder->names.items[i];

		if (wanted[0] == '*' ? str_ends(name, wanted + 1)
				     : str_equal_nocase(name, wanted))
			return true;
	}
	/* The folder itself has moved or gone. */
	return str_ends(folder->path, name);
}

int64_t notice_gap(int64_t gap_ms, int64_t since_ms)
{
	if (!gap_ms || since_ms > CALM_MS + gap_ms)
		return FIRST_GAP_MS;
	return gap_ms < LAST_GAP_MS / 2 ? 2 * gap_ms : LAST_GAP_MS;
}

#include "hooks/trial.h"

#include <stdlib.h>

#include "base/files.h"
#include "base/service.h"
#include "hooks/store.h"

/* A version of certificate and key is some KiB, and so is a copy of tls.json. */
static const struct disk_room needed = { .bytes = INT64_C(1048576), .entries = 16 };

static void add(struct strlist *paths, const char *path)
{
	if (path && !strlist_has(paths, path))
		strlist_add(paths, path);
}

/* The link and, beside it, the folder of its versions. */
static void add_directory(const struct store *store, struct strlist *paths)
{
	char *link = str_printf("%s.new", store->path);
	char *version = str_printf("%s.versions/new", store->path);

	add(paths, link);
	add(paths, version);
	free(version);
	free(link);
}

void target_places(const struct target *target, struct strlist *paths)
{
	const struct store *store = &target->store;

	add(paths, target->tls_json);
	if (store->type == STORE_DIRECTORY)
		add_directory(store, paths);
	if (store->type == STORE_FILES) {
		add(paths, store->key);
		add(paths, store->fullchain);
		add(paths, store->chain);
		add(paths, store->cert);
	}
	for (size_t i = 0; i < target->n_programs; i++) {
		const char *const *path = target->programs[i].changes;

		for (; path && *path; path++)
			add(paths, *path);
	}
}

/* ---- the checks ------------------------------------------------------------ */

static bool has_service(const struct target *target)
{
	return target->service.kind != SERVICE_NONE;
}

static int try_service(const struct target *target, struct err *err)
{
	return service_check(&target->service, err);
}

static bool has_store(const struct target *target)
{
	return target->store.type != STORE_NONE;
}

static int try_key(const struct target *target, struct err *err)
{
	return store_check(&target->store, &target->service, err);
}

static bool has_places(const struct target *target)
{
	struct strlist paths = { 0 };
	bool any;

	target_places(target, &paths);
	any = paths.n > 0;
	strlist_clear(&paths);
	return any;
}

typedef int try_place(const char *path, struct err *err);

/* The first that fails. */
static int each_place(const struct target *target, try_place *try, struct err *err)
{
	struct strlist paths = { 0 };
	int rc = 0;

	target_places(target, &paths);
	for (size_t i = 0; i < paths.n && !rc; i++)
		rc = try(paths.items[i], err);
	strlist_clear(&paths);
	return rc;
}

static int try_room(const char *path, struct err *err)
{
	return disk_check(path, &needed, err);
}

static int try_write(const char *path, struct err *err)
{
	return file_try_beside(path, err);
}

static int try_writes(const struct target *target, struct err *err)
{
	return each_place(target, try_write, err);
}

static int try_rooms(const struct target *target, struct err *err)
{
	return each_place(target, try_room, err);
}

static const struct target_trial trials[] = {
	{ "service", "it is there, and we may act on it", false, has_service,
	  try_service },
	{ "disk", "there is room", true, has_places, try_rooms },
	{ "write", "files can be made, renamed and removed where it keeps its own", true,
	  has_places, try_writes },
	{ "key", "the store can take it, and who has to read it is known", true,
	  has_store, try_key },
};

const struct target_trial *target_trials(size_t *ret_n)
{
	*ret_n = sizeof(trials) / sizeof(*trials);
	return trials;
}

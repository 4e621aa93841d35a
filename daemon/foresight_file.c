/* foresight_file.c - accounts/<issuer>/foresight.json: what an issuer said yesterday. */
#include "daemon/foresight.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES ((size_t)1024 * 1024)
#define FAR_S (2 * INT64_C(86400)) /* planned by a clock that was wrong */

struct place { /* the issuer's files */
	char *folder, *path, *lock_path;
	struct file_lock *lock;
};

static struct place place_of(const char *state_dir, const struct issuer_config *issuer)
{
	struct place place = { .folder = str_printf("%s/accounts/%s", state_dir,
						    issuer->name) };

	place.path = path_join(place.folder, "foresight.json");
	place.lock_path = path_join(place.folder, "foresight.lock");
	return place;
}

static void place_release(struct place *place)
{
	file_lock_release(place->lock);
	free(place->lock_path);
	free(place->path);
	free(place->folder);
}

/* What members are of another type than ours is as good as not there. */
static int read_file(const char *path, cJSON **ret_json, struct err *err)
{
	if (state_file_read(path, FILE_MAX_BYTES, ret_json, err))
		return -1;
	if (!*ret_json)
		*ret_json = cJSON_CreateObject();
	return 0;
}

/* Takes the lock and reads. */
static int begin(struct place *place, cJSON **ret_json, struct err *err)
{
	if (dir_make(place->folder, FILE_SECRET, err) ||
	    state_file_lock(place->lock_path, &place->lock, err))
		return -1;
	return read_file(place->path, ret_json, err);
}

int foresight_read(const char *state_dir, const struct issuer_config *issuer,
		   cJSON **ret_json, struct err *err)
{
	struct place place = place_of(state_dir, issuer);
	int rc = read_file(place.path, ret_json, err);

	place_release(&place);
	return rc;
}

bool foresight_claim(const char *state_dir, const struct issuer_config *issuer,
		     int64_t now, int64_t next_at, struct err *err)
{
	struct place place = place_of(state_dir, issuer);
	bool claimed = false;
	cJSON *json = NULL;
	int64_t planned;

	if (begin(&place, &json, err))
		goto out;
	planned = json_int(json, "ask_again_at", 0);
	if (planned > now && planned <= now + FAR_S)
		goto out;
	json_set_int(json, "ask_again_at", next_at);
	claimed = json_write_file(place.path, json, err) == 0;
out:
	cJSON_Delete(json);
	place_release(&place);
	return claimed;
}

static void learn_directory(cJSON *json, const struct foresight_news *news,
			    struct foresight_changes *changes)
{
	cJSON *before = cJSON_GetObjectItemCaseSensitive(json, "view");
	cJSON *view = foresight_view(news->directory);
	char seen_at[CLOCK_TEXT_MAX];

	foresight_compare(cJSON_IsObject(before) ? before : NULL, view, news->uses,
			  news->n_uses, changes);
	cJSON_DeleteItemFromObjectCaseSensitive(json, "view");
	if (!cJSON_AddItemToObject(json, "view", view))
		abort();
	clock_format_rfc3339(news->now, seen_at);
	json_set_string(json, "seen_at", seen_at);
	json_set_int(json, "ask_again_at", news->ask_again_at);
}

static bool learn_chain(cJSON *json, const struct foresight_news *news,
			struct foresight_changes *changes)
{
	cJSON *seen = cJSON_GetObjectItemCaseSensitive(json, "chain");

	if (!cJSON_IsArray(seen)) {
		cJSON_DeleteItemFromObjectCaseSensitive(json, "chain");
		seen = cJSON_AddArrayToObject(json, "chain");
	}
	return foresight_see_chain(seen, news->cert, news->now, changes);
}

int foresight_learn(const char *state_dir, const struct issuer_config *issuer,
		    const struct foresight_news *news, struct foresight_changes *changes,
		    struct err *err)
{
	struct place place = place_of(state_dir, issuer);
	cJSON *json = NULL;
	bool changed = false;
	struct err read;
	int rc = -1;

	if (begin(&place, &json, err))
		goto out;
	read = *err;
	if (news->directory) {
		learn_directory(json, news, changes);
		changed = true;
	}
	if (news->cert && learn_chain(json, news, changes))
		changed = true;
	if (changed && json_write_file(place.path, json, err))
		goto out;
	*err = read;
	rc = 0;
out:
	if (rc)
		err_wrap(err, "remember what issuer '%s' says", issuer->name);
	cJSON_Delete(json);
	place_release(&place);
	return rc;
}

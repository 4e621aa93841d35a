/* A saved path as it stands in a journal. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "hooks/saved.h"

static const char *const kinds[] = {
	[CHANGE_FILE] = "file",
	[CHANGE_LINK] = "link",
	[CHANGE_WATCHED] = "watched",
};

static const char *const was_names[] = {
	[WAS_ABSENT] = "absent",
	[WAS_FILE] = "file",
	[WAS_LINK] = "link",
};

cJSON *saved_to_json(const struct saved *saved)
{
	cJSON *json = cJSON_CreateObject();

	json_set_string(json, "path", saved->path);
	json_set_string(json, "kind", kinds[saved->kind]);
	json_set_string(json, "was", was_names[saved->was]);
	json_set_string(json, "sha256", saved->sha256);
	json_set_string(json, "copy", saved->copy);
	json_set_string(json, "link", saved->link_target);
	json_set_int(json, "mode", saved->mode);
	json_set_string(json, "owner", saved->owner);
	json_set_string(json, "made_folder", saved->made_folder);
	json_set_string(json, "new_sha256", saved->new_sha256);
	json_set_string(json, "new_link", saved->new_link);
	json_set_bool(json, "theirs", saved->theirs);
	return json;
}

static int index_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_equal(names[i], name))
			return (int)i;
	return -1;
}

static int copy_text(const cJSON *json, const char *name, char *out, size_t size)
{
	const char *text = json_string(json, name);

	if (!text || strlen(text) >= size)
		return -1;
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

/* A copy lies in our folder: a name that climbs out of it is damage. */
static bool copy_is_sane(const char *copy)
{
	return copy && copy[0] != '/' && !strstr(copy, "..");
}

int saved_from_json(const cJSON *json, struct saved *ret)
{
	int kind = index_of(kinds, sizeof(kinds) / sizeof(*kinds),
			    json_string(json, "kind"));
	int was = index_of(was_names, sizeof(was_names) / sizeof(*was_names),
			   json_string(json, "was"));
	struct saved saved = { 0 };

	if (kind < 0 || was < 0 || !json_string(json, "path") ||
	    copy_text(json, "sha256", saved.sha256, sizeof(saved.sha256)) ||
	    copy_text(json, "new_sha256", saved.new_sha256, sizeof(saved.new_sha256)) ||
	    copy_text(json, "owner", saved.owner, sizeof(saved.owner)))
		return -1;
	if (was == WAS_FILE && !copy_is_sane(json_string(json, "copy")))
		return -1;
	if (was == WAS_LINK && !json_string(json, "link"))
		return -1;
	saved.kind = (enum change_kind)kind;
	saved.was = (enum saved_was)was;
	saved.path = str_dup(json_string(json, "path"));
	saved.copy = str_dup(json_string(json, "copy"));
	saved.link_target = str_dup(json_string(json, "link"));
	saved.mode = (uint32_t)json_int(json, "mode", 0);
	saved.made_folder = str_dup(json_string(json, "made_folder"));
	saved.new_link = str_dup(json_string(json, "new_link"));
	saved.theirs = json_bool(json, "theirs", false);
	*ret = saved;
	return 0;
}

/* A journal as JSON. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "hooks/journal.h"

static const char *const step_names[] = {
	[STEP_NONE] = "none",           [STEP_STORED] = "stored",
	[STEP_GUARDED] = "guarded",     [STEP_COPIED] = "copied",
	[STEP_MOVED] = "moved",         [STEP_POINTED] = "pointed",
	[STEP_RESTARTED] = "restarted", [STEP_ANSWERED] = "answered",
	[STEP_VERIFIED] = "verified",   [STEP_RELEASED] = "released",
	[STEP_RETIRED] = "retired",
};

static const char *const end_names[] = {
	[DEPLOY_PENDING] = "pending",         [DEPLOY_DONE] = "done",
	[DEPLOY_ROLLED_BACK] = "rolled_back", [DEPLOY_BROKEN] = "broken",
	[DEPLOY_WAITING] = "waiting",         [DEPLOY_OPERATOR] = "operator",
};

#define N_STEPS (sizeof(step_names) / sizeof(*step_names))
#define N_ENDS (sizeof(end_names) / sizeof(*end_names))

_Static_assert(N_STEPS == STEP_RETIRED + 1, "every step has a name");
_Static_assert(N_ENDS == DEPLOY_OPERATOR + 1, "every end has a name");

const char *journal_step_name(enum journal_step step)
{
	return step_names[step];
}

const char *deploy_end_name(enum deploy_end end)
{
	return end_names[end];
}

static cJSON *baseline_to_json(const struct journal_baseline *baseline)
{
	cJSON *json = cJSON_CreateObject();

	json_set_string(json, "connect", baseline->connect);
	json_set_string(json, "kind", probe_kind_name(baseline->seen.kind));
	json_set_string(json, "sha1", baseline->seen.sha1);
	json_set_string(json, "sha256", baseline->seen.sha256);
	json_set_int(json, "not_after", baseline->seen.not_after);
	json_set_bool(json, "chain_complete", baseline->seen.chain_complete);
	return json;
}

static cJSON *replaced_to_json(const struct journal_replaced *replaced)
{
	cJSON *json = cJSON_CreateObject();

	json_set_string(json, "sha1", replaced->sha1);
	json_set_int(json, "version", replaced->version);
	json_set_int(json, "at", replaced->at);
	return json;
}

/* json_int() knows no integers beyond 2^53: "never" is null. */
static void set_moment(cJSON *json, const char *name, int64_t at)
{
	if (at == CLOCK_NEVER)
		json_set_string(json, name, NULL);
	else
		json_set_int(json, name, at);
}

static void lists_to_json(const struct journal *journal, cJSON *json)
{
	cJSON *files = cJSON_AddArrayToObject(json, "files");
	cJSON *baseline = cJSON_AddArrayToObject(json, "baseline");
	cJSON *created = cJSON_AddArrayToObject(json, "created");
	cJSON *replaced = cJSON_AddArrayToObject(json, "replaced");

	for (size_t i = 0; i < journal->n_files; i++)
		cJSON_AddItemToArray(files, saved_to_json(&journal->files[i]));
	for (size_t i = 0; i < journal->n_baseline; i++)
		cJSON_AddItemToArray(baseline, baseline_to_json(&journal->baseline[i]));
	for (size_t i = 0; i < journal->created.n; i++)
		cJSON_AddItemToArray(created,
				     cJSON_CreateString(journal->created.items[i]));
	for (size_t i = 0; i < journal->n_replaced; i++)
		cJSON_AddItemToArray(replaced, replaced_to_json(&journal->replaced[i]));
}

cJSON *journal_to_json(const struct journal *journal)
{
	cJSON *json = cJSON_CreateObject();

	json_set_string(json, "run", journal->run);
	json_set_string(json, "new_sha1", journal->new_sha1);
	json_set_string(json, "old_sha1", journal->old_sha1);
	json_set_int(json, "version", journal->version);
	json_set_string(json, "state", step_names[journal->state]);
	json_set_string(json, "intent", step_names[journal->intent]);
	json_set_string(json, "direction", journal->back ? "back" : "forward");
	json_set_string(json, "end", end_names[journal->end]);
	json_set_string(json, "why", journal->why);
	json_set_bool(json, "from_http", journal->from_http);
	json_set_bool(json, "by_operator", journal->by_operator);
	json_set_bool(json, "old_missing", journal->old_missing);
	json_set_int(json, "old_not_after", journal->old_not_after);
	set_moment(json, "verified_at", journal->verified_at);
	set_moment(json, "retire_at", journal->retire_at);
	json_set_int(json, "soak_until", journal->soak_until);
	lists_to_json(journal, json);
	return json;
}

static int index_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_equal(names[i], name))
			return (int)i;
	return -1;
}

static int get_text(const cJSON *json, const char *name, char *out, size_t size)
{
	const char *text = json_string(json, name);

	if (!text || strlen(text) >= size)
		return -1;
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int baseline_from_json(const cJSON *json, struct journal *journal)
{
	static const char *const names[] = { "nothing", "plain", "tls" };
	int kind = index_of(names, 3, json_string(json, "kind"));
	struct probe_result seen = { 0 };

	if (kind < 0 || !json_string(json, "connect") ||
	    get_text(json, "sha1", seen.sha1, sizeof(seen.sha1)) ||
	    get_text(json, "sha256", seen.sha256, sizeof(seen.sha256)))
		return -1;
	seen.kind = (enum probe_kind)kind;
	seen.not_after = json_int(json, "not_after", 0);
	seen.chain_complete = json_bool(json, "chain_complete", false);
	journal_add_baseline(journal, json_string(json, "connect"), &seen);
	return 0;
}

static int replaced_from_json(const cJSON *json, struct journal *journal)
{
	struct journal_replaced replaced = { 0 };

	if (get_text(json, "sha1", replaced.sha1, sizeof(replaced.sha1)))
		return -1;
	replaced.version = json_int(json, "version", 0);
	replaced.at = json_int(json, "at", 0);
	journal_add_replaced(journal, &replaced);
	return 0;
}

static int lists_from_json(const cJSON *json, struct journal *journal)
{
	const cJSON *item;
	struct saved saved;

	cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(json, "files")) {
		if (saved_from_json(item, &saved))
			return -1;
		journal_add_file(journal, &saved);
	}
	cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(json, "baseline")) {
		if (baseline_from_json(item, journal))
			return -1;
	}
	cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(json, "created")) {
		if (!cJSON_IsString(item))
			return -1;
		strlist_add(&journal->created, item->valuestring);
	}
	cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(json, "replaced")) {
		if (replaced_from_json(item, journal))
			return -1;
	}
	return 0;
}

int journal_from_json(const cJSON *json, struct journal *journal)
{
	int state = index_of(step_names, N_STEPS, json_string(json, "state"));
	int intent = index_of(step_names, N_STEPS, json_string(json, "intent"));
	int end = index_of(end_names, N_ENDS, json_string(json, "end"));
	const char *direction = json_string(json, "direction");

	if (state < 0 || intent < 0 || end < 0 || !direction ||
	    get_text(json, "run", journal->run, sizeof(journal->run)) ||
	    get_text(json, "new_sha1", journal->new_sha1, sizeof(journal->new_sha1)) ||
	    get_text(json, "old_sha1", journal->old_sha1, sizeof(journal->old_sha1)) ||
	    get_text(json, "why", journal->why, sizeof(journal->why)))
		return -1;
	journal->version = json_int(json, "version", 0);
	journal->state = (enum journal_step)state;
	journal->intent = (enum journal_step)intent;
	journal->back = str_equal(direction, "back");
	journal->end = (enum deploy_end)end;
	journal->from_http = json_bool(json, "from_http", false);
	journal->by_operator = json_bool(json, "by_operator", false);
	journal->old_missing = json_bool(json, "old_missing", false);
	journal->old_not_after = json_int(json, "old_not_after", 0);
	journal->verified_at = json_int(json, "verified_at", 0);
	journal->retire_at = json_int(json, "retire_at", CLOCK_NEVER);
	journal->soak_until = json_int(json, "soak_until", 0);
	return lists_from_json(json, journal);
}

#include "daemon/winacme/handover.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "daemon/state_file.h"

#define HANDOVER_MAX_BYTES ((size_t)1024 * 1024)

/* A task's member "state". */
#define WAITING "waiting" /* for the rest of its certificates */
#define OFF "off"         /* by us */
#define ON "on"           /* by the operator's word, or because we could not */

struct record {
	char *path;
	struct file_lock *lock;
	cJSON *json; /* NULL: nothing was imported */
};

static int record_open(struct record *record, const char *state_dir, struct err *err)
{
	char *lock = path_join(state_dir, "handover.lock");
	struct file_facts facts;
	int rc = -1;

	memset(record, 0, sizeof(*record));
	record->path = path_join(state_dir, "handover.json");
	if (file_inspect(record->path, &facts, err))
		goto out;
	if (facts.type != FILE_ABSENT &&
	    (state_file_lock(lock, &record->lock, err) ||
	     state_file_read(record->path, HANDOVER_MAX_BYTES, &record->json, err)))
		goto out;
	rc = 0;
out:
	free(lock);
	return rc;
}

static void record_close(struct record *record)
{
	cJSON_Delete(record->json);
	file_lock_release(record->lock);
	free(record->path);
}

static cJSON *tasks_of(const struct record *record)
{
	return cJSON_GetObjectItemCaseSensitive(record->json, "tasks");
}

/* ---- beginning ----------------------------------------------------------- */

static cJSON *task_of(const struct winacme_endpoint *endpoint)
{
	cJSON *task = cJSON_CreateObject();
	cJSON *waiting = cJSON_AddArrayToObject(task, "certificates");
	cJSON *left = cJSON_AddArrayToObject(task, "not_taken_over");

	json_set_string(task, "task", endpoint->task);
	json_set_string(task, "state", WAITING);
	for (size_t i = 0; i < endpoint->n_renewals; i++) {
		const struct winacme_renewal *renewal = &endpoint->renewals[i];

		cJSON_AddItemToArray(renewal->refusals.n ? left : waiting,
				     cJSON_CreateString(renewal->name));
	}
	return task;
}

int handover_begin(const char *state_dir, const struct winacme *found, struct err *err)
{
	char *path = path_join(state_dir, "handover.json");
	cJSON *json = cJSON_CreateObject();
	cJSON *tasks = cJSON_AddArrayToObject(json, "tasks");
	int rc;

	for (size_t i = 0; i < found->n_endpoints; i++)
		cJSON_AddItemToArray(tasks, task_of(&found->endpoints[i]));
	rc = json_write_file(path, json, err);
	cJSON_Delete(json);
	free(path);
	return rc;
}

/* ---- a certificate is proven --------------------------------------------- */

/* Takes the name out of what the task waits for; false when it was not there. */
static bool cross_out(cJSON *task, const char *certificate)
{
	cJSON *names = cJSON_GetObjectItemCaseSensitive(task, "certificates");

	for (int i = 0; i < cJSON_GetArraySize(names); i++) {
		const cJSON *name = cJSON_GetArrayItem(names, i);

		if (!cJSON_IsString(name) || strcmp(name->valuestring, certificate) != 0)
			continue;
		cJSON_DeleteItemFromArray(names, i);
		return true;
	}
	return false;
}

static size_t count(const cJSON *task, const char *list)
{
	return (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(task, list));
}

static void switch_off(cJSON *task, struct strlist *notes)
{
	const char *name = json_string(task, "task");
	struct err err;
	char *text;

	if (count(task, "not_taken_over")) {
		json_set_string(task, "state", ON);
		text = str_printf("the task '%s' stays on: it renews what was not taken "
				  "over",
				  name);
	} else if (winacme_switch_task(name, false, &err)) {
		json_set_string(task, "state", ON);
		text = str_printf("%s; switch it off by hand: all that it renewed is "
				  "served by certrenewd",
				  err.text);
	} else {
		json_set_string(task, "state", OFF);
		text = str_printf(
			"the task '%s' is switched off: all that it renewed is "
			"served by certrenewd (back: certrenewd import win-acme "
			"--undo)",
			name);
	}
	strlist_add(notes, text);
	free(text);
}

int handover_proven(const char *state_dir, const char *certificate, struct strlist *notes,
		    struct err *err)
{
	struct record record;
	bool changed = false;
	cJSON *task;
	int rc = -1;

	if (record_open(&record, state_dir, err))
		goto out;
	cJSON_ArrayForEach (task, tasks_of(&record)) {
		if (!str_equal(json_string(task, "state"), WAITING) ||
		    !json_string(task, "task") || !cross_out(task, certificate))
			continue;
		changed = true;
		if (!count(task, "certificates"))
			switch_off(task, notes);
	}
	if (changed && json_write_file(record.path, record.json, err))
		goto out;
	rc = 0;
out:
	record_close(&record);
	return rc;
}

/* ---- back ---------------------------------------------------------------- */

static int switch_on(cJSON *task, struct strlist *notes, struct err *err)
{
	const char *name = json_string(task, "task");
	char *text;

	if (!name)
		return 0;
	if (str_equal(json_string(task, "state"), OFF) &&
	    winacme_switch_task(name, true, err))
		return -1;
	text = str_printf("the task '%s' is on, and is left so", name);
	strlist_add(notes, text);
	free(text);
	json_set_string(task, "state", ON);
	return 0;
}

int handover_undo(const char *state_dir, struct strlist *notes, struct err *err)
{
	struct record record;
	cJSON *task;
	int rc = -1;

	if (record_open(&record, state_dir, err))
		goto out;
	if (!record.json) {
		err_set(err, ERR_NOT_FOUND, "nothing was imported from win-acme here");
		goto out;
	}
	cJSON_ArrayForEach (task, tasks_of(&record)) {
		if (switch_on(task, notes, err))
			goto out;
	}
	rc = json_write_file(record.path, record.json, err);
out:
	record_close(&record);
	return rc;
}

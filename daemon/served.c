#include "daemon/served.h"

#include <stdlib.h>
#include <string.h>

#include "acme/chains.h"
#include "base/files.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES ((size_t)1024 * 1024)

static bool is_ours(const struct served_facts *facts, size_t i)
{
	const struct probe_result *seen = &facts->view->endpoints[i];

	return seen->kind == PROBE_TLS &&
	       !strcmp(seen->sha256, cert_sha256(facts->stored));
}

static cJSON *entry_of(cJSON *seen, const char *target, const char *connect)
{
	cJSON *each;

	cJSON_ArrayForEach (each, seen) {
		if (str_equal(json_string(each, "target"), target) &&
		    str_equal(json_string(each, "connect"), connect))
			return each;
	}
	each = cJSON_CreateObject();
	if (!each || !cJSON_AddItemToArray(seen, each))
		abort();
	json_set_string(each, "target", target);
	json_set_string(each, "connect", connect);
	return each;
}

bool served_update(cJSON *seen, const struct served_facts *facts)
{
	bool changed = false;

	for (size_t i = 0; facts->view->endpoints && i < facts->view->n_endpoints; i++) {
		const struct probe_result *now = &facts->view->endpoints[i];
		cJSON *entry;

		if (!is_ours(facts, i))
			continue;
		entry = entry_of(seen, facts->target->name,
				 facts->target->verify[i].connect);
		if (str_equal(json_string(entry, "sha1"), now->sha1) &&
		    str_equal(json_string(entry, "issuers"), now->issuers) &&
		    json_bool(entry, "complete", !now->chain_complete) ==
			    now->chain_complete)
			continue;
		json_set_string(entry, "sha1", now->sha1);
		json_set_string(entry, "issuers", now->issuers);
		json_set_bool(entry, "complete", now->chain_complete);
		changed = true;
	}
	return changed;
}

char *served_complaint(const struct served_facts *facts, size_t i)
{
	const struct probe_result *seen = &facts->view->endpoints[i];

	if (!facts->wanted || !is_ours(facts, i) ||
	    !chain_is_from(facts->stored, facts->wanted) ||
	    probe_issuers_have(seen->issuers, facts->wanted))
		return NULL;
	return str_printf("%s serves the %s chain '%s', not the one from '%s' that was "
			  "brought in",
			  facts->target->verify[i].connect,
			  seen->chain_complete ? "complete" : "incomplete", seen->issuers,
			  facts->wanted);
}

cJSON *served_read(const char *folder, struct err *err)
{
	char *path = path_join(folder, "served.json");
	cJSON *file = NULL, *seen = NULL;

	if (!state_file_read(path, FILE_MAX_BYTES, &file, err) && file) {
		seen = cJSON_DetachItemFromObjectCaseSensitive(file, "endpoints");
		if (!cJSON_IsArray(seen)) {
			cJSON_Delete(seen);
			seen = NULL;
			err_set(err, ERR_CONFIG, "damaged: '%s': no list of endpoints",
				path);
			(void)state_file_set_aside(path, err);
		}
	}
	cJSON_Delete(file);
	free(path);
	return seen ? seen : cJSON_CreateArray();
}

int served_write(const char *folder, const cJSON *seen, struct err *err)
{
	char *path = path_join(folder, "served.json");
	cJSON *file = cJSON_CreateObject();
	int rc;

	if (!cJSON_AddItemToObject(file, "endpoints", cJSON_Duplicate(seen, true)))
		abort();
	rc = json_write_file(path, file, err);
	cJSON_Delete(file);
	free(path);
	return rc;
}

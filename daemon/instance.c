#include "daemon/instance.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/files.h"
#include "base/json.h"
#include "base/random.h"

#define MAX_BYTES 4096

static int make(const char *path, struct instance *instance, struct err *err)
{
	cJSON *json = cJSON_CreateObject();
	int rc;

	random_hex(instance->id, INSTANCE_ID_LENGTH);
	json_set_string(json, "instance", instance->id);
	rc = json_write_file(path, json, err);
	cJSON_Delete(json);
	return rc;
}

int instance_read(const char *state_dir, struct instance *ret, struct err *err)
{
	char *path = path_join(state_dir, "instance.json");
	struct instance instance = { .host = "?" };
	size_t size = sizeof(instance.host);
	const char *id = NULL;
	cJSON *json = NULL;
	int rc = -1;

	(void)uv_os_gethostname(instance.host, &size);
	if (!json_read_file(path, MAX_BYTES, &json, err))
		id = json_string(json, "instance");
	else if (err->kind != ERR_NOT_FOUND && err->kind != ERR_CONFIG)
		goto out;
	if (id && strlen(id) == INSTANCE_ID_LENGTH)
		str_copy(instance.id, sizeof(instance.id), id);
	else if (make(path, &instance, err))
		goto out;
	*ret = instance;
	rc = 0;
out:
	cJSON_Delete(json);
	free(path);
	return rc ? err_wrap(err, "who we are") : 0;
}

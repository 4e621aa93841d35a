#include "daemon/instance.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "daemon/state_file.h"

#define MAX_BYTES 4096
#define HEX "0123456789abcdef"

static int from_json(const cJSON *file, void *into)
{
	struct instance *instance = into;
	const char *id = json_string(file, "instance");

	if (!id || strlen(id) != INSTANCE_ID_LENGTH ||
	    strspn(id, HEX) != INSTANCE_ID_LENGTH)
		return -1;
	str_copy(instance->id, sizeof(instance->id), id);
	return 0;
}

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
	static const struct state_reader reader = { MAX_BYTES, "a name of ours",
						    from_json, NULL };
	char *path = path_join(state_dir, "instance.json");
	struct instance instance = { .host = "?" };
	size_t size = sizeof(instance.host);
	struct err read;
	int rc = -1;

	(void)uv_os_gethostname(instance.host, &size);
	machine_id(instance.machine);
	if (state_file_load(path, &reader, &instance, err))
		goto out;
	read = *err; /* whether it was set aside: told even when all goes well */
	if (!instance.id[0] && make(path, &instance, err))
		goto out;
	*err = read;
	*ret = instance;
	rc = 0;
out:
	free(path);
	return rc ? err_wrap(err, "who we are") : 0;
}

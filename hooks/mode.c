#include "hooks/mode.h"

#include <stdlib.h>

#include "base/files.h"
#include "base/json.h"
#include "base/str.h"

#define MODE_MAX_BYTES 4096

static const char *const names[] = {
	[MODE_HTTPS] = "https",
	[MODE_FALLBACK] = "fallback",
	[MODE_OPERATOR] = "operator",
};

#define N_MODES (sizeof(names) / sizeof(*names))

_Static_assert(N_MODES == MODE_OPERATOR + 1, "every mode has a name");

const char *target_mode_name(enum target_mode mode)
{
	return names[mode];
}

int target_mode_read(const char *folder, const char *target, enum target_mode *ret,
		     struct err *err)
{
	char *path = str_printf("%s/targets/%s/mode.json", folder, target);
	cJSON *json = NULL;
	int rc = -1;

	*ret = MODE_HTTPS;
	if (json_read_file(path, MODE_MAX_BYTES, &json, err)) {
		rc = err->kind == ERR_NOT_FOUND ? 0 : err_wrap(err, "read '%s'", path);
		goto out;
	}
	for (size_t i = 0; i < N_MODES && rc; i++) {
		if (!str_equal(json_string(json, "mode"), names[i]))
			continue;
		*ret = (enum target_mode)i;
		rc = 0;
	}
	if (rc)
		err_set(err, ERR_CONFIG, "'%s' is damaged: it names no mode", path);
out:
	cJSON_Delete(json);
	free(path);
	return rc;
}

int target_mode_write(const char *folder, const char *target, enum target_mode mode,
		      struct err *err)
{
	char *parent = str_printf("%s/targets/%s", folder, target);
	char *path = path_join(parent, "mode.json");
	cJSON *json = cJSON_CreateObject();
	int rc = -1;

	json_set_string(json, "mode", names[mode]);
	if (dir_make(parent, FILE_SECRET, err) || json_write_file(path, json, err)) {
		err_wrap(err, "remember the mode of target '%s'", target);
		goto out;
	}
	rc = 0;
out:
	cJSON_Delete(json);
	free(path);
	free(parent);
	return rc;
}

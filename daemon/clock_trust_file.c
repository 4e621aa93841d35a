/* clock_trust_file.c - <state_dir>/clock.json. What it means: clock_trust.c. */
#include "daemon/clock_trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json.h"
#include "daemon/state_file.h"

#define FILE_MAX_BYTES 4096

/* Instants that a clock can have shown: no arithmetic on the others. */
static bool is_instant(const cJSON *file, const char *name)
{
	return json_int(file, name, -1) >= 0;
}

static int from_json(const cJSON *file, void *into)
{
	struct clock_trust trust = { 0 };
	const char *boot_id = json_string(file, "boot_id");

	if (!is_instant(file, "confirmed_at") || !is_instant(file, "confirmed_mono_ms") ||
	    !boot_id || strlen(boot_id) >= sizeof(trust.boot_id))
		return -1;
	trust.ever = json_bool(file, "ever", false);
	trust.confirmed_at = json_int(file, "confirmed_at", 0);
	trust.confirmed_mono_ms = json_int(file, "confirmed_mono_ms", 0);
	snprintf(trust.boot_id, sizeof(trust.boot_id), "%s", boot_id);
	trust.disagreed = json_bool(file, "disagreed", false);
	trust.off_by_s = json_int(file, "off_by_s", 0);
	*(struct clock_trust *)into = trust;
	return 0;
}

int clock_trust_read(const char *state_dir, struct clock_trust *ret, struct err *err)
{
	static const struct state_reader reader = { FILE_MAX_BYTES,
						    "a confirmation of the clock",
						    from_json, NULL };
	char *path = path_join(state_dir, "clock.json");
	struct clock_trust trust = { 0 };
	int rc = state_file_load(path, &reader, &trust, err);

	if (!rc)
		*ret = trust;
	free(path);
	return rc;
}

int clock_trust_write(const char *state_dir, const struct clock_trust *trust,
		      struct err *err)
{
	char *path = path_join(state_dir, "clock.json");
	cJSON *file = cJSON_CreateObject();
	int rc;

	if (!file)
		abort();
	json_set_bool(file, "ever", trust->ever);
	json_set_int(file, "confirmed_at", trust->confirmed_at);
	json_set_int(file, "confirmed_mono_ms", trust->confirmed_mono_ms);
	json_set_string(file, "boot_id", trust->boot_id);
	json_set_bool(file, "disagreed", trust->disagreed);
	json_set_int(file, "off_by_s", trust->off_by_s);
	rc = json_write_file(path, file, err);
	cJSON_Delete(file);
	free(path);
	return rc;
}

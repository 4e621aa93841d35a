#include "config/trust.h"

#include "base/files.h"
#include "config/fields.h"

static bool is_absent(const char *path)
{
	struct file_facts facts;
	struct err err;

	return !file_inspect(path, &facts, &err) && facts.type == FILE_ABSENT;
}

static void require(struct reading *reading, struct place place, const char *path,
		    bool disk_may_fail)
{
	struct err err;

	if (!reading->check_trust || is_absent(path))
		return;
	if (file_check_trusted(path, &err) && !(disk_may_fail && err.kind == ERR_IO))
		problem_at(reading->problems, place, "%s", err.text);
}

void trust_require_if_there(struct reading *reading, struct place place, const char *path)
{
	require(reading, place, path, false);
}

void trust_require_state_dir(struct reading *reading, struct place place,
			     const char *path)
{
	require(reading, place, path, reading->watching);
}

void trust_require(struct reading *reading, struct place place, const char *path)
{
	if (reading->check_trust && is_absent(path))
		warning_at(reading->problems, place, "'%s' does not exist", path);
	trust_require_if_there(reading, place, path);
}

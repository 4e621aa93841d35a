/* Journals of a deployment: what was read is written the same. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/json.h"
#include "hooks/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal journal = { 0 }, again = { 0 };
	cJSON *json = NULL, *written, *rewritten;
	char *first, *second;
	struct err err;

	if (json_parse(data, size, &json, &err))
		return 0;
	if (!journal_from_json(json, &journal)) {
		written = journal_to_json(&journal);
		PROMISED(!journal_from_json(written, &again));
		rewritten = journal_to_json(&again);
		first = json_print(written);
		second = json_print(rewritten);
		PROMISED(!strcmp(first, second));
		free(first);
		free(second);
		cJSON_Delete(written);
		cJSON_Delete(rewritten);
	}
	journal_release(&journal);
	journal_release(&again);
	cJSON_Delete(json);
	return 0;
}

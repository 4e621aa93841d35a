/* RFC 3339 instants: what is read is written the same. */
#include "tests/fuzz/fuzz.h"

#include "base/clock.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);
	char again[CLOCK_TEXT_MAX];
	int64_t at, back;

	if (!clock_parse_rfc3339(text, &at)) {
		clock_format_rfc3339(at, again);
		if (again[0] != '9' && again[0] != '0') { /* not at the edges */
			PROMISED(!clock_parse_rfc3339(again, &back));
			PROMISED(back == at);
		}
		clock_format_people_local(at, again);
		clock_format_basic(at, again);
	}
	free(text);
	return 0;
}

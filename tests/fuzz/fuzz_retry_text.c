/* "retry after" in the words of a CA. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "acme/retry_text.h"
#include "base/clock.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);
	char instant[CLOCK_TEXT_MAX], *said;
	int64_t at = 0, again = 0;

	if (retry_text_find(text, &at)) {
		PROMISED(strlen(text) >= strlen("retry after 2026-11-21 10:00:00Z"));
		clock_format_rfc3339(at, instant);
		said = str_printf("%.200s retry after %s", "Too many requests,", instant);
		PROMISED(retry_text_find(said, &again) && again == at);
		free(said);
	}
	free(text);
	return 0;
}

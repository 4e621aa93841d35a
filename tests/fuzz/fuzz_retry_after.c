/* Retry-After and HTTP-date. */
#include "tests/fuzz/fuzz.h"

#include "base/clock.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);
	int64_t at, seconds;

	(void)clock_parse_http_date(text, &at);
	if (!clock_parse_retry_after(text, 1793000000, &seconds))
		PROMISED(seconds >= 0 && seconds <= INT64_C(366) * 86400);
	free(text);
	return 0;
}

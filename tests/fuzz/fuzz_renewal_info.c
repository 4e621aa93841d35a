/* Renewal information (RFC 9773). */
#include "tests/fuzz/fuzz.h"

#include "acme/renewal_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acme_renewal_info info;
	struct err err;

	if (renewal_info_parse(data, size, size & 1 ? 21600 : -1, &info, &err))
		return 0;
	PROMISED(info.start_at < info.end_at);
	PROMISED(info.retry_after_s >= 60 && info.retry_after_s <= 86400);
	return 0;
}

/* The CA's directory. */
#include "tests/fuzz/fuzz.h"

#include "acme/directory.h"
#include "acme/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acme_directory directory;
	struct err err;

	if (acme_directory_parse(data, size, &directory, &err))
		return 0;
	PROMISED(url_is_https(directory.new_nonce));
	PROMISED(url_is_https(directory.new_account));
	PROMISED(url_is_https(directory.new_order));
	PROMISED(!directory.renewal_info || url_is_https(directory.renewal_info));
	acme_directory_clear(&directory);
	return 0;
}

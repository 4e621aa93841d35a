/* tls.json: what is read, and that writing keeps it a document that says what we wrote.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/str.h"
#include "hooks/settings.h"
#include "hooks/tls_json.h"

static const struct tls_json_values values = {
	.tls_enabled = true,
	.subject_alt_name = "a.example",
	.issuer = "CN=Root, O=\"A, B\"",
	.not_after = "20270101T000000.000Z",
	.thumbprint = "0123456789ABCDEF0123456789ABCDEF01234567",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_json_values seen, again;
	struct err err;
	struct buf out;

	(void)tls_json_read(data, size, &seen, &err);
	buf_init(&out, TLS_JSON_MAX_BYTES);
	if (!tls_json_render(data, size, &values, &out, &err)) {
		PROMISED(!tls_json_read(out.data, out.len, &again, &err));
		PROMISED(again.tls_enabled);
		PROMISED(!strcmp(again.thumbprint, values.thumbprint));
		PROMISED(!strcmp(again.subject_alt_name, values.subject_alt_name));
	} else {
		PROMISED(err.text[0] && !strpbrk(err.text, "\n\r\033"));
	}
	buf_release(&out);
	return 0;
}

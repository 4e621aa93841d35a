/* Quoted strings of TXT records: what is written means what it was written from. */
#include "tests/fuzz/fuzz.h"

#include "base/str.h"
#include "hooks/dns/txt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);
	struct buf quoted;

	for (int escapes = TXT_DECIMAL; escapes <= TXT_OCTAL; escapes++) {
		(void)txt_means(text, (enum txt_escapes)escapes, "value");
		buf_init(&quoted, 16 << 20);
		txt_quote(text, (enum txt_escapes)escapes, &quoted);
		PROMISED(txt_means(buf_str(&quoted), (enum txt_escapes)escapes, text));
		buf_release(&quoted);
	}
	free(text);
	return 0;
}

/* Values of CAA records: one a line. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/str.h"
#include "hooks/caa.h"

#define RECORDS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const domains[] = { "ca.example", NULL };
	const struct caa_question question = { .identifier = "a.example",
					       .issuer_domains = domains,
					       .account_url = "https://ca.example/1",
					       .method = "dns-01" };
	char *text = str_ndup((const char *)data, size), *rest = text;
	struct caa_record records[RECORDS_MAX];
	char tag[] = "issue", at[] = "a.example";
	struct caa_set set = { .items = records, .at = at };
	struct err err = { 0 };

	while (rest && set.n < RECORDS_MAX) {
		char *next = strchr(rest, '\n');

		if (next)
			*next++ = '\0';
		records[set.n++] = (struct caa_record){ .tag = tag, .value = rest };
		rest = next;
	}
	/* Who is not named is not allowed. */
	if (caa_check(&set, &question, &err) == 0) {
		bool named = false;

		for (size_t i = 0; i < set.n; i++)
			named |= strlen(records[i].value) >= strlen(domains[0]);
		PROMISED(named);
	} else {
		PROMISED(err.kind == ERR_REFUSED && *err.text);
	}
	free(text);
	return 0;
}

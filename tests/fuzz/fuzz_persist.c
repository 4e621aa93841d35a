/* TXT records of dns-persist-01, read as strangers publish them and as we make them. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "acme/acme.h"
#include "base/clock.h"

#define ACCOUNT "https://ca.example/acct/1"

static const char *const domains[] = { "ca.example", "other.example", NULL };

static void made_by_us(const uint8_t *data)
{
	int64_t until = 0, read_until;
	bool wildcard = data[0] & 1U, read_wildcard;
	char *record;

	for (int i = 1; i < 7; i++)
		until = until << 8 | data[i];
	record = acme_persist_record(domains[data[0] >> 1 & 1U], ACCOUNT, wildcard,
				     until);
	PROMISED(acme_persist_matches(record, domains, ACCOUNT, &read_until,
				      &read_wildcard));
	PROMISED(read_wildcard == wildcard);
	PROMISED(read_until == (until ? until : CLOCK_NEVER));
	PROMISED(!acme_persist_matches(record, domains, ACCOUNT "2", &read_until,
				       &read_wildcard));
	PROMISED(!acme_persist_matches(record, domains + 2, ACCOUNT, &read_until,
				       &read_wildcard));
	free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_ndup((const char *)data, size);
	bool wildcard;
	int64_t until;

	if (acme_persist_matches(text, domains, ACCOUNT, &until, &wildcard)) {
		PROMISED(strstr(text, ACCOUNT) != NULL);
		PROMISED(until >= 0);
		PROMISED(!acme_persist_matches(text, domains, ACCOUNT "2", &until,
					       &wildcard));
	}
	if (size >= 7)
		made_by_us(data);
	free(text);
	return 0;
}

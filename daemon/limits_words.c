/* limits_words.c - what a CA means when it says "not now", read from its words: there is
 * no other place where it says whether the account or these names have to wait. */
#include "daemon/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/identifier.h"

#define RETRY_AFTER "retry after "
#define DATE_LENGTH 19 /* "2026-11-21 03:31:28", or with a T */

/* Where the CA's own words begin: as acme/problem.c and acme/answer.c write them. */
static const char *words_of(const char *text)
{
	static const char *const marks[] = { "rateLimited", "serverInternal",
					     "' answered 429", "' answered 503" };
	const char *at;

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		at = strstr(text, marks[i]);
		if (at)
			return *at == '\'' ? at + 2 : at;
	}
	return NULL;
}

/* Let's Encrypt: "retry after 2026-11-21 03:31:28 UTC: see https://..." */
static int64_t stated_instant(const char *text)
{
	const char *at = strstr(text, RETRY_AFTER);
	char *date;
	int64_t instant = 0;

	if (!at || strlen(at + strlen(RETRY_AFTER)) < DATE_LENGTH)
		return 0;
	at += strlen(RETRY_AFTER);
	date = str_printf("%.*sZ", DATE_LENGTH, at);
	date[10] = 'T';
	if (clock_parse_rfc3339(date, &instant))
		instant = 0;
	free(date);
	return instant;
}

static bool names_one(const char *text, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		if (strstr(text, identifier_base(names[i])) ||
		    strstr(text, limits_domain(names[i])))
			return true;
	}
	return strstr(text, "exact set") != NULL;
}

struct limits_refusal limits_hear(const char *text, const char *const *names)
{
	struct limits_refusal refusal = { .text = words_of(text) };

	if (!refusal.text)
		return refusal;
	refusal.until = stated_instant(refusal.text);
	refusal.about_names = names_one(refusal.text, names);
	return refusal;
}

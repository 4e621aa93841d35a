/* suggest.h - "did you mean 'issuers'?" */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include <stddef.h>

/* One search: start with { .typed = text }, offer every candidate, read .nearest. */
struct suggestion {
	const char *typed;   /* what the operator wrote */
	const char *nearest; /* NULL: nothing comes close. Borrowed from the candidate */
	size_t distance;
};

/* Considers one candidate, which must live as long as the suggestion. */
void suggest_offer(struct suggestion *suggestion, const char *candidate);

/* Writes ": did you mean 'x'?", or "" when nothing comes close. Returns `out`. */
const char *suggest_text(const struct suggestion *suggestion, char *out, size_t size);

#endif

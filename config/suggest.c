#include "config/suggest.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* A third of the letters may be wrong, one always, four at most. */
static size_t tolerance(const char *text)
{
	size_t third = strlen(text) / 3;

	if (third < 1)
		return 1;
	return third > 4 ? 4 : third;
}

void suggest_offer(struct suggestion *suggestion, const char *candidate)
{
	size_t distance = str_distance(suggestion->typed, candidate);

	if (str_equal_nocase(suggestion->typed, candidate))
		distance = 0;
	if (distance > tolerance(candidate))
		return;
	if (suggestion->nearest && suggestion->distance <= distance)
		return;
	suggestion->nearest = candidate;
	suggestion->distance = distance;
}

const char *suggest_text(const struct suggestion *suggestion, char *out, size_t size)
{
	if (suggestion->nearest)
		snprintf(out, size, ": did you mean '%s'?", suggestion->nearest);
	else
		snprintf(out, size, "%s", "");
	return out;
}

/* breaker.c - the rule. Where the instants are kept: breaker_file.c. */
#include "daemon/breaker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define DAY_S INT64_C(86400)
#define USUAL_INTERVAL_S (30 * DAY_S)

struct rule {
	int64_t window_s;
	int64_t least, factor; /* at most max(least, factor x expected) */
	const char *window;    /* in words */
};

static const struct rule rules[] = {
	{ DAY_S, 2, 3, "24 h" },
	{ 7 * DAY_S, 4, 2, "7 d" },
};

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Applies one rule to `sorted` (ascending). An instant more than a day ahead of us is
 * from a clock that was wrong: it would block for as long as that clock was ahead. */
static void apply(const struct rule *rule, const int64_t *sorted, size_t n,
		  int64_t interval_s, int64_t now, struct breaker_verdict *verdict)
{
	int64_t allowed = rule->factor * rule->window_s / interval_s, retry_at;
	size_t first = 0, end = n, count;

	if (allowed < rule->least)
		allowed = rule->least;
	while (first < n && sorted[first] <= now - rule->window_s)
		first++;
	while (end > first && sorted[end - 1] > now + DAY_S)
		end--;
	count = end - first;
	if (count < (size_t)allowed)
		return;
	retry_at = sorted[end - (size_t)allowed] + rule->window_s;
	if (!verdict->allowed && retry_at <= verdict->retry_at)
		return;
	verdict->allowed = false;
	verdict->retry_at = retry_at;
	snprintf(verdict->text, sizeof(verdict->text),
		 "%zu certificates in %s, at most %lld are allowed", count, rule->window,
		 (long long)allowed);
}

struct breaker_verdict breaker_decide(const int64_t *issued, size_t n, int64_t interval_s,
				      int64_t now)
{
	struct breaker_verdict verdict = { .allowed = true, .retry_at = now };
	int64_t *sorted = mem_calloc(n + 1, sizeof(*sorted));

	if (n)
		memcpy(sorted, issued, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_time);
	if (interval_s <= 0)
		interval_s = USUAL_INTERVAL_S;
	snprintf(verdict.text, sizeof(verdict.text), "within the limits");
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		apply(&rules[i], sorted, n, interval_s, now, &verdict);
	free(sorted);
	return verdict;
}

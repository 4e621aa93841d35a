#include "daemon/backoff.h"

#define DAY_S INT64_C(86400)
#define FIRST_S INT64_C(60)
#define CAP_S DAY_S
#define USUAL_LIFETIME_S (90 * DAY_S)
#define SHORT_LIFETIME_S (7 * DAY_S)
#define JITTER 0.2
#define COUNT_MAX 99

struct limits {
	int64_t first_s, cap_s, closest_s;
	int64_t attempts; /* that must fit into what remains */
};

static int64_t between(int64_t low, int64_t value, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static struct limits limits_for(int64_t lifetime_s)
{
	int64_t lifetime = lifetime_s > 0 ? lifetime_s : USUAL_LIFETIME_S;
	struct limits limits = {
		.first_s = between(1, lifetime / 30, FIRST_S),
		.cap_s = between(1, lifetime / 6, CAP_S),
		.attempts = lifetime < SHORT_LIFETIME_S ? 3 : 6,
	};

	limits.closest_s = between(1, limits.cap_s / 24, limits.cap_s);
	return limits;
}

static int64_t doubled(const struct limits *limits, unsigned failures)
{
	int64_t delay_s = limits->first_s;

	for (unsigned i = 1; i < failures && delay_s < limits->cap_s; i++)
		delay_s *= 2;
	return delay_s < limits->cap_s ? delay_s : limits->cap_s;
}

int64_t backoff_next(const struct backoff_facts *facts, double random)
{
	struct limits limits = limits_for(facts->lifetime_s);
	int64_t most_s, delay_s = doubled(&limits, facts->failures);

	delay_s = (int64_t)((double)delay_s * (1 - JITTER + 2 * JITTER * random) + 0.5);
	if (facts->remaining_s > 0) {
		most_s = facts->remaining_s / limits.attempts;
		/* An end that nears must not become a hail of attempts on the CA. */
		if (most_s < limits.closest_s)
			most_s = limits.closest_s;
		if (delay_s > most_s)
			delay_s = most_s;
	}
	if (delay_s < facts->retry_after_s)
		delay_s = facts->retry_after_s;
	return delay_s > 0 ? delay_s : 1;
}

unsigned backoff_attempts_left(const struct backoff_facts *facts)
{
	struct backoff_facts then = *facts;
	unsigned attempts = 0;

	while (attempts < COUNT_MAX) {
		then.remaining_s -= backoff_next(&then, 0.5);
		if (then.remaining_s < 0)
			break;
		attempts++;
		then.failures++;
		then.retry_after_s = 0; /* said once, about the next attempt */
	}
	return attempts;
}

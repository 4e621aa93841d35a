#include "daemon/rehearsal_when.h"

#include <assert.h>
#include <stddef.h>

#include "base/clock.h"

#define MINUTE_S INT64_C(60)
#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)
#define BEFORE_S DAY_S         /* so long before a renewal or a window */
#define AFTER_RENEWAL_S HOUR_S /* not sooner than that */
#define RENEWAL_COMES_S (15 * MINUTE_S)
#define ORDER_EVERY_S (7 * DAY_S)

/* A number below `range` that is always the same for a name: FNV-1a. */
static int64_t spread(const char *name, int64_t range)
{
	uint32_t hash = 2166136261U;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	return (int64_t)(hash % 1000U) * range / 1000;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void sooner(struct rehearsal_verdict *verdict, int64_t at,
		   enum rehearsal_reason reason)
{
	if (at < verdict->at)
		*verdict = (struct rehearsal_verdict){ at, reason };
}

/* By the calendar alone. */
static struct rehearsal_verdict by_habit(const struct rehearsal_facts *facts, int64_t now)
{
	struct rehearsal_verdict verdict = { CLOCK_NEVER, REHEARSE_NEVER };
	int64_t last = later(facts->at, facts->renewed_at);

	if (facts->at && !facts->well && facts->at >= facts->renewed_at)
		sooner(&verdict, facts->at + DAY_S - spread(facts->name, 2 * HOUR_S),
		       REHEARSE_AGAIN);
	if (last)
		sooner(&verdict,
		       last + facts->every_s + spread(facts->name, facts->every_s / 10),
		       REHEARSE_REGULARLY);
	else if (!facts->next_at)
		sooner(&verdict,
		       now + 10 * MINUTE_S + spread(facts->name, DAY_S - 10 * MINUTE_S),
		       REHEARSE_FIRST);
	if (facts->next_at)
		sooner(&verdict, facts->next_at,
		       last ? REHEARSE_REGULARLY : REHEARSE_FIRST);
	return verdict;
}

/* A day before `event`, unless that was done. */
static void before(struct rehearsal_verdict *verdict, const struct rehearsal_facts *facts,
		   int64_t event, enum rehearsal_reason reason, int64_t now)
{
	if (event == CLOCK_NEVER || event <= now || facts->at >= event - BEFORE_S)
		return;
	sooner(verdict, event - BEFORE_S, reason);
}

struct rehearsal_verdict rehearsal_decide(const struct rehearsal_facts *facts,
					  int64_t now)
{
	struct rehearsal_verdict verdict = { CLOCK_NEVER, REHEARSE_NEVER };

	if (!facts->every_s ||
	    (facts->lifetime_s && facts->lifetime_s < REHEARSAL_LIFETIME_MIN_S))
		return verdict;
	if (!facts->waiting)
		verdict = by_habit(facts, now);
	if (!facts->waiting && facts->window_at != CLOCK_NEVER)
		before(&verdict, facts, facts->renew_at, REHEARSE_BEFORE_RENEWAL, now);
	before(&verdict, facts, facts->window_at, REHEARSE_BEFORE_WINDOW, now);
	if (verdict.at == CLOCK_NEVER)
		return verdict;
	verdict.at = later(verdict.at, facts->not_before);
	if (facts->renewed_at)
		verdict.at = later(verdict.at, facts->renewed_at + AFTER_RENEWAL_S);
	if (!facts->waiting && facts->renew_at != CLOCK_NEVER &&
	    later(verdict.at, now) > facts->renew_at - RENEWAL_COMES_S)
		return (struct rehearsal_verdict){ CLOCK_NEVER, REHEARSE_NEVER };
	return verdict;
}

const char *rehearsal_reason_text(enum rehearsal_reason reason)
{
	static const char *const texts[] = {
		[REHEARSE_NEVER] = "not planned",
		[REHEARSE_FIRST] = "for the first time",
		[REHEARSE_REGULARLY] = "regularly",
		[REHEARSE_AGAIN] = "because the last one failed",
		[REHEARSE_BEFORE_RENEWAL] = "a day before the renewal",
		[REHEARSE_BEFORE_WINDOW] = "a day before the maintenance window",
	};
	static_assert(sizeof(texts) / sizeof(*texts) == REHEARSE_BEFORE_WINDOW + 1,
		      "a text per reason");

	return texts[reason];
}

bool rehearsal_may_order(int64_t ordered_at, int64_t not_before, int64_t now)
{
	return now >= not_before && (!ordered_at || now >= ordered_at + ORDER_EVERY_S ||
				     now < ordered_at); /* the clock went back */
}

int64_t rehearsal_next(bool ever, bool well, int64_t now, double dice)
{
	if (!ever)
		return now + 600 + (int64_t)(dice * (double)(DAY_S - 600));
	if (!well)
		return now + DAY_S - (int64_t)(dice * 7200);
	return now + 30 * DAY_S - (int64_t)(dice * (double)(2 * DAY_S));
}

#include "daemon/window.h"

#include "base/clock.h"

#define DAY_S INT64_C(86400)
#define WEEK 7
#define MARGIN_PARTS 10 /* a tenth of the lifetime */

int window_local_zone(int64_t at)
{
	char name[16];
	int offset_s;

	clock_local_zone(at, &offset_s, name);
	return offset_s;
}

/* The instant at which the zone's clocks show `local`, seconds since 1970 as if UTC. */
static int64_t instant_of(int64_t local, window_zone *zone)
{
	int64_t guess = local - zone(local);

	return local - zone(guess);
}

static int64_t floor_day(int64_t local)
{
	int64_t day = local / DAY_S;

	return local % DAY_S < 0 ? day - 1 : day;
}

/* 1970-01-01 was a Thursday; bit 0 is Monday. */
static bool begins_on(const struct window *window, int64_t day)
{
	int64_t weekday = (day + 3) % WEEK;

	return window->days >> (weekday < 0 ? weekday + WEEK : weekday) & 1U;
}

/* When the window of that day begins; `now` when it is open; CLOCK_NEVER: it is over. */
static int64_t look_at_day(const struct window *window, int64_t day, int64_t now,
			   window_zone *zone)
{
	int64_t length = window->end_s - window->begin_s, begin, end;

	if (!begins_on(window, day))
		return CLOCK_NEVER;
	if (length <= 0)
		length += DAY_S;
	begin = instant_of(day * DAY_S + window->begin_s, zone);
	end = instant_of(day * DAY_S + window->begin_s + length, zone);
	if (end <= begin) /* the clock went forward in the middle */
		end = begin + length;
	if (now < begin)
		return begin;
	return now < end ? now : CLOCK_NEVER;
}

int64_t window_next(const struct window *windows, size_t n, int64_t now,
		    window_zone *zone)
{
	int64_t today = floor_day(now + zone(now)), next = CLOCK_NEVER;

	if (n == 0)
		return now;
	/* Since yesterday, whose window may reach into today; a week and a day, because
	 * today's may be over. */
	for (size_t i = 0; i < n; i++)
		for (int64_t day = today - 1; day <= today + WEEK + 1; day++) {
			int64_t at = look_at_day(&windows[i], day, now, zone);

			next = at < next ? at : next;
		}
	return next;
}

/* The last moment before what is served comes too near its end. */
static int64_t last_moment(const struct window_facts *facts)
{
	int64_t margin = DAY_S;

	if (!facts->served_until)
		return CLOCK_NEVER;
	if (facts->lifetime_s && facts->lifetime_s / MARGIN_PARTS < margin)
		margin = facts->lifetime_s / MARGIN_PARTS;
	return facts->served_until - margin;
}

struct window_verdict window_decide(const struct window_facts *facts, int64_t now,
				    window_zone *zone)
{
	int64_t next = window_next(facts->windows, facts->n, now, zone);
	int64_t last = facts->unprotected ? now : last_moment(facts);

	if (next <= now || next <= last)
		return (struct window_verdict){ next, false };
	/* Never before `now`: that may be the end of a back-off, still to come. */
	return (struct window_verdict){ last > now ? last : now, true };
}

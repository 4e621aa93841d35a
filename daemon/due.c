#include "daemon/due.h"

#include "base/clock.h"

struct due due_at(int64_t at, int64_t now, int64_t mono_ms)
{
	struct due due = { .at = at, .by_mono_ms = CLOCK_NEVER };

	if (at <= now)
		due.by_mono_ms = mono_ms;
	else if (at - now < (CLOCK_NEVER - mono_ms) / 1000)
		due.by_mono_ms = mono_ms + (at - now) * 1000;
	return due;
}

bool due_is(const struct due *due, int64_t now, int64_t mono_ms)
{
	return due_in_ms(due, now, mono_ms) == 0;
}

int64_t due_in_ms(const struct due *due, int64_t now, int64_t mono_ms)
{
	int64_t by_wall_s, by_mono_ms;

	if (due->at == CLOCK_NEVER)
		return CLOCK_NEVER;
	by_wall_s = due->at > now ? due->at - now : 0;
	by_mono_ms = due->by_mono_ms > mono_ms ? due->by_mono_ms - mono_ms : 0;
	if (by_wall_s < CLOCK_NEVER / 1000 && by_wall_s * 1000 < by_mono_ms)
		return by_wall_s * 1000;
	return by_mono_ms;
}

/* clock_trust.c - the rule. Where the last confirmation is kept: clock_trust_file.c. */
#include "daemon/clock_trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define TOLERANCE_S 300
#define VALID_S (7 * INT64_C(86400))
#define WHY_MAX 160

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

struct clock_reading clock_reading_now(void)
{
	struct clock_reading now = { .mono_ms = clock_mono_ms(), .wall = clock_wall() };

	clock_boot_id(now.boot_id);
	return now;
}

static bool same_boot(const struct clock_trust *trust, const struct clock_reading *now)
{
	return str_equal(trust->boot_id, now->boot_id);
}

void clock_trust_observe(struct clock_trust *trust, int64_t date, int64_t date_mono_ms,
			 const struct clock_reading *now)
{
	int64_t wall_then = now->wall - (now->mono_ms - date_mono_ms) / 1000;

	if (trust->ever && same_boot(trust, now) &&
	    date_mono_ms < trust->confirmed_mono_ms)
		return; /* older news than what confirmed it */
	if (distance(wall_then, date) > TOLERANCE_S) {
		trust->disagreed = true;
		trust->off_by_s = wall_then - date;
		return;
	}
	*trust = (struct clock_trust){
		.ever = true,
		.confirmed_at = wall_then,
		.confirmed_mono_ms = date_mono_ms,
	};
	snprintf(trust->boot_id, sizeof(trust->boot_id), "%s", now->boot_id);
}

/* How long ago it was confirmed; -1 with the reason when that can no longer be said. */
static int64_t age_since(const struct clock_trust *trust, const struct clock_reading *now,
			 char why[WHY_MAX])
{
	int64_t by_wall = now->wall - trust->confirmed_at, by_mono;
	char date[CLOCK_TEXT_MAX], far[CLOCK_TEXT_MAX];

	if (same_boot(trust, now)) {
		by_mono = (now->mono_ms - trust->confirmed_mono_ms) / 1000;
		if (distance(by_wall, by_mono) <= TOLERANCE_S)
			return by_mono > 0 ? by_mono : 0;
		clock_format_duration(distance(by_wall, by_mono), far);
		snprintf(why, WHY_MAX, "the clock was moved %s %s since it was confirmed",
			 far, by_wall > by_mono ? "forward" : "back");
		return -1;
	}
	if (by_wall >= 0)
		return by_wall;
	clock_format_people(trust->confirmed_at, date);
	snprintf(why, WHY_MAX,
		 "since the reboot the clock is behind %s, when it was last confirmed",
		 date);
	return -1;
}

bool clock_trusted(const struct clock_trust *trust, const struct clock_reading *now,
		   char why[160])
{
	char reason[WHY_MAX] = "", age_text[CLOCK_TEXT_MAX];
	int64_t age_s = -1;
	bool trusted = false;

	if (trust->disagreed) {
		snprintf(reason, sizeof(reason), "the clock is %lld s %s the CA's",
			 llabs((long long)trust->off_by_s),
			 trust->off_by_s > 0 ? "ahead of" : "behind");
	} else if (!trust->ever) {
		snprintf(reason, sizeof(reason), "never confirmed by a CA or a webhook");
	} else if ((age_s = age_since(trust, now, reason)) >= 0) {
		trusted = age_s <= VALID_S;
		clock_format_duration(age_s, age_text);
		snprintf(reason, sizeof(reason), "%s %s ago",
			 trusted ? "confirmed" : "last confirmed", age_text);
	}
	if (why)
		memcpy(why, reason, sizeof(reason));
	return trusted;
}

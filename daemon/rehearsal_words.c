/* rehearsal_words.c - what came of a rehearsal, in one sentence about a day, and whether
 * that day is over. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "daemon/rehearsal.h"

static const char *verdict(enum rehearsal_outcome outcome)
{
	switch (outcome) {
	case REHEARSED_BUT:
		return "will succeed, but ";
	case REHEARSED_FAILED:
		return "will fail because ";
	case REHEARSED_NOT:
	case REHEARSED_WELL:
		break;
	}
	return "will succeed";
}

char *rehearsal_sentence(const struct rehearsal_whole *whole, const char *certificate,
			 int64_t day_at, int64_t now)
{
	const char *what = whole->deployment ? "deployment" : "renewal";
	bool blind = whole->outcome == REHEARSED_WELL && !whole->ordered &&
		     !whole->deployment;
	char day[CLOCK_TEXT_MAX];
	char *on = NULL, *sentence;

	if (whole->outcome == REHEARSED_NOT)
		return str_printf("%s of '%s' was not rehearsed yet", what, certificate);
	clock_format_day(day_at, now, day);
	if (day_at != CLOCK_NEVER)
		on = str_printf(" on %s", day);
	sentence = str_printf("%s of '%s'%s %s%s%s", what, certificate, on ? on : "",
			      verdict(whole->outcome),
			      whole->outcome == REHEARSED_WELL ? "" : whole->why,
			      blind ? ", as far as can be told without an order on trial"
				    : "");
	free(on);
	return sentence;
}

bool rehearsal_is_over(const struct rehearsal_whole *whole, int64_t renewed_at,
		       int64_t verified_at)
{
	return whole->at < (whole->deployment ? verified_at : renewed_at);
}

void rehearsal_settle(struct rehearsal_whole *whole, int limit_minutes)
{
	if (whole->outcome != REHEARSED_NOT)
		return;
	whole->outcome = REHEARSED_FAILED;
	snprintf(whole->why, sizeof(whole->why),
		 "the rehearsal did not end within %d minutes, which is longer than a "
		 "renewal should take",
		 limit_minutes);
}

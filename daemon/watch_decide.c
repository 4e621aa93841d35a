/* watch_decide.c - how soon somebody has to hear of it. */
#include "daemon/watch.h"

#include <assert.h>

#include "base/cert.h"
#include "base/clock.h"
#include "daemon/renewal.h"

#define DAY_S INT64_C(86400)
#define USUAL_LEFT_S (30 * DAY_S) /* a third of 90 days: what 14 and 7 are made for */

/* `usual_s` before the end, or the same part of a shorter notice. */
static int64_t left_at(int64_t notice_s, int64_t usual_s)
{
	if (notice_s >= USUAL_LEFT_S)
		return usual_s;
	return notice_s / USUAL_LEFT_S * usual_s +
	       notice_s % USUAL_LEFT_S * usual_s / USUAL_LEFT_S;
}

struct watch_verdict watch_decide(const struct renew_at *policy, int64_t not_before,
				  int64_t not_after, int64_t now)
{
	int64_t notice_at = renewal_age_limit(policy, not_before, not_after);
	int64_t notice_s = not_after - notice_at;
	const int64_t begins_at[] = {
		[WATCH_NOTICE] = notice_at,
		[WATCH_WARNING] = not_after - left_at(notice_s, 14 * DAY_S),
		[WATCH_CRITICAL] = not_after - left_at(notice_s, 7 * DAY_S),
		[WATCH_EXPIRED] = cert_over_at(not_after),
	};
	struct watch_verdict verdict = { WATCH_WELL, CLOCK_NEVER };

	while (verdict.step < WATCH_EXPIRED && begins_at[verdict.step + 1] <= now)
		verdict.step++;
	if (verdict.step < WATCH_EXPIRED)
		verdict.next_at = begins_at[verdict.step + 1];
	return verdict;
}

const char *watch_step_name(enum watch_step step)
{
	static const char *const names[] = {
		[WATCH_WELL] = "well",       [WATCH_NOTICE] = "notice",
		[WATCH_WARNING] = "warning", [WATCH_CRITICAL] = "critical",
		[WATCH_EXPIRED] = "expired",
	};

	static_assert(sizeof(names) / sizeof(*names) == WATCH_EXPIRED + 1,
		      "a name per step");
	return names[step];
}

#include "daemon/clock_moved.h"

#include <stddef.h>

#define SLACK_S INT64_C(300) /* clocks are corrected by seconds all the time */
#define DAY_S INT64_C(86400)

static bool set_back(struct failures *failures, int64_t now)
{
	int64_t ahead_s = failures->last_at - now;

	if (ahead_s <= SLACK_S)
		return false;
	failures->last_at -= ahead_s;
	failures->next_at -= ahead_s;
	/* It counts by the clock: by another clock it counts anew. */
	if (failures->by_breaker && failures->next_at > now)
		failures->next_at = now;
	if (failures->first_at > now)
		failures->first_at = now;
	return true;
}

/* Looked at, or asked, at a moment that has not come: then it was not. */
static bool forget_ahead(int64_t *at, int64_t latest)
{
	if (*at <= latest)
		return false;
	*at = 0;
	return true;
}

bool job_after_clock_moved(struct job *job, int64_t now)
{
	bool moved = set_back(&job->renewal, now);

	moved = set_back(&job->deployment, now) || moved;
	moved = forget_ahead(&job->inspected_files_at, now + SLACK_S) || moved;
	moved = forget_ahead(&job->inspected_endpoints_at, now + SLACK_S) || moved;
	moved = forget_ahead(&job->heal_at, now + 8 * DAY_S) || moved; /* weekly */
	/* A CA is asked again after a day at most (acme.h), as are the others here. */
	moved = forget_ahead(&job->ari_ask_again_at, now + DAY_S + SLACK_S) || moved;
	moved = forget_ahead(&job->spares_try_at, now + 7 * DAY_S) || moved;
	moved = forget_ahead(&job->persist_look_at, now + 7 * DAY_S) || moved;
	for (size_t i = 0; i < JOB_TARGETS; i++) {
		moved = set_back(&job->targets[i].fallback, now) || moved;
		moved = set_back(&job->targets[i].older, now) || moved;
	}
	for (size_t i = 0; i < JOB_ISSUERS; i++)
		moved = forget_ahead(&job->issuers[i].failed_at, now + SLACK_S) || moved;
	return moved;
}

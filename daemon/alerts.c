/* alerts.c - the policy: what is told, to whom, how often. What was told already and what
 * waits to be delivered: alerts_spool.c. */
#include "daemon/alerts.h"

#include "base/str.h"

#define WITHHOLD_S (24 * INT64_C(3600))
#define RETRY_FIRST_S 10
#define RETRY_CAP_S 3600

enum alert_verdict alert_decide(const struct trouble *trouble, enum event_kind kind,
				enum severity severity, int64_t now)
{
	if (kind == EVENT_RECOVERED)
		return trouble->open ? ALERT_TELL : ALERT_NOTHING;
	if (!event_is_trouble(kind) || !trouble->open)
		return ALERT_TELL;
	if (severity > trouble->severity)
		return ALERT_TELL;
	if (now - trouble->told_at >= WITHHOLD_S)
		return ALERT_TELL;
	/* Told in a future that is too far: the clock was wrong then. */
	if (trouble->told_at - now > WITHHOLD_S)
		return ALERT_TELL;
	return ALERT_WITHHOLD;
}

bool alert_reaches(const struct alert_config *channel, enum event_kind kind,
		   enum severity severity)
{
	for (size_t i = 0; channel->except && channel->except[i]; i++) {
		if (str_equal(channel->except[i], event_name(kind)))
			return false;
	}
	return severity == SEVERITY_CRITICAL || severity >= channel->min;
}

int64_t alert_retry_delay(unsigned attempts)
{
	int64_t delay_s = RETRY_FIRST_S;

	for (unsigned i = 1; i < attempts && delay_s < RETRY_CAP_S; i++)
		delay_s *= 2;
	return delay_s < RETRY_CAP_S ? delay_s : RETRY_CAP_S;
}

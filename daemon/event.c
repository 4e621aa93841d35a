#include "daemon/event.h"

#include <assert.h>

/* One row a kind. */
static const struct {
	const char *name;
	enum severity severity;
	bool trouble;
} kinds[] = {
	[EVENT_RENEWED] = { "renewed", SEVERITY_NOTICE, false },
	[EVENT_FAILED] = { "failed", SEVERITY_WARNING, true },
	[EVENT_EXPIRING] = { "expiring", SEVERITY_WARNING, true },
	[EVENT_EXPIRED] = { "expired", SEVERITY_CRITICAL, true },
	[EVENT_FALLBACK] = { "fallback", SEVERITY_CRITICAL, true },
	[EVENT_RECOVERED] = { "recovered", SEVERITY_NOTICE, false },
	[EVENT_DRIFT] = { "drift", SEVERITY_WARNING, true },
	[EVENT_BROKEN] = { "broken", SEVERITY_CRITICAL, true },
	[EVENT_WAITING_FOR_SERVICE] = { "waiting_for_service", SEVERITY_WARNING, true },
	[EVENT_CONFIG_REJECTED] = { "config_rejected", SEVERITY_WARNING, true },
	[EVENT_CLOCK_UNCONFIRMED] = { "clock_unconfirmed", SEVERITY_WARNING, true },
	[EVENT_CIRCUIT_OPEN] = { "circuit_open", SEVERITY_WARNING, true },
	[EVENT_MANAGED_SET_SHRANK] = { "managed_set_shrank", SEVERITY_WARNING, false },
	[EVENT_CA_CHANGED] = { "ca_changed", SEVERITY_NOTICE, false },
	[EVENT_STATE_DAMAGED] = { "state_damaged", SEVERITY_WARNING, false },
	[EVENT_CHALLENGE] = { "challenge", SEVERITY_WARNING, false },
	[EVENT_REHEARSAL_FAILED] = { "rehearsal_failed", SEVERITY_WARNING, true },
	[EVENT_DAEMON_DEAD] = { "daemon_dead", SEVERITY_CRITICAL, true },
	[EVENT_DAEMON_STUCK] = { "daemon_stuck", SEVERITY_CRITICAL, true },
	[EVENT_SERVED_WRONG] = { "served_wrong", SEVERITY_CRITICAL, true },
	[EVENT_SILENT] = { "silent", SEVERITY_WARNING, true },
};
static_assert(sizeof(kinds) / sizeof(*kinds) == EVENT_KINDS, "a row per kind");

#define WARNING_ATTEMPTS 24  /* about a week of a 90-day certificate */
#define CRITICAL_ATTEMPTS 12 /* about a day of it */

const char *event_name(enum event_kind kind)
{
	return kinds[kind].name;
}

enum severity event_severity(enum event_kind kind)
{
	return kinds[kind].severity;
}

enum severity event_expiring_severity(unsigned attempts_left)
{
	if (attempts_left <= CRITICAL_ATTEMPTS)
		return SEVERITY_CRITICAL;
	if (attempts_left <= WARNING_ATTEMPTS)
		return SEVERITY_WARNING;
	return SEVERITY_NOTICE;
}

bool event_is_trouble(enum event_kind kind)
{
	return kinds[kind].trouble;
}

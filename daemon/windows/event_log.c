/* event_log.c - the Event Log, whose ids and texts stand in messages.mc. */
#include "daemon/event_log.h"

#include <assert.h>
#include <stdlib.h>
#include <windows.h>

#include "base/windows/wide.h"
#include "daemon/windows/messages.h"
#include "daemon/windows/service_names.h"

/* ReportEvent refuses longer texts. */
#define TEXT_MAX_CHARS 31000

static const DWORD ids[] = {
	[EVENT_RENEWED] = MESSAGE_RENEWED,
	[EVENT_FAILED] = MESSAGE_FAILED,
	[EVENT_EXPIRING] = MESSAGE_EXPIRING,
	[EVENT_EXPIRED] = MESSAGE_EXPIRED,
	[EVENT_FALLBACK] = MESSAGE_FALLBACK,
	[EVENT_RECOVERED] = MESSAGE_RECOVERED,
	[EVENT_DRIFT] = MESSAGE_DRIFT,
	[EVENT_BROKEN] = MESSAGE_BROKEN,
	[EVENT_WAITING_FOR_SERVICE] = MESSAGE_WAITING_FOR_SERVICE,
	[EVENT_CONFIG_REJECTED] = MESSAGE_CONFIG_REJECTED,
	[EVENT_CLOCK_UNCONFIRMED] = MESSAGE_CLOCK_UNCONFIRMED,
	[EVENT_CIRCUIT_OPEN] = MESSAGE_CIRCUIT_OPEN,
	[EVENT_MANAGED_SET_SHRANK] = MESSAGE_MANAGED_SET_SHRANK,
	[EVENT_CA_CHANGED] = MESSAGE_CA_CHANGED,
	[EVENT_STATE_DAMAGED] = MESSAGE_STATE_DAMAGED,
	[EVENT_CHALLENGE] = MESSAGE_CHALLENGE,
	[EVENT_REHEARSAL_FAILED] = MESSAGE_REHEARSAL_FAILED,
	[EVENT_DAEMON_DEAD] = MESSAGE_DAEMON_DEAD,
	[EVENT_DAEMON_STUCK] = MESSAGE_DAEMON_STUCK,
	[EVENT_SERVED_WRONG] = MESSAGE_SERVED_WRONG,
	[EVENT_SILENT] = MESSAGE_SILENT,
};
static_assert(sizeof(ids) / sizeof(*ids) == EVENT_KINDS, "an id per kind");

static const WORD types[] = {
	[SEVERITY_NOTICE] = EVENTLOG_INFORMATION_TYPE,
	[SEVERITY_WARNING] = EVENTLOG_WARNING_TYPE,
	[SEVERITY_CRITICAL] = EVENTLOG_ERROR_TYPE,
};

struct event_log *event_log_open(void)
{
	return (struct event_log *)RegisterEventSourceW(NULL, SERVICE_NAME);
}

void event_log_close(struct event_log *log)
{
	if (log)
		(void)DeregisterEventSource((HANDLE)log);
}

static void report(struct event_log *log, WORD type, DWORD id, const char *text)
{
	wchar_t *wide = wide_from_utf8(text);
	const wchar_t *texts[] = { wide };

	if (wcslen(wide) > TEXT_MAX_CHARS)
		wide[TEXT_MAX_CHARS] = L'\0';
	if (log)
		(void)ReportEventW((HANDLE)log, type, 0, id, NULL, 1, 0, texts, NULL);
	free(wide);
}

void event_log_report(struct event_log *log, enum event_kind kind, enum severity severity,
		      const char *text)
{
	report(log, types[severity], ids[kind], text);
}

void event_log_start_failed(struct event_log *log, const char *text)
{
	report(log, EVENTLOG_ERROR_TYPE, MESSAGE_START_FAILED, text);
}

#include "daemon/event_log.h"

struct event_log *event_log_open(void)
{
	return NULL;
}

void event_log_close(struct event_log *log)
{
	(void)log;
}

void event_log_report(struct event_log *log, enum event_kind kind, enum severity severity,
		      const char *text)
{
	(void)log;
	(void)kind;
	(void)severity;
	(void)text;
}

void event_log_start_failed(struct event_log *log, const char *text)
{
	(void)log;
	(void)text;
}

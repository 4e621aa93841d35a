/* receiver.c - who is told: one alert for each trouble, then one `recovered`; and never
 * an empty sentence. */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/event.h"
#include "tests/sim/judge.h"
#include "tests/sim/world.h"

#define SEEN_MAX 64

struct open {
	char event[32], certificate[16], target[16], severity[12];
	int64_t told_at, heard_at; /* by its own clock, and in truth */
	int64_t since;             /* heard at first */
	int64_t told_after;        /* in truth, as far as is known */
	bool by_other_clock;       /* than that of the moment when it was heard */
	bool on_full_disk;         /* that could not note that it was told ... */
	bool forgotten;            /* ... and whoever knew is dead */
};

static struct {
	struct open open[SEEN_MAX];
	size_t n;
	char ids[SEEN_MAX][48]; /* the last ones: a death may deliver one twice */
	size_t n_ids;
	int64_t excused_at, died_at;
	int64_t clock_since, clock_before_since; /* this one, and the one before it */
} receiver;

void receiver_excuse(void)
{
	receiver.excused_at = true_now();
}

void receiver_clock(void)
{
	receiver.clock_before_since = receiver.clock_since;
	receiver.clock_since = true_now();
	receiver_excuse();
}

/* The daemon is dead. DESIGN: what is open is kept on disk; on one that was full it was
 * not, and who starts again cannot know that there is something to be closed. */
void receiver_daemon_is_dead(void)
{
	receiver.died_at = true_now();
	for (size_t i = 0; i < receiver.n; i++)
		receiver.open[i].forgotten |= receiver.open[i].on_full_disk;
}

/* What is remembered is a backup of then: nobody knows what was told since. */
void receiver_knows_until(int64_t then)
{
	for (size_t i = 0; i < receiver.n; i++)
		receiver.open[i].forgotten |= receiver.open[i].since >= then;
}

static const char *text_of(const cJSON *json, const char *member)
{
	const char *text = json_string(json, member);

	return text ? text : "";
}

static bool known(const char *id)
{
	for (size_t i = 0; i < SEEN_MAX; i++)
		if (!strcmp(receiver.ids[i], id))
			return true;
	snprintf(receiver.ids[receiver.n_ids++ % SEEN_MAX], sizeof(receiver.ids[0]), "%s",
		 id);
	return false;
}

static int rank(const char *severity)
{
	return !strcmp(severity, "critical") ? 2 : !strcmp(severity, "warning") ? 1 : 0;
}

static bool is_trouble(const char *event)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		if (!strcmp(event_name((enum event_kind)kind), event))
			return event_is_trouble((enum event_kind)kind);
	return false;
}

static void take_recovered(const char *certificate, const char *target)
{
	bool any = false;

	for (size_t i = receiver.n; i-- > 0;) {
		struct open *open = &receiver.open[i];

		if (strcmp(open->certificate, certificate) != 0 ||
		    (*target && strcmp(open->target, target) != 0))
			continue;
		/* A rehearsal is closed by the next one only. */
		if (!*target && !strcmp(open->event, "rehearsal_failed"))
			continue;
		any = true;
		*open = receiver.open[--receiver.n];
	}
	if (!any && true_now() - receiver.excused_at > 40 * DAY)
		broken("recovered", "'recovered' of %s %s, and nothing was open",
		       certificate, target);
}

static void take_trouble(const cJSON *json)
{
	const char *event = text_of(json, "event"), *target = text_of(json, "target");
	const char *certificate = text_of(json, "certificate");
	const char *severity = text_of(json, "severity");
	struct open *open = NULL;
	int64_t at = true_now();

	(void)clock_parse_rfc3339(text_of(json, "at"), &at);
	for (size_t i = 0; i < receiver.n && !open; i++)
		if (!strcmp(receiver.open[i].event, event) &&
		    !strcmp(receiver.open[i].certificate, certificate) &&
		    !strcmp(receiver.open[i].target, target))
			open = &receiver.open[i];
	/* A death between the alert and the note that it was told tells it twice (alerts
	 * are kept on disk first: never not at all), whenever it arrives: while the clock
	 * was ahead by which it was told, too. */
	if (open && rank(severity) <= rank(open->severity) && at >= open->told_at &&
	    at - open->told_at < DAY - HOUR && receiver.excused_at < open->heard_at &&
	    (open->by_other_clock ? receiver.died_at : receiver.excused_at) <
		    open->told_after &&
	    !open->forgotten)
		broken("alerts", "'%s' of %s %s is told twice within %lld s", event,
		       certificate, target, (long long)(at - open->told_at));
	if (!open && receiver.n < SEEN_MAX) {
		open = &receiver.open[receiver.n++];
		open->since = true_now();
	}
	if (!open)
		return;
	snprintf(open->event, sizeof(open->event), "%s", event);
	snprintf(open->certificate, sizeof(open->certificate), "%s", certificate);
	snprintf(open->target, sizeof(open->target), "%s", target);
	snprintf(open->severity, sizeof(open->severity), "%s", severity);
	open->told_at = at;
	open->heard_at = true_now();
	open->told_after = at - world->wall_offset_s;
	open->by_other_clock = open->told_after > true_now() + MINUTE;
	if (open->by_other_clock)
		open->told_after = receiver.clock_before_since;
	open->on_full_disk = world->files.full;
	open->forgotten = false;
}

void receiver_take(const char *json)
{
	cJSON *alert = cJSON_Parse(json);
	const char *event = text_of(alert, "event");

	trace("ALERT %s %s %s %s: %s", text_of(alert, "severity"), event,
	      text_of(alert, "certificate"), text_of(alert, "target"),
	      text_of(alert, "what"));
	if (!*text_of(alert, "what") || !*text_of(alert, "text") || !*event)
		broken("sentence", "an alert '%s' says nothing", event);
	if (known(text_of(alert, "id")))
		goto out;
	if (!strcmp(event, "recovered"))
		take_recovered(text_of(alert, "certificate"), text_of(alert, "target"));
	else if (is_trouble(event))
		take_trouble(alert);
out:
	cJSON_Delete(alert);
}

void receiver_end(void)
{
	for (size_t i = 0; i < receiver.n; i++) {
		const struct open *open = &receiver.open[i];

		if (true_now() - receiver.excused_at > 20 * DAY && !open->forgotten)
			broken("recovered",
			       "'%s' of %s %s is still open although all is "
			       "well",
			       open->event, open->certificate, open->target);
	}
}

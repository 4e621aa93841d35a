#include "daemon/alert_document.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define TEXT_MAX_BYTES ((size_t)16 * 1024)
#define WORDS_MAX (CLOCK_TEXT_MAX + 16)

/* "2 d 3 h left", "expired 5 min ago". */
static void remaining_words(const struct event *event, char out[WORDS_MAX])
{
	int64_t left_s = event->not_after - event->at;
	char length[CLOCK_TEXT_MAX];

	clock_format_duration(left_s < 0 ? -left_s : left_s, length);
	if (left_s < 0)
		snprintf(out, WORDS_MAX, "expired %s ago", length);
	else
		snprintf(out, WORDS_MAX, "%s left", length);
}

static void say_subject(const struct event *event, const char *host, struct buf *text)
{
	buf_printf(text, "%s: %s: ", severity_name(event->severity),
		   event_name(event->kind));
	if (event->certificate)
		buf_printf(text, "certificate '%s'", event->certificate);
	else
		buf_puts(text, "certrenewd itself");
	if (event->target)
		buf_printf(text, ", target '%s'", event->target);
	buf_printf(text, ", on host '%s'\n", host);
}

static void say_time(const struct event *event, struct buf *text)
{
	char date[CLOCK_TEXT_MAX], words[WORDS_MAX];

	if (event->not_after) {
		clock_format_people_local(event->not_after, date);
		remaining_words(event, words);
		buf_printf(text, "The certificate in use is valid until %s: %s.\n", date,
			   words);
	}
	if (event->attempts_left >= 0)
		buf_printf(text, "%d more attempt%s will be made in that time.\n",
			   event->attempts_left, event->attempts_left == 1 ? "" : "s");
}

/* Gives the message for people. */
static char *message(const struct event *event, const char *host, unsigned withheld)
{
	char date[CLOCK_TEXT_MAX];
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	say_subject(event, host, &text);
	buf_printf(&text, "%s\n", event->what ? event->what : event_name(event->kind));
	say_time(event, &text);
	if (event->todo)
		buf_printf(&text, "What to do: %s\n", event->todo);
	if (withheld)
		buf_printf(&text, "Repeated %u time%s since the last alert about it.\n",
			   withheld, withheld == 1 ? "" : "s");
	clock_format_people_local(event->at, date);
	buf_printf(&text, "It happened at %s", date);
	if (event->run)
		buf_printf(&text, " in run %s", event->run);
	buf_puts(&text, ".");
	return buf_steal(&text);
}

/* What CAs and programs said is made printable on the way in. */
static void set_words(cJSON *document, const char *name, const char *words)
{
	char *text = str_dup(words);

	if (text)
		str_make_printable(text);
	json_set_string(document, name, text);
	free(text);
}

static void set_times(cJSON *document, const struct event *event)
{
	char text[CLOCK_TEXT_MAX], words[WORDS_MAX];

	clock_format_rfc3339(event->at, text);
	json_set_string(document, "at", text);
	clock_format_people_local(event->at, text);
	json_set_string(document, "at_local", text);
	clock_format_rfc3339(event->not_after, text);
	json_set_string(document, "not_after", event->not_after ? text : NULL);
	remaining_words(event, words);
	json_set_string(document, "remaining", event->not_after ? words : NULL);
}

cJSON *alert_document(const char *id, const struct event *event, const char *host,
		      unsigned withheld)
{
	cJSON *document = cJSON_CreateObject();
	struct event printable = *event;
	char *text;

	if (!document)
		abort();
	json_set_string(document, "id", id);
	json_set_string(document, "event", event_name(event->kind));
	json_set_string(document, "severity", severity_name(event->severity));
	json_set_string(document, "certificate", event->certificate);
	json_set_string(document, "target", event->target);
	set_words(document, "what", event->what);
	set_words(document, "todo", event->todo);
	json_set_string(document, "run", event->run);
	json_set_string(document, "host", host);
	set_times(document, event);
	if (event->attempts_left >= 0)
		json_set_int(document, "attempts_left", event->attempts_left);
	else
		json_set_string(document, "attempts_left", NULL);
	json_set_int(document, "withheld", withheld);
	printable.what = json_string(document, "what");
	printable.todo = json_string(document, "todo");
	text = message(&printable, host, withheld);
	json_set_string(document, "text", text);
	free(text);
	return document;
}

/* report_print.c - the status JSON for people: one block a certificate, a line a target.
 */
#include "daemon/report.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "daemon/report_issue.h"
#include "daemon/report_rehearsal.h"
#include "daemon/report_views.h"
#include "daemon/report_watch.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static const char *tint(bool colour, const char *code)
{
	return colour ? code : "";
}

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = json_string(object, name);

	return text ? text : "-";
}

static const char *colour_of_end(const char *end, const char *mode)
{
	if (!strcmp(mode, "fallback") || !strcmp(end, "broken"))
		return RED;
	return !strcmp(end, "done") && !strcmp(mode, "https") ? GREEN : YELLOW;
}

static void print_instant(const cJSON *object, const char *name, const char *label,
			  int64_t now, struct buf *out)
{
	const char *text = json_string(object, name);
	char people[CLOCK_TEXT_MAX], left[CLOCK_TEXT_MAX];
	int64_t at;

	if (!text || clock_parse_rfc3339(text, &at))
		return;
	clock_format_people_local(at, people);
	clock_format_duration(at > now ? at - now : now - at, left);
	buf_printf(out, "  %-12s %s (%s%s%s)\n", label, people, at > now ? "in " : "",
		   left, at > now ? "" : " ago");
}

static void print_failures(const cJSON *certificate, const char *name, bool colour,
			   struct buf *out)
{
	const cJSON *failures = cJSON_GetObjectItemCaseSensitive(certificate, name);
	int64_t n = json_int(failures, "failures", 0);
	char next[CLOCK_TEXT_MAX];

	if (!n)
		return;
	buf_printf(out, "  %-12s %sfailed %lld time%s%s, next try %s: %s\n", name,
		   tint(colour, YELLOW), (long long)n, n == 1 ? "" : "s",
		   tint(colour, PLAIN), report_instant(failures, "next_at", next),
		   text_of(failures, "text"));
}

static void print_target(const cJSON *target, bool colour, struct buf *out)
{
	const cJSON *ladder = cJSON_GetObjectItemCaseSensitive(target, "ladder");
	const char *why = json_string(target, "why");
	const char *step = json_string(ladder, "step");
	const char *end = text_of(target, "end"), *mode = text_of(target, "mode");
	char until[CLOCK_TEXT_MAX];

	buf_printf(out, "  target       %s: %s%s%s, mode %s", text_of(target, "name"),
		   tint(colour, colour_of_end(end, mode)), end, tint(colour, PLAIN),
		   mode);
	if (json_string(target, "watched_until"))
		buf_printf(out, ", watched until %s",
			   report_instant(target, "watched_until", until));
	if (json_bool(target, "unfinished", false))
		buf_puts(out, ": interrupted, the next run takes it up");
	else if (json_bool(target, "falling", false))
		buf_puts(out, ": interrupted while falling back to HTTP, the next run "
			      "takes it up");
	else if (why && strcmp(end, "done") != 0)
		buf_printf(out, ": %s", why);
	if (step && strcmp(step, "none") != 0)
		buf_printf(out, "\n  %-12s %s", "ladder", text_of(ladder, "why"));
	buf_puts(out, "\n");
}

static void print_certificate(const cJSON *certificate, bool colour, int64_t now,
			      struct buf *out)
{
	const cJSON *hosts = cJSON_GetObjectItemCaseSensitive(certificate, "hosts");
	const cJSON *targets = cJSON_GetObjectItemCaseSensitive(certificate, "targets");
	const cJSON *item;

	buf_printf(out, "%s%s%s", tint(colour, BOLD), text_of(certificate, "name"),
		   tint(colour, PLAIN));
	cJSON_ArrayForEach (item, hosts)
		if (cJSON_IsString(item))
			buf_printf(out, " %s", item->valuestring);
	buf_puts(out, "\n");
	if (cJSON_HasObjectItem(certificate, "watched")) {
		report_watch_print(certificate, now, out);
		return;
	}
	if (json_bool(certificate, "self_signed", false))
		buf_printf(out,
			   "  %sself-signed%s  for test systems: no client trusts it "
			   "by itself\n",
			   tint(colour, YELLOW), tint(colour, PLAIN));
	if (json_bool(certificate, "present", false)) {
		buf_printf(out, "  thumbprint   %s\n", text_of(certificate, "sha1"));
		print_instant(certificate, "not_after", "expires", now, out);
		if (json_bool(certificate, "revoked", false))
			buf_printf(out,
				   "  %srevoked%s      clients that look refuse it\n",
				   tint(colour, RED), tint(colour, PLAIN));
	} else {
		buf_puts(out, "  thumbprint   none yet\n");
	}
	report_issue_print(certificate, out);
	print_instant(certificate, "due_at", "renewal due", now, out);
	report_rehearsal_print(certificate, colour, out);
	if (!json_bool(certificate, "retired", false))
		print_instant(certificate, "retire_at", "retires old", now, out);
	print_failures(certificate, "renewal", colour, out);
	print_failures(certificate, "deployment", colour, out);
	print_failures(certificate, "fallback", colour, out);
	print_failures(certificate, "older", colour, out);
	print_instant(certificate, "inspected_files_at", "files seen", now, out);
	if (!cJSON_HasObjectItem(certificate, "views")) /* each has a time of its own */
		print_instant(certificate, "inspected_endpoints_at", "served, seen", now,
			      out);
	cJSON_ArrayForEach (item, targets)
		print_target(item, colour, out);
	report_views_print(certificate, colour, out);
}

static void print_daemon(const cJSON *status, bool colour, struct buf *out)
{
	const cJSON *daemon = cJSON_GetObjectItemCaseSensitive(status, "daemon");
	const cJSON *clock = cJSON_GetObjectItemCaseSensitive(status, "clock");
	int64_t pending = json_int(status, "alerts_pending", 0);
	char since[CLOCK_TEXT_MAX];

	if (!json_bool(daemon, "answers", true))
		buf_printf(out, "%sno answer from a daemon%s: %s\n", tint(colour, RED),
			   tint(colour, PLAIN), text_of(daemon, "why"));
	else if (cJSON_IsObject(daemon))
		buf_printf(out, "daemon running as process %lld since %s\n",
			   (long long)json_int(daemon, "pid", 0),
			   report_instant(daemon, "since", since));
	else
		buf_printf(out, "%sno daemon is running%s\n", tint(colour, YELLOW),
			   tint(colour, PLAIN));
	if (!json_bool(clock, "confirmed", false))
		buf_printf(out, "%sclock not confirmed%s: %s\n", tint(colour, YELLOW),
			   tint(colour, PLAIN), text_of(clock, "why"));
	if (pending)
		buf_printf(out, "%s%lld alert%s not delivered yet%s\n",
			   tint(colour, YELLOW), (long long)pending,
			   pending == 1 ? "" : "s", tint(colour, PLAIN));
}

void report_print(const cJSON *status, bool colour, struct buf *out)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(status, "certificates");
	const cJSON *certificate;
	int64_t now = clock_wall();

	print_daemon(status, colour, out);
	cJSON_ArrayForEach (certificate, list) {
		buf_puts(out, "\n");
		print_certificate(certificate, colour, now, out);
	}
}
